//! The edge's judgement of one request, as far as the policy alone settles it.
//!
//! Cases, the matrix, the shadow decision, explanations and replays all ask this. It says what a
//! caller gets, in the order in which the edge asks: route, token, conditions of the route, roles.

use std::fmt;

use crate::activation::{Activation, Circumstances, InactiveRole, Unmet, unmet};
use crate::bundle::Bundle;
use crate::names::PermissionId;
use crate::role_set::RoleSet;
use crate::route::{Auth, Route};
use crate::route_table::RouteMatch;
use crate::table::Scope;

/// Who asks, as far as a token tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Nobody's token was shown.
    Anonymous,
    /// A good token was shown; these are its roles, perhaps none.
    Known(RoleSet),
}

/// Who asks, and from where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// Who asks.
    pub caller: Caller,
    /// What else is known of them.
    pub at: Circumstances,
}

impl Caller {
    /// Somebody who holds these roles. No role, or `anonymous` alone, is held without a token.
    pub fn holding(bundle: &Bundle, roles: RoleSet) -> Self {
        if roles.is_empty() || roles == bundle.anonymous() {
            Self::Anonymous
        } else {
            Self::Known(roles)
        }
    }
}

/// What a request gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It is admitted, with this scope.
    Allow(Scope),
    /// It is refused.
    Deny(Denial),
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Denial {
    /// The caller's roles do not allow it.
    Role,
    /// The caller is not in the network of the route, or of a role that would allow it.
    Network,
    /// The route, or a role that would allow it, wants a second factor or a fresher one.
    Mfa,
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
            Self::Mfa => "mfa",
            Self::Route => "route",
            Self::Method => "method",
            Self::Token => "token",
        }
    }
}

impl From<Unmet> for Denial {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::Network(_) => Self::Network,
            Unmet::Mfa(_) => Self::Mfa,
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

/// What a request gets, and how it came to that.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Judgement<'b> {
    /// What it gets.
    pub outcome: Outcome,
    /// The route that answers; nothing where none does.
    pub route: Option<&'b Route>,
    /// The roles that were asked; nothing where it did not come to that.
    pub activation: Option<Activation>,
    /// The role whose condition alone stands in the way.
    pub in_the_way: Option<InactiveRole>,
}

impl<'b> Judgement<'b> {
    /// A refusal that no role was asked for.
    fn refused(route: Option<&'b Route>, denial: Denial) -> Self {
        Self { outcome: Outcome::Deny(denial), route, activation: None, in_the_way: None }
    }
}

impl Bundle {
    /// What a request gets. The path is canonical, as for [`RouteTable::find`].
    ///
    /// [`RouteTable::find`]: crate::RouteTable::find
    pub fn judge(&self, asker: &Asker, method: &str, path: &str) -> Outcome {
        self.examine(asker, method, path).outcome
    }

    /// The same, with how it came to that.
    pub fn examine(&self, asker: &Asker, method: &str, path: &str) -> Judgement<'_> {
        match self.routes().find(method, path) {
            RouteMatch::Found(route) => self.examine_on(route, asker),
            RouteMatch::MethodNotAllowed { .. } => Judgement::refused(None, Denial::Method),
            RouteMatch::NotFound => Judgement::refused(None, Denial::Route),
        }
    }

    /// The same for a request that this route of the bundle answers.
    pub(crate) fn examine_on<'b>(&'b self, route: &'b Route, asker: &Asker) -> Judgement<'b> {
        let Some(held) = heard(self, route, asker.caller) else {
            return Judgement::refused(Some(route), Denial::Token);
        };
        if let Some(unmet) = unmet(route.network, route.mfa_secs, self.networks(), &asker.at) {
            return Judgement::refused(Some(route), unmet.into());
        }
        let activation = self.activate_roles(held.iter(), &asker.at);
        let granted = self.decide(activation.roles, route.needs);
        let in_the_way = match granted {
            Some(_) => None,
            None => self.in_the_way(&activation, route.needs),
        };
        let denial = in_the_way.map_or(Denial::Role, |inactive| inactive.unmet.into());
        Judgement {
            outcome: granted.map_or(Outcome::Deny(denial), Outcome::Allow),
            route: Some(route),
            activation: Some(activation),
            in_the_way,
        }
    }

    /// The inactive role with which `needs` would be allowed. One that only lacks a second factor
    /// comes first: its holder can mend that at once.
    pub fn in_the_way(&self, activation: &Activation, needs: PermissionId) -> Option<InactiveRole> {
        let would_do = |inactive: &&InactiveRole| {
            self.decide(activation.roles.with(inactive.role), needs).is_some()
        };
        let lacks_mfa = |inactive: &&InactiveRole| matches!(inactive.unmet, Unmet::Mfa(_));
        let inactive = activation.inactive.iter();
        let mut mfa = inactive.clone().filter(lacks_mfa).filter(would_do);
        mfa.next().or_else(|| inactive.clone().find(would_do)).copied()
    }
}

/// The roles a route listens to; nothing where it wants a token and there is none.
pub(crate) fn heard(bundle: &Bundle, route: &Route, caller: Caller) -> Option<RoleSet> {
    match (route.auth, caller) {
        (Auth::None | Auth::Signature, _) | (Auth::Optional, Caller::Anonymous) => {
            Some(bundle.anonymous())
        }
        (Auth::Required, Caller::Anonymous) => None,
        (Auth::Optional | Auth::Required, Caller::Known(held)) => Some(held),
    }
}
