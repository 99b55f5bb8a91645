//! Commands about bans.

use ipnetwork::IpNetwork;
use stockade_contract::control::{Answer, BanEntry};

use crate::bans::{Ban, Bans};
use crate::clock;

/// Longest ban, in seconds: a year.
const BAN_SECS_MAX: u64 = 365 * 24 * 3600;

pub(super) fn list(bans: &Bans) -> Answer {
    let entry = |ban: Ban| BanEntry { network: ban.network.to_string(), until: ban.until };
    Answer::Bans { bans: bans.list().into_iter().map(entry).collect() }
}

pub(super) fn ban(bans: &Bans, network: &str, secs: u64, uid: u32) -> Answer {
    let network = match parse(network) {
        Ok(network) => network,
        Err(message) => return Answer::Refused { message },
    };
    if secs == 0 || secs > BAN_SECS_MAX {
        let message = format!("a ban lasts from 1 to {BAN_SECS_MAX} seconds");
        return Answer::Refused { message };
    }
    match bans.ban(Ban { network, until: clock::unix_secs() + secs }) {
        Ok(()) => {
            tracing::warn!(by.uid = uid, %network, secs, "a network is banned");
            Answer::Done { message: format!("{network} is banned for {secs} s") }
        }
        Err(error) => Answer::Refused { message: error.to_string() },
    }
}

pub(super) fn unban(bans: &Bans, network: &str, uid: u32) -> Answer {
    let network = match parse(network) {
        Ok(network) => network,
        Err(message) => return Answer::Refused { message },
    };
    match bans.unban(network) {
        Ok(true) => {
            tracing::warn!(by.uid = uid, %network, "a ban is lifted");
            Answer::Done { message: format!("{network} is no longer banned") }
        }
        Ok(false) => Answer::Refused { message: format!("{network} was not banned") },
        Err(error) => Answer::Refused { message: error.to_string() },
    }
}

/// A network whose address has no bits beyond its prefix.
fn parse(text: &str) -> Result<IpNetwork, String> {
    let network: IpNetwork =
        text.parse().map_err(|_| format!("`{text:.64}` is neither an address nor a network"))?;
    if network.network() == network.ip() {
        return Ok(network);
    }
    let (whole, prefix) = (network.network(), network.prefix());
    Err(format!("`{text}` has host bits; did you mean {whole}/{prefix}?"))
}
