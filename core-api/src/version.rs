//! Versions: an edit says which version of a thing it was made on.

/// Counts the changes of one thing, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version(pub(crate) i64);

impl Version {
    pub(crate) const FIRST: Self = Self(1);

    /// The version after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The versions an edit may be made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expected {
    /// Whichever there is.
    Any,
    /// One of these.
    OneOf(Vec<Version>),
}

impl Expected {
    pub(crate) fn fits(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}
