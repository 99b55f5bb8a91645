//! Guard: a banned address gets nothing.
//!
//! Needs:   the client's address.
//! Grants:  nothing.
//! Refuses: [`Reason::Banned`], 403.
//! Fails:   closed for what it knows: bans are in memory, and a change that cannot be kept is
//!          refused to whoever asked for it. An unknown address cannot be banned; it is in no
//!          network and shares one quota with all others.

use crate::bans::Bans;
use crate::client_addr::ClientAddr;
use crate::rejection::{Reason, Rejection};

pub(crate) fn check(bans: &Bans, client: ClientAddr, now: u64) -> Result<(), Rejection> {
    match client.known() {
        Some(address) if bans.holds(address, now) => Err(Rejection::new(Reason::Banned)),
        Some(_) | None => Ok(()),
    }
}
