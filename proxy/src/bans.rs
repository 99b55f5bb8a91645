//! Addresses that are refused everything, by command, until their time is up.
//!
//! Bans survive a restart: they are kept in a file of the edge's own. Trusted proxies and the
//! addresses of `edge.never_ban` cannot be banned.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use ipnetwork::IpNetwork;
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::config::overlap;

/// Bans kept at once.
const BANS_MAX: usize = 1_000;

/// One ban.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ban {
    /// Who is banned.
    pub(crate) network: IpNetwork,
    /// Until when, in seconds since 1970 UTC.
    pub(crate) until: u64,
}

/// Why a ban was not set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BanError {
    /// It would shut out somebody who must never be.
    #[error("{0} overlaps `edge.trusted_proxies` or `edge.never_ban`, which are never banned")]
    Protected(IpNetwork),
    /// There are too many.
    #[error("there are {BANS_MAX} bans already; lift some first")]
    Full,
    /// It could not be kept.
    #[error("cannot write `{}`: {source}", .path.display())]
    NotKept {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The bans in force.
#[derive(Debug)]
pub(crate) struct Bans {
    in_force: ArcSwap<Vec<Ban>>,
    file: Option<PathBuf>,
    protected: Vec<IpNetwork>,
    changing: Mutex<()>,
}

impl Bans {
    /// Takes up the bans of an earlier run.
    ///
    /// # Errors
    /// When the file is there and cannot be read as it was written.
    pub(crate) fn load(file: Option<PathBuf>, protected: Vec<IpNetwork>) -> io::Result<Self> {
        let bans = match file.as_deref().map(fs::read) {
            Some(Ok(bytes)) => serde_json::from_slice(&bytes)?,
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Some(Err(_)) | None => Vec::new(),
        };
        let in_force = ArcSwap::from_pointee(bans);
        Ok(Self { in_force, file, protected, changing: Mutex::default() })
    }

    /// Whether an address is banned at `now`, in seconds since 1970 UTC.
    pub(crate) fn holds(&self, address: IpAddr, now: u64) -> bool {
        let bans = self.in_force.load();
        bans.iter().any(|ban| ban.until > now && ban.network.contains(address))
    }

    /// The bans whose time is not up.
    pub(crate) fn list(&self) -> Vec<Ban> {
        let now = clock::unix_secs();
        self.in_force.load().iter().filter(|ban| ban.until > now).cloned().collect()
    }

    /// Bans a network; an earlier ban of the same network is replaced.
    pub(crate) fn ban(&self, ban: Ban) -> Result<(), BanError> {
        if self.protected.iter().any(|network| overlap(network, &ban.network)) {
            return Err(BanError::Protected(ban.network));
        }
        self.change(|bans| {
            bans.retain(|old| old.network != ban.network);
            bans.push(ban);
        })
    }

    /// Lifts the ban of a network; whether there was one.
    pub(crate) fn unban(&self, network: IpNetwork) -> Result<bool, BanError> {
        let was_there = self.list().iter().any(|ban| ban.network == network);
        self.change(|bans| bans.retain(|ban| ban.network != network))?;
        Ok(was_there)
    }

    /// Kept first, in force then: what was answered as done survives a crash.
    fn change(&self, change: impl FnOnce(&mut Vec<Ban>)) -> Result<(), BanError> {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bans = self.list();
        change(&mut bans);
        if bans.len() > BANS_MAX {
            return Err(BanError::Full);
        }
        self.keep(&bans)?;
        self.in_force.store(Arc::new(bans));
        Ok(())
    }

    fn keep(&self, bans: &[Ban]) -> Result<(), BanError> {
        let Some(path) = &self.file else { return Ok(()) };
        let draft = path.with_extension("draft");
        let write = || {
            let mut options = OpenOptions::new();
            let mut file =
                options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
            file.write_all(&serde_json::to_vec(bans)?)?;
            file.sync_all()?;
            fs::rename(&draft, path)
        };
        write().map_err(|source| BanError::NotKept { path: path.clone(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ban(network: &str, until: u64) -> Ban {
        Ban { network: network.parse().unwrap(), until }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_ban_holds_until_its_time_is_up() {
        let bans = Bans::load(None, Vec::new()).unwrap();
        let until = clock::unix_secs() + 60;
        bans.ban(ban("192.0.2.0/24", until)).unwrap();
        assert!(bans.holds(ip("192.0.2.9"), until - 1));
        assert!(!bans.holds(ip("192.0.2.9"), until));
        assert!(!bans.holds(ip("192.0.3.9"), until - 1));
        assert!(bans.unban("192.0.2.0/24".parse().unwrap()).unwrap());
        assert!(!bans.holds(ip("192.0.2.9"), until - 1));
    }

    #[test]
    fn bans_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bans.json");
        let kept = ban("2001:db8::/64", clock::unix_secs() + 60);
        Bans::load(Some(file.clone()), Vec::new()).unwrap().ban(kept.clone()).unwrap();
        assert_eq!(Bans::load(Some(file.clone()), Vec::new()).unwrap().list(), [kept]);
        fs::write(&file, "not json").unwrap();
        assert!(Bans::load(Some(file), Vec::new()).is_err());
    }

    #[test]
    fn some_are_never_banned_and_a_ban_that_cannot_be_kept_is_not_set() {
        let bans = Bans::load(None, vec!["10.0.0.0/8".parse().unwrap()]).unwrap();
        assert!(matches!(bans.ban(ban("10.1.0.0/16", u64::MAX)), Err(BanError::Protected(_))));
        assert!(matches!(bans.ban(ban("0.0.0.0/0", u64::MAX)), Err(BanError::Protected(_))));
        let nowhere = Bans::load(Some("/nowhere/bans.json".into()), Vec::new()).unwrap();
        assert!(nowhere.ban(ban("192.0.2.1/32", u64::MAX)).is_err());
        assert!(nowhere.list().is_empty());
    }
}
