//! Invariants: what some roles have at most, with all conditions met.

use std::collections::BTreeSet;
use std::fmt;

use crate::bundle::Bundle;
use crate::files::POLICY_FILE;
use crate::judge::{Caller, heard};
use crate::names::{PermissionId, RouteId};
use crate::role_set::RoleSet;
use crate::route::Route;
use crate::rules::Effect;

/// A bound on what some roles have.
#[derive(Debug)]
pub(crate) struct Invariant {
    /// The roles; none is a caller without a token.
    pub(crate) held: RoleSet,
    /// Every permission they may have.
    pub(crate) only: Option<Bound<PermissionId>>,
    /// The permissions they must not have.
    pub(crate) never: Option<Bound<PermissionId>>,
    /// Every route that may admit them.
    pub(crate) only_routes: Option<Bound<RouteId>>,
}

/// Some permissions or routes, and how they were written.
#[derive(Debug)]
pub(crate) struct Bound<T> {
    pub(crate) items: BTreeSet<T>,
    pub(crate) written: Vec<String>,
}

impl Invariant {
    /// Every permission and route that breaks it, with the lines that allow it.
    pub(crate) fn breaches(&self, bundle: &Bundle) -> Vec<String> {
        let permissions = bundle.permissions().filter(|id| self.forbids(*id));
        let permissions = permissions.filter_map(|id| self.has(bundle, self.roles(bundle), id));
        let routes = bundle.routes().iter().filter(|route| self.forbids_route(route.index));
        let routes = routes.filter_map(|route| self.is_admitted(bundle, route));
        permissions.chain(routes).collect()
    }

    /// The roles that count.
    pub(crate) fn roles(&self, bundle: &Bundle) -> RoleSet {
        if self.held.is_empty() { bundle.anonymous() } else { self.held }
    }

    /// Whether it says that its roles do not have a permission.
    pub(crate) fn forbids(&self, permission: PermissionId) -> bool {
        let outside = self.only.as_ref().is_some_and(|only| !only.items.contains(&permission));
        outside || self.never.as_ref().is_some_and(|never| never.items.contains(&permission))
    }

    /// Whether it says that a route does not admit its roles.
    pub(crate) fn forbids_route(&self, route: RouteId) -> bool {
        self.only_routes.as_ref().is_some_and(|only| !only.items.contains(&route))
    }

    fn has(&self, bundle: &Bundle, roles: RoleSet, permission: PermissionId) -> Option<String> {
        let scope = bundle.decide(roles, permission)?;
        let name = bundle.permission_name(permission);
        Some(format!("{name} {scope} ({})", granting_lines(bundle, roles, permission)))
    }

    fn is_admitted(&self, bundle: &Bundle, route: &Route) -> Option<String> {
        let roles = heard(bundle, route, Caller::holding(bundle, self.held))?;
        let has = self.has(bundle, roles, route.needs)?;
        Some(format!("route {} by {has}", route.id))
    }
}

/// The lines of `policy.csv` that allow some of `roles` a permission.
fn granting_lines(bundle: &Bundle, roles: RoleSet, permission: PermissionId) -> String {
    let reach = roles.iter().fold(RoleSet::EMPTY, |all, role| all.union(bundle.reach(role)));
    let lines = bundle.rules().iter().filter(|rule| {
        rule.permission == permission && rule.effect == Effect::Allow && reach.contains(rule.role)
    });
    let lines: Vec<_> = lines.map(|rule| format!("{POLICY_FILE}:{}", rule.line)).collect();
    lines.join(", ")
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |written: &[String]| match written {
            [] => "nothing".to_owned(),
            some => some.join(", "),
        };
        let only = self.only.as_ref().map(|only| match only.written.as_slice() {
            [] => "nothing at all".to_owned(),
            some => format!("nothing but {}", list(some)),
        });
        let never = self.never.as_ref().map(|never| format!("none of {}", list(&never.written)));
        let routes = self.only_routes.as_ref().map(|routes| match routes.written.as_slice() {
            [] => "no route".to_owned(),
            some => format!("no route but {}", list(some)),
        });
        let parts: Vec<String> = [only, never, routes].into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}
