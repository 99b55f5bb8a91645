//! The client's address, as far as it can be known.
//!
//! From the socket; or, where the socket's peer is a trusted proxy, from the forwarded header,
//! walked from its right end over trusted proxies to the first address that is not one. A trusted
//! proxy that says nothing usable leaves the address unknown, which is in no network.

mod forwarded;

use std::fmt::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr};

use http::HeaderMap;
use ipnetwork::IpNetwork;
use stockade_settings::ForwardedHeader;

/// Where a request comes from.
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
            Self::Known(IpAddr::V4(address)) => write_v4(*address, f),
            Self::Known(IpAddr::V6(address)) => address.fmt(f),
            Self::Unknown => f.write_str("unknown"),
        }
    }
}

/// Dotted decimal, without the standard library's care for padding: every request pays for it.
fn write_v4(address: Ipv4Addr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (at, octet) in address.octets().into_iter().enumerate() {
        if at > 0 {
            f.write_char('.')?;
        }
        for (unit, least) in [(100, 100), (10, 10), (1, 0)] {
            if octet >= least {
                f.write_char(char::from(b'0' + octet / unit % 10))?;
            }
        }
    }
    Ok(())
}

/// The proxies in front of the edge whose word about the client is taken.
#[derive(Debug)]
pub(crate) struct TrustedProxies {
    networks: Vec<IpNetwork>,
    header: ForwardedHeader,
}

impl TrustedProxies {
    pub(crate) fn new(networks: Vec<IpNetwork>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    pub(crate) fn networks(&self) -> &[IpNetwork] {
        &self.networks
    }

    /// Who the request comes from, given the socket's peer.
    pub(crate) fn client(&self, peer: ClientAddr, headers: &HeaderMap) -> ClientAddr {
        match peer {
            ClientAddr::Known(address) if self.holds(address) => self.behind(headers),
            ClientAddr::Known(_) | ClientAddr::Unknown => peer,
        }
    }

    fn behind(&self, headers: &HeaderMap) -> ClientAddr {
        let Some(hops) = forwarded::hops(self.header, headers) else { return ClientAddr::Unknown };
        for hop in hops.into_iter().rev() {
            match hop {
                Some(address) if self.holds(address) => {}
                Some(address) => return ClientAddr::Known(address),
                None => return ClientAddr::Unknown,
            }
        }
        ClientAddr::Unknown
    }

    fn holds(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[track_caller]
    fn check(header: ForwardedHeader, peer: &str, values: &[&str], expected: &str) {
        let networks = vec!["10.0.0.0/8".parse().unwrap(), "2001:db8:ffff::/48".parse().unwrap()];
        let name = match header {
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
            ForwardedHeader::Forwarded => "forwarded",
        };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let peer = ClientAddr::from_socket(Some(peer.parse().unwrap()));
        let client = TrustedProxies::new(networks, header).client(peer, &headers);
        assert_eq!(client.to_string(), expected, "{values:?}");
    }

    fn xff(peer: &str, values: &[&str], expected: &str) {
        check(ForwardedHeader::XForwardedFor, peer, values, expected);
    }

    #[test]
    fn a_peer_that_is_no_proxy_is_the_client_whatever_it_says() {
        xff("192.0.2.1", &["198.51.100.1"], "192.0.2.1");
        xff("::ffff:192.0.2.1", &[], "192.0.2.1");
    }

    #[test]
    fn the_chain_is_walked_from_its_right_end() {
        xff("10.0.0.1", &["198.51.100.1"], "198.51.100.1");
        xff("10.0.0.1", &["6.6.6.6, 198.51.100.1, 10.0.0.2"], "198.51.100.1");
        xff("10.0.0.1", &["6.6.6.6", "198.51.100.1"], "198.51.100.1");
        xff("10.0.0.1", &["198.51.100.1:4711"], "198.51.100.1");
        xff("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1");
        xff("2001:db8:ffff::1", &["2001:db8::1"], "2001:db8::1");
    }

    #[test]
    fn a_proxy_without_a_usable_chain_leaves_the_address_unknown() {
        xff("10.0.0.1", &[], "unknown");
        xff("10.0.0.1", &[""], "unknown");
        xff("10.0.0.1", &["10.0.0.3"], "unknown");
        xff("10.0.0.1", &["198.51.100.1, unknown"], "unknown");
        xff("10.0.0.1", &["198.51.100.1, 1.2.3"], "unknown");
        xff("10.0.0.1", &["198.51.100.1, 010.0.0.1"], "unknown");
        xff("10.0.0.1", &[&"9.9.9.9,".repeat(40)], "unknown");
    }

    #[test]
    fn the_forwarded_header_is_read_too() {
        let check = |values: &[&str], expected| {
            check(ForwardedHeader::Forwarded, "10.0.0.1", values, expected);
        };
        check(&["for=192.0.2.60;proto=http;by=203.0.113.43"], "192.0.2.60");
        check(&["for=6.6.6.6, For=\"[2001:db8:cafe::17]:4711\""], "2001:db8:cafe::17");
        check(&["for=192.0.2.43", "for=10.0.0.9"], "192.0.2.43");
        check(&["for=_hidden"], "unknown");
        check(&["proto=https"], "unknown");
        check(&["for=\"a,b\""], "unknown");
    }
}
