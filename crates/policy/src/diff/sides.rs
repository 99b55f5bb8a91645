//! Both bundles under one numbering of roles, and what their rules give, by name.

use std::collections::BTreeMap;
use std::ops::{BitAnd, BitOr, BitXor, Not};

use crate::activation::{Circumstances, unmet};
use crate::bundle::Bundle;
use crate::names::RoleId;
use crate::roles::ANONYMOUS;
use crate::route::{Auth, Route};
use crate::rules::Effect;
use crate::table::Scope;

/// Some roles of either bundle, one bit each: two bundles hold 128 at most.
pub(super) type Roles = u128;

/// Just this role.
pub(super) fn only(role: usize) -> Roles {
    u32::try_from(role).ok().and_then(|role| 1_u128.checked_shl(role)).unwrap_or(0)
}

/// The numbers of some roles, lowest first.
pub(super) fn numbers(roles: Roles) -> impl Iterator<Item = usize> {
    (0..128).filter(move |role| roles & only(*role) != 0)
}

/// What somebody may reach of a resource, maybe nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Access {
    pub(super) own: bool,
    pub(super) others: bool,
}

impl Access {
    pub(super) fn scope(self) -> Option<Scope> {
        match (self.own, self.others) {
            (true, true) => Some(Scope::Any),
            (true, false) => Some(Scope::Own),
            (false, true) => Some(Scope::Others),
            (false, false) => None,
        }
    }

    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// Whether this reaches something that `other` does not.
    pub(super) fn exceeds(self, other: Self) -> bool {
        (self.own && !other.own) || (self.others && !other.others)
    }
}

/// Roles for each of the two parts of a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct PerPart {
    pub(super) own: Roles,
    pub(super) others: Roles,
}

impl PerPart {
    fn same(roles: Roles) -> Self {
        Self { own: roles, others: roles }
    }

    /// The roles in either part.
    pub(super) fn any(self) -> Roles {
        self.own | self.others
    }

    /// The parts in which one of `roles` stands.
    pub(super) fn of(self, roles: Roles) -> Access {
        Access { own: self.own & roles != 0, others: self.others & roles != 0 }
    }
}

impl BitAnd for PerPart {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self { own: self.own & other.own, others: self.others & other.others }
    }
}

impl BitOr for PerPart {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self { own: self.own | other.own, others: self.others | other.others }
    }
}

impl BitXor for PerPart {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        Self { own: self.own ^ other.own, others: self.others ^ other.others }
    }
}

impl Not for PerPart {
    type Output = Self;
    fn not(self) -> Self {
        Self { own: !self.own, others: !self.others }
    }
}

/// Which roles allow and which deny one permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Cell {
    pub(super) allow: PerPart,
    pub(super) deny: PerPart,
}

impl Cell {
    pub(super) fn add(&mut self, roles: Roles, scope: Scope, effect: Effect) {
        let part = |part| if scope.covers(part) { roles } else { 0 };
        let added = PerPart { own: part(Scope::Own), others: part(Scope::Others) };
        match effect {
            Effect::Allow => self.allow = self.allow | added,
            Effect::Deny => self.deny = self.deny | added,
        }
    }

    /// What is left while only these roles count.
    fn among(self, active: Roles) -> Self {
        let active = PerPart::same(active);
        Self { allow: self.allow & active, deny: self.deny & active }
    }

    /// Who is granted what, holding one role alone.
    pub(super) fn granted(self) -> PerPart {
        self.allow & !self.deny
    }

    /// What is granted to whoever holds all of these roles.
    pub(super) fn of_all(self, roles: Roles) -> Access {
        let (allow, deny) = (self.allow.of(roles), self.deny.of(roles));
        Access { own: allow.own && !deny.own, others: allow.others && !deny.others }
    }
}

/// What a route gives in some circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct View {
    /// Callers without a token.
    pub(super) visitor: Access,
    /// Callers with one that names no role.
    pub(super) roleless: Access,
    /// Callers with one, by their roles.
    pub(super) cell: Cell,
}

