//! Coverage: what of a policy could change without any case noticing.
//!
//! Three things are counted:
//!
//! - each route with each role: *tried* where a case asks for it as this role alone, with all
//!   conditions met, or where an invariant keeps this role alone from it;
//! - each permission with each role, as far as some route asks this role for it: tried alike;
//! - each rule in force: *felt* where some case would go differently without it.
//!
//! What nobody can ever ask for, such as a route in a network that a role cannot be in, is not
//! counted.

use std::collections::BTreeSet;

use crate::bundle::Bundle;
use crate::cases::request::Request;
use crate::cases::{Case, Claim};
use crate::derivation::row;
use crate::files::{POLICY_FILE, ROUTES_FILE};
use crate::judge::{Caller, Denial, Outcome, heard};
use crate::lint::can_be_there;
use crate::names::{PermissionId, RoleId, RouteId};
use crate::role_set::RoleSet;
use crate::route::Route;
use crate::rules::Rule;

/// How much of a policy its cases cover.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Routes with roles.
    pub routes: Share,
    /// Permissions with roles.
    pub permissions: Share,
    /// Rules.
    pub rules: Share,
}

/// How much of one kind is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// How many there are.
    pub total: usize,
    /// What no case covers, in the order of the file.
    pub missing: Vec<Missing>,
}

/// Something that no case covers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Missing {
    /// The file in which it stands, relative to the policy folder.
    pub file: &'static str,
    /// The line.
    pub line: u32,
    /// What it is: `` `orders` as `staff` ``, or a rule as written.
    pub what: String,
}

impl Coverage {
    /// Its parts.
    fn shares(&self) -> [&Share; 3] {
        [&self.routes, &self.permissions, &self.rules]
    }

    /// How much of everything is covered, in whole percent, rounded down. All of nothing is 100.
    pub fn percent(&self) -> usize {
        let total: usize = self.shares().iter().map(|share| share.total).sum();
        let covered: usize = self.shares().iter().map(|share| share.covered()).sum();
        (covered * 100).checked_div(total).unwrap_or(100)
    }

    /// Everything that no case covers.
    pub fn missing(&self) -> impl Iterator<Item = &Missing> {
        self.shares().into_iter().flat_map(|share| &share.missing)
    }
}

impl Share {
    /// How many are covered.
    pub fn covered(&self) -> usize {
        self.total.saturating_sub(self.missing.len())
    }

    fn of(all: impl Iterator<Item = (bool, Missing)>) -> Self {
        let (mut total, mut missing) = (0, Vec::new());
        for (covered, what) in all {
            total += 1;
            missing.extend((!covered).then_some(what));
        }
        Self { total, missing }
    }
}

/// Measures what these cases, which were read for this bundle, cover of it.
///
/// The bundle is taken away from its owner: rules are taken out of it one by one, and nobody else
/// may decide by it meanwhile.
pub fn measure(mut bundle: Bundle, cases: &[Case]) -> Coverage {
    let tried = Tried::of(&bundle, cases);
    Coverage {
        routes: routes(&bundle, &tried),
        permissions: permissions(&bundle, &tried),
        rules: rules(&mut bundle, cases),
    }
}

/// What cases ask with all conditions met, as one role alone.
#[derive(Debug, Default)]
struct Tried {
    routes: BTreeSet<(RouteId, RoleId)>,
    permissions: BTreeSet<(PermissionId, RoleId)>,
}

impl Tried {
    fn of(bundle: &Bundle, cases: &[Case]) -> Self {
        let mut tried = Self::default();
        for case in cases {
            match case.claim() {
                Claim::Request(request) => tried.note_request(bundle, request),
                Claim::Invariant(invariant) => {
                    let Some(role) = only(invariant.roles(bundle)) else { continue };
                    let forbidden = bundle.permissions().filter(|id| invariant.forbids(*id));
                    tried.permissions.extend(forbidden.map(|id| (id, role)));
                    let routes = bundle.routes().iter().map(|route| route.index);
                    let closed = routes.filter(|route| invariant.forbids_route(*route));
                    tried.routes.extend(closed.map(|route| (route, role)));
                }
            }
        }
        tried
    }

