//! Which of somebody's roles count, here and now.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;

use crate::names::{NetworkId, RoleId};
use crate::network::Networks;
use crate::role_set::RoleSet;

/// Where a caller is who is nowhere in particular: an address for documents (RFC 5737).
pub const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// What is known of a caller besides their roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Circumstances {
    /// The client's address; one that is not known is in no network.
    pub from: Option<IpAddr>,
    /// How long ago the caller proved a second factor, in seconds; nothing where they did not.
    pub mfa_age_secs: Option<u64>,
}

/// What a role asks of whoever holds it (a line of `[roles]`). By default, nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Condition {
    /// The network it is kept to.
    pub network: Option<NetworkId>,
    /// How old the second factor may be, in seconds.
    pub mfa_secs: Option<NonZeroU32>,
    /// The line of `routes.toml`; 0 for a role without conditions.
    pub line: u32,
}

/// A condition that is not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmet {
    /// The caller is not in this network.
    Network(NetworkId),
    /// The second factor is missing, or older than this many seconds.
    Mfa(NonZeroU32),
}

/// Which of the roles somebody holds count, here and now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activation {
    /// The roles that count.
    pub roles: RoleSet,
    /// The roles that do not, each once. Empty, and then not allocated, for most callers.
    pub inactive: Vec<InactiveRole>,
}

/// A role that does not count here and now, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InactiveRole {
    /// The role.
    pub role: RoleId,
    /// The first of its conditions that is not met.
    pub unmet: Unmet,
}

impl Activation {
    pub(crate) fn leave_out(&mut self, inactive: InactiveRole) {
        if !self.inactive.contains(&inactive) {
            self.inactive.push(inactive);
        }
    }
}

impl Condition {
    /// What is not met, the network first: nobody is asked for a second factor that would not
    /// help them.
    pub(crate) fn unmet(&self, networks: &Networks, at: &Circumstances) -> Option<Unmet> {
        unmet(self.network, self.mfa_secs, networks, at)
    }
}

/// What of a network and a second factor's age is not met.
pub(crate) fn unmet(
    network: Option<NetworkId>,
    mfa_secs: Option<NonZeroU32>,
    networks: &Networks,
    at: &Circumstances,
) -> Option<Unmet> {
    let outside = network.filter(|network| !networks.holds(*network, at.from));
    let fresh = |max: NonZeroU32| at.mfa_age_secs.is_some_and(|age| age <= u64::from(max.get()));
    outside.map(Unmet::Network).or_else(|| mfa_secs.filter(|max| !fresh(*max)).map(Unmet::Mfa))
}