/// One bundle.
#[derive(Debug)]
pub(super) struct Side<'b> {
    pub(super) bundle: &'b Bundle,
    /// Shared numbers by its own.
    shared: Vec<usize>,
    cells: BTreeMap<&'b str, Cell>,
    /// Every role of either bundle.
    everybody: Roles,
}

impl<'b> Side<'b> {
    fn new(bundle: &'b Bundle, names: &[&'b str]) -> Self {
        let number = |role| names.iter().position(|name| *name == bundle.role_name(role));
        let shared: Vec<usize> = bundle.roles().filter_map(number).collect();
        let everybody = (0..names.len()).fold(0, |all, role| all | only(role));
        let mut side = Self { bundle, shared, cells: BTreeMap::new(), everybody };
        let above: Vec<Roles> = bundle.roles().map(|role| side.above(role)).collect();
        for rule in bundle.rules() {
            let above = above.get(rule.role.index()).copied().unwrap_or(0);
            let permission = bundle.permission_name(rule.permission);
            side.cells.entry(permission).or_default().add(above, rule.scope, rule.effect);
        }
        side
    }

    /// A role and all that inherit from it.
    fn above(&self, junior: RoleId) -> Roles {
        let seniors = self.bundle.roles().filter(|role| self.bundle.reach(*role).contains(junior));
        seniors.fold(0, |all, role| all | only(self.shared(role)))
    }

    /// The shared number of a role.
    pub(super) fn shared(&self, role: RoleId) -> usize {
        self.shared.get(role.index()).copied().unwrap_or(usize::MAX)
    }

    /// The roles that count in these circumstances.
    pub(super) fn active(&self, at: &Circumstances) -> Roles {
        let networks = self.bundle.networks();
        let met = |role: &RoleId| self.bundle.condition(*role).unmet(networks, at).is_none();
        self.bundle.roles().filter(met).fold(0, |all, role| all | only(self.shared(role)))
    }

    /// Whether a route answers in these circumstances at all.
    pub(super) fn is_open(&self, route: Option<&Route>, at: &Circumstances) -> bool {
        let networks = self.bundle.networks();
        route.is_some_and(|route| unmet(route.network, route.mfa_secs, networks, at).is_none())
    }

    /// What a route gives while these roles count, its own conditions met.
    pub(super) fn view(&self, route: &Route, active: Roles, anonymous: usize) -> View {
        let needs = self.bundle.permission_name(route.needs);
        let cell = self.cells.get(needs).copied().unwrap_or_default().among(active);
        let visitor = cell.of_all(only(anonymous));
        match route.auth {
            Auth::Required => View { cell, ..View::default() },
            Auth::Optional => View { visitor, cell, ..View::default() },
            Auth::None | Auth::Signature => {
                let mut alike = Cell::default();
                if let Some(scope) = visitor.scope() {
                    alike.add(self.everybody, scope, Effect::Allow);
                }
                View { visitor, roleless: visitor, cell: alike }
            }
        }
    }
}

/// Both bundles.
#[derive(Debug)]
pub(super) struct Sides<'b> {
    pub(super) old: Side<'b>,
    pub(super) new: Side<'b>,
    /// Every role: those of the new bundle, juniors first, then those that are gone.
    names: Vec<&'b str>,
    pub(super) anonymous: usize,
}

impl<'b> Sides<'b> {
    pub(super) fn new(old: &'b Bundle, new: &'b Bundle) -> Self {
        let mut names: Vec<&str> = new.roles().map(|role| new.role_name(role)).collect();
        let gone = old.roles().map(|role| old.role_name(role));
        names.extend(gone.filter(|name| new.role(name).is_none()));
        let anonymous = names.iter().position(|name| *name == ANONYMOUS).unwrap_or(usize::MAX);
        Self { old: Side::new(old, &names), new: Side::new(new, &names), names, anonymous }
    }

    pub(super) fn role_name(&self, role: usize) -> &'b str {
        self.names.get(role).copied().unwrap_or_default()
    }

    pub(super) fn role(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| *known == name)
    }
}
