//! Which lines of a bundle are behind an outcome.

use crate::bundle::Bundle;
use crate::derivation::rules_about;
use crate::files::{POLICY_FILE, ROUTES_FILE};
use crate::judge::{Caller, Denial, Outcome, heard};
use crate::role_set::RoleSet;
use crate::roles::ANONYMOUS;
use crate::route::Route;
use crate::rules::Effect;

use super::Flip;

impl Flip {
    /// The lines of `bundle`, the one that judged, that say what is decided now, as `file:line`.
    /// Nothing where no line says it: a path without a route, or a caller without a fitting rule.
    pub fn causes(&self, bundle: &Bundle) -> Vec<String> {
        let Some(route) = self.route.and_then(|route| bundle.routes().get(route)) else {
            return Vec::new();
        };
        let caller = match self.roles.as_str() {
            ANONYMOUS => Caller::Anonymous,
            roles => Caller::Known(bundle.role_set(roles.split(' '))),
        };
        let held = heard(bundle, route, caller).unwrap_or_default();
        match self.after {
            Outcome::Allow(_) => rules(bundle, route, held, Effect::Allow),
            Outcome::Deny(Denial::Role) => rules(bundle, route, held, Effect::Deny),
            Outcome::Deny(Denial::Network) => {
                let of_roles = held.iter().map(|role| bundle.condition(role));
                let lines = of_roles.filter(|of| of.network.is_some()).map(|of| of.line);
                in_routes(route.network.map(|_| route.line).into_iter().chain(lines))
            }
            Outcome::Deny(Denial::Mfa) => {
                let of_roles = held.iter().map(|role| bundle.condition(role));
                let lines = of_roles.filter(|of| of.mfa_secs.is_some()).map(|of| of.line);
                in_routes(route.mfa_secs.map(|_| route.line).into_iter().chain(lines))
            }
            Outcome::Deny(Denial::Token | Denial::Method | Denial::Route) => {
                in_routes(std::iter::once(route.line))
            }
        }
    }
}

fn rules(bundle: &Bundle, route: &Route, held: RoleSet, effect: Effect) -> Vec<String> {
    let rules = rules_about(bundle, route.needs, effect, held);
    rules.map(|rule| format!("{POLICY_FILE}:{}", rule.line)).collect()
}

fn in_routes(lines: impl Iterator<Item = u32>) -> Vec<String> {
    lines.map(|line| format!("{ROUTES_FILE}:{line}")).collect()
}
