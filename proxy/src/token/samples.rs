//! Principals for tests that do not care how they were believed.

use super::claims::Principal;

pub(crate) fn principal(roles: &[&str], max_role: Option<&str>) -> Principal {
    Principal::sample(roles, max_role, None)
}

/// One whose second factor was proven at this second since 1970 UTC.
pub(crate) fn principal_with_mfa(roles: &[&str], mfa_at: u64) -> Principal {
    Principal::sample(roles, None, Some(mfa_at))
}

/// One of this account and session, whose token was issued at this second since 1970 UTC.
pub(crate) fn principal_of(subject: &str, session: &str, issued_at: u64) -> Principal {
    Principal::sample_of(subject, session, issued_at)
}
