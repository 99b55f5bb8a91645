//! The edge's judgement of one request, as far as the policy alone settles it.
//!
//! Cases and the matrix ask this; it says what a caller gets, in the order in which the edge
//! asks: route, network, token, roles.

use std::fmt;
use std::net::IpAddr;

use crate::bundle::Bundle;
use crate::role_set::RoleSet;
use crate::route::{Auth, Route};
use crate::route_table::RouteMatch;
use crate::table::Scope;

/// What a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is admitted, with this scope.
    Allow(Scope),
    /// It is refused.
    Deny(Denial),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Denial {
    /// The caller's roles do not allow it.
    Role,
    /// The caller is not in the network of the route, or of a role that would allow it.
    Network,
    /// No route has this path.
    Route,
    /// The path is known, the method is not one of its own.
    Method,
    /// The route wants a token and the caller shows none.
    Token,
}

impl Denial {
    /// The word in a case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Network => "network",
            Self::Route => "route",
            Self::Method => "method",
            Self::Token => "token",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allow(scope) => f.write_str(scope.as_str()),
            Self::Deny(denial) => write!(f, "{{deny: {}}}", denial.as_str()),
        }
    }
}

/// Judges a request of somebody who holds these roles. Nobody's token holds only `anonymous`.
pub(crate) fn judge(
    bundle: &Bundle,
    held: RoleSet,
    from: Option<IpAddr>,
    request: (&str, &str),
) -> Outcome {
    let (method, path) = request;
    let route = match bundle.routes().find(method, path) {
        RouteMatch::Found(route) => route,
        RouteMatch::MethodNotAllowed { .. } => return Outcome::Deny(Denial::Method),
        RouteMatch::NotFound => return Outcome::Deny(Denial::Route),
    };
    if route.network.is_some_and(|network| !bundle.networks().holds(network, from)) {
        return Outcome::Deny(Denial::Network);
    }
    let Some(held) = heard(bundle, route, held) else { return Outcome::Deny(Denial::Token) };
    let activation = bundle.activate_roles(held.iter(), from);
    match bundle.decide(activation.roles, route.needs) {
        Some(scope) => Outcome::Allow(scope),
        None if bundle.decide(activation.with_all_met(), route.needs).is_some() => {
            Outcome::Deny(Denial::Network)
        }
        None => Outcome::Deny(Denial::Role),
    }
}

/// The roles a route listens to; nothing where it wants a token and there is none.
pub(crate) fn heard(bundle: &Bundle, route: &Route, held: RoleSet) -> Option<RoleSet> {
    let anonymous = bundle.anonymous();
    let tokenless = held.is_empty() || held == anonymous;
    match route.auth {
        Auth::None | Auth::Signature => Some(anonymous),
        Auth::Optional if tokenless => Some(anonymous),
        Auth::Required if tokenless => None,
        Auth::Optional | Auth::Required => Some(held),
    }
}
