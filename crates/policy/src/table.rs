//! Decisions: a look-up in a table that was compiled and proven when the bundle was loaded.

use std::fmt;

use crate::names::{PermissionId, RoleId};
use crate::role_set::RoleSet;
use crate::roles::Roles;
use crate::rules::{Effect, Rule};

/// What a caller may reach of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Only what is the caller's own.
    Own,
    /// Only what is not the caller's own.
    Others,
    /// Everything.
    Any,
}

impl Scope {
    /// The word in the policy's files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Others => "others",
            Self::Any => "any",
        }
    }

    /// The scope of this name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Own, Self::Others, Self::Any].into_iter().find(|scope| scope.as_str() == text)
    }

    fn bits(self) -> u8 {
        match self {
            Self::Own => OWN,
            Self::Others => OTHERS,
            Self::Any => OWN | OTHERS,
        }
    }

    /// Whether all of `other` lies within this scope.
    pub fn covers(self, other: Self) -> bool {
        self.bits() & other.bits() == other.bits()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

const OWN: u8 = 0b01;
const OTHERS: u8 = 0b10;
/// Denied bits stand this far above the allowed ones.
const DENIED: u8 = 2;

/// What is allowed and denied, for each of the two scope bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Cell(u8);

impl Cell {
    fn of(scope: Scope, effect: Effect) -> Self {
        match effect {
            Effect::Allow => Self(scope.bits()),
            Effect::Deny => Self(scope.bits() << DENIED),
        }
    }

    fn merge(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Some rule must allow and none may deny, for each bit on its own.
    fn scope(self) -> Option<Scope> {
        let granted = self.0 & !(self.0 >> DENIED);
        match (granted & OWN != 0, granted & OTHERS != 0) {
            (true, true) => Some(Scope::Any),
            (true, false) => Some(Scope::Own),
            (false, true) => Some(Scope::Others),
            (false, false) => None,
        }
    }
}

/// The compiled truth of one bundle: one cell per permission and role, inheritance included.
#[derive(Debug)]
pub(crate) struct DecisionTable {
    /// The cells of one permission lie together.
    cells: Box<[Cell]>,
    roles: usize,
}

impl DecisionTable {
    /// Spreads every rule over its role and all that inherit from it.
    pub(crate) fn compile(roles: &Roles, permissions: usize, rules: &[Rule]) -> Self {
        let cells = vec![Cell::default(); permissions * roles.count()].into_boxed_slice();
        let mut table = Self { cells, roles: roles.count() };
        rules.iter().for_each(|rule| table.spread(roles, rule));
        table
    }

    /// Compiles the cells of one permission again, from these of its rules.
    pub(crate) fn recompile(&mut self, roles: &Roles, permission: PermissionId, rules: &[Rule]) {
        let first = permission.index() * self.roles;
        if let Some(cells) = self.cells.get_mut(first..first + self.roles) {
            cells.fill(Cell::default());
        }
        let own = rules.iter().filter(|rule| rule.permission == permission);
        own.for_each(|rule| self.spread(roles, rule));
    }

    fn spread(&mut self, roles: &Roles, rule: &Rule) {
        for role in roles.ids().filter(|role| roles.reach(*role).contains(rule.role)) {
            let at = rule.permission.index() * self.roles + role.index();
            if let Some(cell) = self.cells.get_mut(at) {
                *cell = cell.merge(Cell::of(rule.scope, rule.effect));
            }
        }
    }

    /// The scope these roles have on `permission`; `None` is a denial.
    ///
    /// Some role must allow and no role may deny, as in the model's policy effect.
    pub(crate) fn decide(&self, roles: RoleSet, permission: PermissionId) -> Option<Scope> {
        roles
            .iter()
            .fold(Cell::default(), |sum, role| sum.merge(self.cell(role, permission)))
            .scope()
    }

    /// A role or permission of another bundle has an empty cell: nothing is allowed.
    fn cell(&self, role: RoleId, permission: PermissionId) -> Cell {
        if role.index() >= self.roles {
            return Cell::default();
        }
        let at = permission.index() * self.roles + role.index();
        self.cells.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deny_overrides_each_bit_on_its_own() {
        let any = Cell::of(Scope::Any, Effect::Allow);
        let own = Cell::of(Scope::Own, Effect::Allow);
        let not_others = Cell::of(Scope::Others, Effect::Deny);
        let nothing = Cell::of(Scope::Any, Effect::Deny);
        for (cell, scope) in [
            (Cell::default(), None),
            (own, Some(Scope::Own)),
            (any.merge(not_others), Some(Scope::Own)),
            (own.merge(not_others), Some(Scope::Own)),
            (any.merge(nothing), None),
            (not_others, None),
        ] {
            assert_eq!(cell.scope(), scope, "{cell:?}");
        }
    }
}
