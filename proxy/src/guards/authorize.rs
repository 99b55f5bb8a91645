//! Guard: the policy grants what the route needs.
//!
//! Needs:   the matched route and who asks, with the roles that are active.
//! Grants:  [`Permit`]: the permission, the scope, and the roles that were active.
//! Refuses: [`Reason::PermissionDenied`], 403; where only a condition is in the way,
//!          [`Reason::NetworkNotAllowed`], 403, or [`Reason::MfaRequired`], 401.
//! Fails:   closed. An unknown role holds nothing; a role whose condition fails is inactive.

use stockade_policy::{Activation, Bundle, PermissionId, RoleSet, Route, Scope, Unmet};

use crate::asking::Asking;
use crate::rejection::{Reason, Rejection};

/// Proof of an allow for this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permit {
    permission: PermissionId,
    scope: Scope,
    roles: RoleSet,
}

impl Permit {
    pub(crate) fn permission(&self) -> PermissionId {
        self.permission
    }

    pub(crate) fn scope(&self) -> Scope {
        self.scope
    }

    /// The roles that were active.
    pub(crate) fn roles(&self) -> RoleSet {
        self.roles
    }
}

pub(crate) fn check(bundle: &Bundle, route: &Route, asking: &Asking) -> Result<Permit, Rejection> {
    let roles = asking.activation.roles;
    match bundle.decide(roles, route.needs) {
        Some(scope) => Ok(Permit { permission: route.needs, scope, roles }),
        None => Err(refusal(bundle, &asking.activation, route.needs)),
    }
}

/// Where only a condition is in the way, says which, so that an honest caller can meet it.
fn refusal(bundle: &Bundle, activation: &Activation, needs: PermissionId) -> Rejection {
    let Some(inactive) = bundle.in_the_way(activation, needs) else {
        return Rejection::new(Reason::PermissionDenied);
    };
    let role = bundle.role_name(inactive.role);
    match inactive.unmet {
        Unmet::Network(_) => {
            let detail = format!("the role `{role}` is not active from your network");
            Rejection::with_detail(Reason::NetworkNotAllowed, detail)
        }
        Unmet::Mfa(max_age) => {
            let detail = format!(
                "the role `{role}` wants a second factor that is at most {max_age} s old; log in again with one"
            );
            Rejection { detail: Some(detail), ..Rejection::mfa_required(max_age) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_addr::ClientAddr;
    use crate::guards::authenticate::Caller;
    use crate::live_policy::InForce;
    use crate::samples;
    use crate::token::CacheOutcome;
    use crate::token::samples::{principal, principal_with_mfa};

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
        check_asking(&policy, caller, from, route, expected);
    }

    #[track_caller]
    fn check_asking(
        policy: &InForce,
        caller: Caller,
        from: Option<&str>,
        route: &str,
        expected: Result<&str, Reason>,
    ) {
        let client = ClientAddr::from_socket(from.map(|from| from.parse().unwrap()));
        let asking = Asking::settle(&policy.bundle, caller, client, NOW);
        let outcome = check(&policy.bundle, samples::route(policy, route), &asking);
        let names =
            |permit: Permit| policy.bundle.role_names(permit.roles()).collect::<Vec<_>>().join(" ");
        let roles = outcome.map(names).map_err(|rejection| rejection.reason);
        assert_eq!(roles.as_deref().map_err(|reason| *reason), expected);
    }

    #[track_caller]
    fn check_mfa(mfa_at: u64, expected: Result<&str, Reason>) {
        let policy = samples::policy();
        let principal = principal_with_mfa(&["auditor"], mfa_at).into();
        let caller = Caller::Known { principal, cached: CacheOutcome::Miss };
        check_asking(&policy, caller, ELSEWHERE, "change", expected);
    }

    const NOW: u64 = 1_000_000;
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
    fn a_second_factor_counts_while_it_is_fresh() {
        check_mfa(NOW, Ok("auditor"));
        check_mfa(NOW - 3600, Ok("auditor"));
        check_mfa(NOW - 3601, Err(Reason::MfaRequired));
        check_mfa(NOW + 3, Ok("auditor"));
        check_mfa(NOW + 60, Err(Reason::MfaRequired));
        check_caller(Some((&["auditor"], None)), OFFICE, "change", Err(Reason::MfaRequired));
    }

    #[test]
    fn a_bounded_issuer_holds_nothing_above_its_bound() {
        let denied = Err(Reason::PermissionDenied);
        check_caller(Some((&["admin"], Some("customer"))), OFFICE, "change", denied);
        check_caller(Some((&["customer"], Some("customer"))), OFFICE, "look", Ok("customer"));
        check_caller(Some((&["customer"], Some("unheard-of"))), OFFICE, "look", denied);
    }
}
