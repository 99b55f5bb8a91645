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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bans::Ban;

    #[test]
    fn a_banned_address_is_refused_until_its_time_is_up_and_others_are_not() {
        let bans = Bans::load(None, Vec::new()).unwrap();
        let until = u64::MAX;
        bans.ban(Ban { network: "192.0.2.1/32".parse().unwrap(), until }).unwrap();
        let from = |text: &str| ClientAddr::from_socket(Some(text.parse().unwrap()));
        let banned = check(&bans, from("192.0.2.1"), 1).unwrap_err();
        assert_eq!(banned.reason, Reason::Banned);
        assert!(check(&bans, from("::ffff:192.0.2.1"), 1).is_err());
        assert!(check(&bans, from("192.0.2.2"), 1).is_ok());
        assert!(check(&bans, ClientAddr::Unknown, 1).is_ok());
        assert!(check(&bans, from("192.0.2.1"), until).is_ok());
    }
}
