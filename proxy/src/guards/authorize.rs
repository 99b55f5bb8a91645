//! Guard: the policy grants what the route needs.
//!
//! Needs:   the matched route, the caller and the client's address.
//! Grants:  [`Permit`]: the permission, the scope, and the roles that were active.
//! Refuses: [`Reason::PermissionDenied`], 403, naming a condition where one was in the way.
//! Fails:   closed. An unknown role holds nothing; a role whose condition fails is inactive.

use stockade_policy::{Activation, Circumstances, PermissionId, Route, Scope};

use super::authenticate::Caller;
use crate::client_addr::ClientAddr;
use crate::live_policy::InForce;
use crate::rejection::{Reason, Rejection};

/// The role of a caller who shows no token.
const ANONYMOUS: &str = "anonymous";

/// Proof of an allow for this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Permit {
    permission: String,
    scope: Scope,
    roles: String,
}

impl Permit {
    pub(crate) fn permission(&self) -> &str {
        &self.permission
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// The active roles, separated by one space.
    pub(crate) fn roles(&self) -> &str {
        &self.roles
    }
}

pub(crate) fn check(
    policy: &InForce,
    route: &Route,
    caller: &Caller,
    client: ClientAddr,
) -> Result<Permit, Rejection> {
    let bundle = &policy.bundle;
    let at = Circumstances { from: client.known(), mfa_age_secs: None };
    let activation = match caller {
        Caller::Anonymous => bundle.activate([ANONYMOUS], &at),
        Caller::Known { principal, .. } => {
            // An issuer that is bounded by a role holds nothing above it.
            let within = |role: &&str| {
                principal.max_role().is_none_or(|max_role| bundle.is_within(role, max_role))
            };
            bundle.activate(principal.roles().filter(within), &at)
        }
    };
    let Some(scope) = bundle.decide(activation.roles, route.needs) else {
        return Err(refusal(policy, &activation, route.needs));
    };
    Ok(Permit {
        permission: bundle.permission_name(route.needs).to_owned(),
        scope,
        roles: role_text(policy, &activation),
    })
}

fn role_text(policy: &InForce, activation: &Activation) -> String {
    let mut text = String::new();
    for role in activation.roles.iter() {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(policy.bundle.role_name(role));
    }
    text
}

/// Where only a condition is in the way, says which, so that an honest caller can meet it.
fn refusal(policy: &InForce, activation: &Activation, needs: PermissionId) -> Rejection {
    match policy.bundle.in_the_way(activation, needs) {
        None => Rejection::new(Reason::PermissionDenied),
        Some(inactive) => {
            let role = policy.bundle.role_name(inactive.role);
            let detail = format!("the role `{role}` is not active from your network");
            Rejection::with_detail(Reason::NetworkNotAllowed, detail)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use crate::token::CacheOutcome;
    use crate::token::samples::principal;

    #[track_caller]
    fn check_caller(
        who: Option<(&[&str], Option<&str>)>,
        from: Option<&str>,
        route: &str,
        expected: Result<&str, Reason>,
    ) {
        let policy = samples::policy();
        let caller = match who {
            None => Caller::Anonymous,
            Some((roles, max_role)) => Caller::Known {
                principal: principal(roles, max_role).into(),
                cached: CacheOutcome::Miss,
            },
        };
        let client = ClientAddr::from_socket(from.map(|from| from.parse().unwrap()));
        let outcome = check(&policy, samples::route(&policy, route), &caller, client);
        let roles = outcome.as_ref().map(Permit::roles).map_err(|rejection| rejection.reason);
        assert_eq!(roles, expected);
    }

    const OFFICE: Option<&str> = Some("192.0.2.1");
    const ELSEWHERE: Option<&str> = Some("198.51.100.1");

    #[test]
    fn a_role_that_may_is_admitted() {
        check_caller(None, ELSEWHERE, "look", Ok("anonymous"));
        check_caller(Some((&["customer"], None)), ELSEWHERE, "look", Ok("customer"));
        check_caller(Some((&["admin"], None)), OFFICE, "change", Ok("admin"));
    }

    #[test]
    fn a_role_that_may_not_is_refused() {
        let denied = Err(Reason::PermissionDenied);
        check_caller(None, OFFICE, "change", denied);
        check_caller(Some((&["customer"], None)), OFFICE, "change", denied);
        check_caller(Some((&["unheard-of"], None)), OFFICE, "look", denied);
        check_caller(Some((&[], None)), OFFICE, "look", denied);
    }

    #[test]
    fn a_condition_in_the_way_is_named_and_nothing_inherited_counts() {
        let network = Err(Reason::NetworkNotAllowed);
        check_caller(Some((&["admin"], None)), ELSEWHERE, "change", network);
        check_caller(Some((&["admin"], None)), None, "change", network);
        check_caller(Some((&["admin"], None)), ELSEWHERE, "look", network);
        check_caller(Some((&["admin", "customer"], None)), ELSEWHERE, "look", Ok("customer"));
    }

    #[test]
    fn a_bounded_issuer_holds_nothing_above_its_bound() {
        let denied = Err(Reason::PermissionDenied);
        check_caller(Some((&["admin"], Some("customer"))), OFFICE, "change", denied);
        check_caller(Some((&["customer"], Some("customer"))), OFFICE, "look", Ok("customer"));
        check_caller(Some((&["customer"], Some("unheard-of"))), OFFICE, "look", denied);
    }
}
