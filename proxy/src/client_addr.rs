//! The client's address, as far as it can be known.

use std::fmt;
use std::net::IpAddr;

/// Where a request comes from. The unknown address is in no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAddr {
    Known(IpAddr),
    Unknown,
}

impl ClientAddr {
    /// An IPv4 address that arrived on an IPv6 socket is that IPv4 address.
    pub(crate) fn from_socket(address: Option<IpAddr>) -> Self {
        address.map_or(Self::Unknown, |address| Self::Known(address.to_canonical()))
    }

    pub(crate) fn known(self) -> Option<IpAddr> {
        match self {
            Self::Known(address) => Some(address),
            Self::Unknown => None,
        }
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(address) => address.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}