    fn note_request(&mut self, bundle: &Bundle, request: &Request) {
        let judgement = request.examine(bundle);
        let unmet = matches!(judgement.outcome, Outcome::Deny(Denial::Network | Denial::Mfa));
        let held = if request.held.is_empty() { bundle.anonymous() } else { request.held };
        let (Some(route), Some(role), false) = (judgement.route, only(held), unmet) else { return };
        self.routes.insert((route.index, role));
        if let Some(role) = judgement.activation.and_then(|asked| only(asked.roles)) {
            self.permissions.insert((route.needs, role));
        }
    }
}

/// The one role of a set that has no other.
fn only(roles: RoleSet) -> Option<RoleId> {
    roles.iter().next().filter(|_| roles.count() == 1)
}

/// The role that a route listens to when somebody comes with `role`; nothing where it turns them
/// away, or where they can never meet its conditions.
fn asked(bundle: &Bundle, route: &Route, role: RoleId) -> Option<RoleId> {
    let heard = heard(bundle, route, Caller::holding(bundle, RoleSet::of(role)));
    heard.and_then(only).filter(|heard| can_be_there(bundle, route, *heard))
}

fn routes(bundle: &Bundle, tried: &Tried) -> Share {
    let with_roles = bundle.routes().iter().flat_map(|route| {
        let counts = |role: &RoleId| {
            let turned_away = heard(bundle, route, Caller::holding(bundle, RoleSet::of(*role)));
            turned_away.is_none() || asked(bundle, route, *role).is_some()
        };
        bundle.roles().filter(counts).map(move |role| {
            let what = format!("`{}` as `{}`", route.id, bundle.role_name(role));
            let missing = Missing { file: ROUTES_FILE, line: route.line, what };
            (tried.routes.contains(&(route.index, role)), missing)
        })
    });
    Share::of(with_roles)
}

fn permissions(bundle: &Bundle, tried: &Tried) -> Share {
    let everywhere = bundle.routes().iter().flat_map(|route| {
        bundle.roles().filter_map(|role| Some((route.needs, asked(bundle, route, role)?)))
    });
    let cells: BTreeSet<(PermissionId, RoleId)> = everywhere.collect();
    Share::of(cells.into_iter().map(|(permission, role)| {
        let (name, role_name) = (bundle.permission_name(permission), bundle.role_name(role));
        let what = format!("`{name}` as `{role_name}`");
        let line = bundle.permission_line(permission);
        let missing = Missing { file: ROUTES_FILE, line, what };
        (tried.permissions.contains(&(permission, role)), missing)
    }))
}

/// Takes each rule out and asks the cases that its permission matters to.
fn rules(bundle: &mut Bundle, cases: &[Case]) -> Share {
    let mut all = Vec::new();
    let permissions: Vec<PermissionId> = bundle.permissions().collect();
    for permission in permissions {
        let of_it = bundle.rules().iter().filter(|rule| rule.permission == permission);
        let of_it: Vec<Rule> = of_it.copied().collect();
        let concerned: Vec<&Case> =
            cases.iter().filter(|case| case.is_about(bundle, permission)).collect();
        let answers: Vec<_> = concerned.iter().map(|case| case.run(bundle)).collect();
        for rule in &of_it {
            let others: Vec<Rule> =
                of_it.iter().filter(|other| other.line != rule.line).copied().collect();
            bundle.suppose(permission, &others);
            let mut again = concerned.iter().zip(&answers);
            let felt = again.any(|(case, answer)| case.run(bundle) != *answer);
            let missing = Missing {
                file: POLICY_FILE,
                line: rule.line,
                what: format!("`{}`", row(bundle, rule)),
            };
            all.push((felt, missing));
        }
        bundle.suppose(permission, &of_it);
    }
    all.sort_by_key(|(_, missing)| missing.line);
    Share::of(all.into_iter())
}

impl Case {
    /// Whether its answer may depend on who is allowed `permission`.
    fn is_about(&self, bundle: &Bundle, permission: PermissionId) -> bool {
        match self.claim() {
            Claim::Request(request) => {
                request.examine(bundle).route.is_some_and(|route| route.needs == permission)
            }
            Claim::Invariant(invariant) => {
                let mut routes = bundle.routes().iter().filter(|route| route.needs == permission);
                invariant.forbids(permission)
                    || routes.any(|route| invariant.forbids_route(route.index))
            }
        }
    }
}

#[cfg(test)]
mod tests;
