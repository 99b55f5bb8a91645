//! Guard: a route that wants a fresh second factor answers nobody without one.
//!
//! Needs:   the matched route and what is known of the caller.
//! Grants:  nothing.
//! Refuses: [`Reason::MfaRequired`](crate::rejection::Reason::MfaRequired), 401, saying how old it
//!          may be (RFC 9470).
//! Fails:   closed. Without a token, without a method that proves it, or with a time of
//!          authentication in the future, there is no second factor.

use stockade_policy::{Circumstances, Route};

use crate::rejection::Rejection;

pub(crate) fn check(route: &Route, at: &Circumstances) -> Result<(), Rejection> {
    let Some(max_age) = route.mfa_secs else { return Ok(()) };
    match at.mfa_age_secs {
        Some(age) if age <= u64::from(max_age.get()) => Ok(()),
        Some(_) | None => Err(Rejection::mfa_required(max_age)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rejection::Reason;
    use crate::samples;

    #[track_caller]
    fn check_age(route: &str, mfa_age_secs: Option<u64>, expected: Result<(), Reason>) {
        let policy = samples::policy();
        let at = Circumstances { from: None, mfa_age_secs };
        let outcome = check(samples::route(&policy, route), &at);
        assert_eq!(outcome.map_err(|rejection| rejection.reason), expected);
    }

    #[test]
    fn a_fresh_second_factor_is_admitted_and_an_old_one_or_none_refused() {
        check_age("stepped", Some(300), Ok(()));
        check_age("stepped", Some(301), Err(Reason::MfaRequired));
        check_age("stepped", None, Err(Reason::MfaRequired));
        check_age("look", None, Ok(()));
    }
}
