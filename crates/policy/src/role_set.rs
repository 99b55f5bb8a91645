//! Sets of roles: one bit per role.

use crate::names::RoleId;

/// The most roles a bundle can hold.
pub(crate) const ROLES_MAX: usize = 64;

/// Some of the roles of one bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RoleSet(u64);

impl RoleSet {
    /// No role at all.
    pub const EMPTY: Self = Self(0);

    /// Only this role.
    pub fn of(role: RoleId) -> Self {
        Self::EMPTY.with(role)
    }

    /// This set and `role`.
    #[must_use]
    pub fn with(self, role: RoleId) -> Self {
        Self(self.0 | 1u64.checked_shl(u32::from(role.0)).unwrap_or(0))
    }

    /// The roles in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The roles in this set that are not in `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether some role is in both sets.
    pub fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether `role` is in the set.
    pub fn contains(self, role: RoleId) -> bool {
        self.0 & Self::of(role).0 != 0
    }

    /// Whether the set is empty.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The number of roles.
    pub fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The roles, juniors first.
    pub fn iter(self) -> impl Iterator<Item = RoleId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let role = u8::try_from(rest.trailing_zeros()).ok().filter(|_| rest != 0)?;
            rest &= rest - 1;
            Some(RoleId(role))
        })
    }
}

impl FromIterator<RoleId> for RoleSet {
    fn from_iter<I: IntoIterator<Item = RoleId>>(roles: I) -> Self {
        roles.into_iter().fold(Self::EMPTY, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in() {
        let roles = [RoleId(0), RoleId(5), RoleId(63)];
        let set: RoleSet = roles.into_iter().rev().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), roles);
        assert!(set.contains(RoleId(63)) && !set.contains(RoleId(62)));
        let others = RoleSet::of(RoleId(5)).with(RoleId(7));
        assert!(set.meets(others) && !set.without(others).meets(others));
        assert_eq!(set.without(others).count(), 2);
        assert!(RoleSet::EMPTY.is_empty() && RoleSet::EMPTY.iter().next().is_none());
    }

    #[test]
    fn a_role_of_no_bundle_is_never_held() {
        let set = RoleSet::of(RoleId(200));
        assert!(set.is_empty() && !set.contains(RoleId(200)));
    }
}
