//! Guard: whoever holds a role with conditions is believed on fresh knowledge alone.
//!
//! Needs:   who asks, with the roles their token names.
//! Grants:  nothing.
//! Refuses: [`Reason::RevocationsUnavailable`], 503.
//! Fails:   closed. Where the core has not told its revocations for too long, a token of a role
//!          with conditions may be one that was revoked.

use stockade_policy::{Bundle, Condition};

use crate::asking::Asking;
use crate::rejection::{Reason, Rejection};
use crate::revocations::Revocations;
use crate::shared::Shared;

/// `now` is in microseconds of the steady clock.
pub(crate) fn check(
    edge: &Shared,
    bundle: &Bundle,
    asking: &Asking,
    now: u64,
) -> Result<(), Rejection> {
    check_against(&edge.revocations, bundle, asking, now)
}

fn check_against(
    revocations: &Revocations,
    bundle: &Bundle,
    asking: &Asking,
    now: u64,
) -> Result<(), Rejection> {
    let has_condition = |role| bundle.condition(role) != Condition::default();
    if revocations.are_stale(now) && asking.held().iter().any(has_condition) {
        return Err(Rejection::new(Reason::RevocationsUnavailable));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_addr::ClientAddr;
    use crate::guards::authenticate::Caller;
    use crate::samples;
    use crate::token::CacheOutcome;
    use crate::token::samples::principal;

    #[track_caller]
    fn check_roles(revocations: &Revocations, roles: &[&str], expected: Result<(), Reason>) {
        let policy = samples::policy();
        let principal = principal(roles, None).into();
        let caller = Caller::Known { principal, cached: CacheOutcome::Hit };
        let asking = Asking::settle(&policy.bundle, caller, ClientAddr::Unknown, 1);
        let found = check_against(revocations, &policy.bundle, &asking, 1);
        assert_eq!(found.map_err(|rejection| rejection.reason), expected);
    }

    #[test]
    fn without_fresh_revocations_roles_with_conditions_are_refused() {
        let unheard = Revocations::to_follow();
        check_roles(&unheard, &["customer"], Ok(()));
        check_roles(&unheard, &["admin"], Err(Reason::RevocationsUnavailable));
        check_roles(&unheard, &["customer", "admin"], Err(Reason::RevocationsUnavailable));
        check_roles(&Revocations::none(), &["admin"], Ok(()));
    }
}
