//! What names look like, and the small numbers that stand for them inside one bundle.

use crate::finding::{Code, Findings, Place};

/// The longest name.
const NAME_BYTES_MAX: usize = 64;

/// A role, as a number within its bundle. Juniors come before their seniors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleId(pub(crate) u8);

/// A permission (`resource.action`), as a number within its bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PermissionId(pub(crate) u16);

/// A network, as a number within its bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetworkId(pub(crate) u16);

/// A limit, as a number within its bundle, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitId(pub(crate) u8);

/// A route, as a number within its bundle, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub(crate) u16);

impl RoleId {
    /// The number, for tables of one entry per role.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl PermissionId {
    /// The number, for tables of one entry per permission.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl NetworkId {
    /// The number, for tables of one entry per network.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl LimitId {
    /// The number, for tables of one entry per limit.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl RouteId {
    /// The number, for tables of one entry per route.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// Whether `text` is a name: a small letter, then small letters, digits, `-` and `_`.
pub(crate) fn is_name(text: &str) -> bool {
    let follows = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
    text.len() <= NAME_BYTES_MAX
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(follows)
}

/// Notes a `text` that is no name. `what` says what it names: a role, a route.
pub(crate) fn expect_name(what: &str, text: &str, at: Place<'_>, findings: &mut Findings) -> bool {
    let fits = is_name(text);
    if !fits {
        findings.add(
            Code::BadName,
            at,
            format!("`{text}` cannot name a {what}"),
            "use small letters, digits, `-` and `_`, beginning with a letter, at most 64",
        );
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "super-admin", "order_2"] {
            assert!(is_name(name), "{name}");
        }
        for text in ["", "A", "2a", "-a", "a b", "a.b", "é", "*", &"a".repeat(65)] {
            assert!(!is_name(text), "{text}");
        }
    }
}
