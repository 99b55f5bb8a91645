//! Routes that nobody can reach, or not everybody who is allowed on them.
//!
//! Single roles are enough to look at: a set of roles is allowed only where one of its members,
//! held alone, is allowed too.

use super::addresses::Addresses;
use super::{in_routes, names};
use crate::bundle::Bundle;
use crate::finding::{Code, Findings};
use crate::names::RoleId;
use crate::role_set::RoleSet;
use crate::route::{Auth, Route};

/// Notes every route that somebody cannot reach who seems meant to.
pub(super) fn note(bundle: &Bundle, findings: &mut Findings) {
    for route in bundle.routes().iter() {
        note_route(bundle, route, findings);
    }
}

fn note_route(bundle: &Bundle, route: &Route, findings: &mut Findings) {
    let (id, at) = (&route.id, in_routes(route.line));
    let needs = bundle.permission_name(route.needs);
    let allowed = allowed(bundle, route);
    if allowed.is_empty() {
        let who = if route.auth.reads_token() { "nobody" } else { "no caller without a token" };
        let message = format!("{who} is allowed `{needs}`, so nobody is admitted to `{id}`");
        let fix = "allow a role what it needs, or remove it";
        return findings.add(Code::NobodyAllowed, at, message, fix);
    }
    let reaching: RoleSet =
        allowed.iter().filter(|role| can_be_there(bundle, route, *role)).collect();
    let kept_out = allowed.without(reaching);
    if reaching.is_empty() {
        let roles = names(bundle.role_names(kept_out));
        let message = format!("{roles} cannot meet all conditions of `{id}`, and nobody else may");
        let fix = "let the route's network share addresses with that of a role";
        findings.add(Code::UnreachableRoute, at, message, fix);
    } else if !kept_out.is_empty() {
        let roles = names(bundle.role_names(kept_out));
        let message = format!("{roles} may, and cannot be where `{id}` answers");
        let fix = "let the route's network share addresses with that of the role";
        findings.add(Code::RoleKeptOut, at, message, fix);
    }
    if route.auth == Auth::Optional && !allowed.meets(bundle.anonymous()) {
        let message = format!("`anonymous` is not allowed `{needs}`, so `{id}` wants a token");
        let fix = "write `auth = \"required\"`, or allow `anonymous`";
        findings.add(Code::ClosedToVisitors, at, message, fix);
    }
}

/// The roles that a route listens to and that are allowed what it needs.
fn allowed(bundle: &Bundle, route: &Route) -> RoleSet {
    listens_to(bundle, route)
        .iter()
        .filter(|role| bundle.decide(RoleSet::of(*role), route.needs).is_some())
        .collect()
}

/// The roles that somebody may come with, as far as `auth` is concerned.
pub(crate) fn listens_to(bundle: &Bundle, route: &Route) -> RoleSet {
    match route.auth {
        Auth::None | Auth::Signature => bundle.anonymous(),
        Auth::Optional => bundle.roles().collect(),
        Auth::Required => bundle.roles().collect::<RoleSet>().without(bundle.anonymous()),
    }
}

/// Whether the conditions of a route and a role can be met at once.
pub(crate) fn can_be_there(bundle: &Bundle, route: &Route, role: RoleId) -> bool {
    let condition = bundle.condition(role);
    let addresses = |network| Addresses::of(bundle.networks(), network);
    addresses(route.network).meets(&addresses(condition.network))
}
