//! In which way two outcomes differ.

use crate::judge::Outcome;

/// What a flip does to whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// They were refused and are admitted.
    Widened,
    /// They reach things they did not reach.
    ScopeWidened,
    /// They were admitted and are refused.
    Narrowed,
    /// They reach less than before, and nothing new.
    ScopeNarrowed,
    /// They are refused for another reason.
    RefusedOtherwise,
}

impl Change {
    /// Every change, the one to look at first first.
    pub const ALL: [Self; 5] = [
        Self::Widened,
        Self::ScopeWidened,
        Self::Narrowed,
        Self::ScopeNarrowed,
        Self::RefusedOtherwise,
    ];

    /// From one outcome to another one.
    pub(super) fn between(before: Outcome, after: Outcome) -> Self {
        match (before, after) {
            (Outcome::Deny(_), Outcome::Allow(_)) => Self::Widened,
            (Outcome::Allow(_), Outcome::Deny(_)) => Self::Narrowed,
            (Outcome::Deny(_), Outcome::Deny(_)) => Self::RefusedOtherwise,
            (Outcome::Allow(before), Outcome::Allow(after)) if before.covers(after) => {
                Self::ScopeNarrowed
            }
            (Outcome::Allow(_), Outcome::Allow(_)) => Self::ScopeWidened,
        }
    }

    /// Whether somebody gains something.
    pub fn widens(self) -> bool {
        matches!(self, Self::Widened | Self::ScopeWidened)
    }

    /// The stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Widened => "widened",
            Self::ScopeWidened => "scope_widened",
            Self::Narrowed => "narrowed",
            Self::ScopeNarrowed => "scope_narrowed",
            Self::RefusedOtherwise => "refused_otherwise",
        }
    }
}
