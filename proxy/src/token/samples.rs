//! Principals for tests that do not care how they were believed.

use super::claims::Principal;

pub(crate) fn principal(roles: &[&str], max_role: Option<&str>) -> Principal {
    Principal::sample(roles, max_role)
}
