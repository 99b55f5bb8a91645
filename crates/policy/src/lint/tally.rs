//! How many rules speak about each cell. From that it follows what a single rule adds, without
//! compiling the table again.

use crate::bundle::Bundle;
use crate::names::{PermissionId, RoleId};
use crate::rules::{Effect, Rule};
use crate::table::Scope;

/// The two parts of a scope that are decided by themselves.
const PARTS: [Scope; 2] = [Scope::Own, Scope::Others];

/// The parts of a scope.
pub(crate) fn parts(scope: Scope) -> impl Iterator<Item = Scope> {
    PARTS.into_iter().filter(move |part| scope.covers(*part))
}

/// How many rules allow and deny one part of one cell, inheritance included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Count {
    pub(super) allows: u32,
    pub(super) denies: u32,
}

impl Count {
    /// Whether the cell says the same as that of the other count.
    pub(super) fn agrees(self, other: Self) -> bool {
        (self.allows > 0, self.denies > 0) == (other.allows > 0, other.denies > 0)
    }

    /// Whether it is allowed and not denied.
    pub(super) fn granted(self) -> bool {
        self.allows > 0 && self.denies == 0
    }
}

/// The counts of every cell of a bundle, and its rules by permission.
#[derive(Debug)]
pub(super) struct Tally<'b> {
    /// By permission, role and part.
    counts: Vec<Count>,
    by_permission: Vec<Vec<&'b Rule>>,
    roles: usize,
}

impl<'b> Tally<'b> {
    pub(super) fn of(bundle: &'b Bundle) -> Self {
        let (roles, permissions) = (bundle.roles().count(), bundle.permissions().count());
        let mut tally = Self {
            counts: vec![Count::default(); permissions * roles * PARTS.len()],
            by_permission: vec![Vec::new(); permissions],
            roles,
        };
        let reach: Vec<_> = bundle.roles().map(|role| (role, bundle.reach(role))).collect();
        for rule in bundle.rules() {
            for (role, _) in reach.iter().filter(|(_, reach)| reach.contains(rule.role)) {
                parts(rule.scope).for_each(|part| tally.add(*role, part, rule));
            }
            if let Some(rules) = tally.by_permission.get_mut(rule.permission.index()) {
                rules.push(rule);
            }
        }
        tally
    }

    fn add(&mut self, role: RoleId, part: Scope, rule: &Rule) {
        let at = self.index(role, rule.permission, part);
        if let Some(count) = self.counts.get_mut(at) {
            match rule.effect {
                Effect::Allow => count.allows += 1,
                Effect::Deny => count.denies += 1,
            }
        }
    }

    /// The count of one part of one cell.
    pub(super) fn at(&self, role: RoleId, permission: PermissionId, part: Scope) -> Count {
        self.counts.get(self.index(role, permission, part)).copied().unwrap_or_default()
    }

    /// Both counts of one cell.
    pub(super) fn cell(&self, role: RoleId, permission: PermissionId) -> [Count; 2] {
        PARTS.map(|part| self.at(role, permission, part))
    }

    /// The rules about a permission, in the order of the file.
    pub(super) fn rules(&self, permission: PermissionId) -> &[&'b Rule] {
        self.by_permission.get(permission.index()).map_or(&[], Vec::as_slice)
    }

    fn index(&self, role: RoleId, permission: PermissionId, part: Scope) -> usize {
        let cell = permission.index() * self.roles + role.index();
        cell * PARTS.len() + usize::from(part == Scope::Others)
    }
}
