//! Guard: a route that names a network answers only from there.
//!
//! Needs:   the matched route and the client's address.
//! Grants:  nothing.
//! Refuses: [`Reason::NetworkNotAllowed`], 403.
//! Fails:   closed. An unknown address is in no network; an empty network holds nobody.

use stockade_policy::{Bundle, Route};

use crate::client_addr::ClientAddr;
use crate::rejection::{Reason, Rejection};

pub(crate) fn check(bundle: &Bundle, route: &Route, client: ClientAddr) -> Result<(), Rejection> {
    match route.network {
        None => Ok(()),
        Some(network) if bundle.networks().holds(network, client.known()) => Ok(()),
        Some(_) => Err(Rejection::new(Reason::NetworkNotAllowed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[track_caller]
    fn check_from(route: &str, from: Option<&str>, expected: Result<(), Reason>) {
        let policy = samples::policy();
        let client = ClientAddr::from_socket(from.map(|from| from.parse().unwrap()));
        let outcome = check(&policy.bundle, samples::route(&policy, route), client);
        assert_eq!(outcome.map_err(|rejection| rejection.reason), expected);
    }

    #[test]
    fn the_network_is_admitted_and_everybody_else_refused() {
        check_from("inside", Some("192.0.2.9"), Ok(()));
        check_from("inside", Some("::ffff:192.0.2.9"), Ok(()));
        check_from("inside", Some("192.0.3.9"), Err(Reason::NetworkNotAllowed));
        check_from("look", Some("192.0.3.9"), Ok(()));
    }

    #[test]
    fn an_unknown_address_and_an_empty_network_admit_nobody() {
        check_from("inside", None, Err(Reason::NetworkNotAllowed));
        check_from("never", Some("192.0.2.9"), Err(Reason::NetworkNotAllowed));
    }
}
