//! Who asks, once that is settled: the caller, what is known of them, and which roles count.

use stockade_policy::{Activation, Bundle, Circumstances, RoleSet};

use crate::client_addr::ClientAddr;
use crate::guards::authenticate::Caller;
use crate::token::Principal;

/// The role of a caller who shows no token.
const ANONYMOUS: &str = "anonymous";

/// A caller under one bundle, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) caller: Caller,
    pub(crate) at: Circumstances,
    pub(crate) activation: Activation,
}

impl Asking {
    /// Settles which of the caller's roles count. A name that is no role of the bundle holds
    /// nothing. `now` is in seconds since 1970 UTC.
    pub(crate) fn settle(bundle: &Bundle, caller: Caller, client: ClientAddr, now: u64) -> Self {
        let mfa_age_secs = caller.principal().and_then(|principal| principal.mfa_age_secs(now));
        let at = Circumstances { from: client.known(), mfa_age_secs };
        let activation = match caller.principal() {
            None => bundle.activate([ANONYMOUS], &at),
            Some(principal) => bundle.activate(names(bundle, principal), &at),
        };
        Self { caller, at, activation }
    }

    /// The roles the caller holds, active or not.
    pub(crate) fn held(&self) -> RoleSet {
        let inactive = self.activation.inactive.iter();
        inactive.fold(self.activation.roles, |roles, inactive| roles.with(inactive.role))
    }
}

/// The roles a token names. An issuer that is bounded by a role gives nothing above it.
pub(crate) fn names<'a>(
    bundle: &'a Bundle,
    principal: &'a Principal,
) -> impl Iterator<Item = &'a str> {
    principal
        .roles()
        .filter(|role| principal.max_role().is_none_or(|max_role| bundle.is_within(role, max_role)))
}
