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
