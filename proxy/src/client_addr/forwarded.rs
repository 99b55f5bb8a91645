//! The hops that a forwarded header names, leftmost first.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, header};
use stockade_settings::ForwardedHeader;

/// Most hops looked at; a longer chain is not usable.
const HOPS_MAX: usize = 32;

/// Every hop's address, `None` for one that names none; `None` where there is no usable chain.
pub(super) fn hops(which: ForwardedHeader, headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let name = match which {
        ForwardedHeader::XForwardedFor => header::HeaderName::from_static("x-forwarded-for"),
        ForwardedHeader::Forwarded => header::FORWARDED,
    };
    let mut hops = Vec::new();
    for value in headers.get_all(name) {
        for element in value.to_str().ok()?.split(',') {
            hops.push(match which {
                ForwardedHeader::XForwardedFor => address(element.trim()),
                ForwardedHeader::Forwarded => forwarded_for(element),
            });
        }
    }
    (!hops.is_empty() && hops.len() <= HOPS_MAX).then_some(hops)
}

/// The `for` parameter of one element (RFC 7239, 4). A quoted comma splits an element in two
/// that name nothing, which is as good as any hop that cannot be read.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let value = element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case("for").then_some(value)
    })?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    address(quoted.unwrap_or(value))
}

/// An address, bare or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bracketed = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = match bracketed {
        Some(v6) => IpAddr::V6(v6.parse().ok()?),
        None => text.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))?,
    };
    Some(address.to_canonical())
}
