//! Whether something takes part in decisions, or is only tried beside them.

/// How far a rule, a route or a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Mode {
    /// It counts.
    #[default]
    Enforce,
    /// It counts only in the shadow decision, which is recorded and refuses nobody.
    Shadow,
}

impl Mode {
    /// Every mode, in the order of the documents.
    pub const ALL: [Self; 2] = [Self::Enforce, Self::Shadow];

    /// The word in the policy's files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
        }
    }
}
