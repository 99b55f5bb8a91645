//! Origins, exactly as browsers write them: an origin in any other clothes would never match.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name of a host.
const HOST_BYTES_MAX: usize = 253;
/// The longest label of a host's name.
const LABEL_BYTES_MAX: usize = 63;
/// Hosts that are this machine, and so may be called without TLS.
const LOCAL_HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Why a text is no exact origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OriginError {
    #[error("an origin is exact and has no `*`")]
    Wildcard,
    #[error("browsers write an origin in small letters")]
    Case,
    #[error("an origin begins with `https://`")]
    Scheme,
    #[error("an origin ends behind its host and port")]
    Tail,
    #[error("an origin names no user")]
    User,
    #[error("a port is a number from 1 to 65535")]
    Port,
    #[error("browsers leave out the port that belongs to the scheme")]
    OwnPort,
    #[error("the host is neither a name nor an address as browsers write it")]
    Host,
    #[error("`http` is for localhost, 127.0.0.1 and [::1] only")]
    Plaintext,
}

impl OriginError {
    /// What to do about it.
    pub(super) fn fix(self) -> &'static str {
        match self {
            Self::Wildcard => "list every origin by itself",
            Self::Case => "write it in small letters",
            Self::Scheme | Self::Host => "write it like `https://shop.example`",
            Self::Tail => "remove the slash behind the host and all that follows",
            Self::User => "remove the `@` and what stands before it",
            Self::Port => "write it like `https://shop.example:8443`",
            Self::OwnPort => "leave the port out",
            Self::Plaintext => "write `https`",
        }
    }
}

/// Finds what keeps `text` from being an origin, as a browser writes one into `Origin`.
pub(super) fn check(text: &str) -> Result<(), OriginError> {
    if text.contains('*') {
        return Err(OriginError::Wildcard);
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(OriginError::Case);
    }
    let (scheme, authority) = text.split_once("://").ok_or(OriginError::Scheme)?;
    let own_port = match scheme {
        "https" => 443,
        "http" => 80,
        _ => return Err(OriginError::Scheme),
    };
    if authority.contains(['/', '?', '#', '\\']) {
        return Err(OriginError::Tail);
    }
    if authority.contains('@') {
        return Err(OriginError::User);
    }
    let (host, port) = split_port(authority);
    if let Some(port) = port {
        check_port(port, own_port)?;
    }
    if !is_host(host) {
        return Err(OriginError::Host);
    }
    if scheme == "http" && !LOCAL_HOSTS.contains(&host) {
        return Err(OriginError::Plaintext);
    }
    Ok(())
}

/// The host, and what follows the colon behind it. The colons of an IPv6 address are its own.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    let host_end = authority.rfind(']').unwrap_or(0);
    match authority.get(host_end..).and_then(|behind| behind.find(':')) {
        Some(colon) => {
            let (host, port) = authority.split_at(host_end + colon);
            (host, port.strip_prefix(':'))
        }
        None => (authority, None),
    }
}

fn check_port(text: &str, own_port: u16) -> Result<(), OriginError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let port: u16 = text.parse().ok().filter(|_| plain).ok_or(OriginError::Port)?;
    if port == own_port { Err(OriginError::OwnPort) } else { Ok(()) }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(is_ipv6);
    }
    let ends_in_number = host.rsplit('.').next().is_some_and(is_number);
    if ends_in_number { host.parse::<Ipv4Addr>().is_ok() } else { is_name(host) }
}

/// Whether this is an IPv6 address in its one short spelling, and none of IPv4.
fn is_ipv6(text: &str) -> bool {
    let address = text.parse::<Ipv6Addr>().ok();
    address.is_some_and(|ip| ip.to_ipv4_mapped().is_none() && ip.to_string() == text)
}

/// Whether browsers take a host with this last label for an IPv4 address.
fn is_number(label: &str) -> bool {
    let hexadecimal = label.strip_prefix("0x");
    let digits = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit());
    digits || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_name(host: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    let label = |label: &str| {
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(plain)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.len() <= HOST_BYTES_MAX && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_origins_are_taken() {
        for text in [
            "https://shop.example",
            "https://shop.example:8443",
            "https://xn--bcher-kva.example",
            "https://192.0.2.1",
            "https://[2001:db8::1]:8443",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:5173",
            "https://localhost",
            "https://intranet",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_no_browser_writes_is_refused() {
        for (text, error) in [
            ("*", OriginError::Wildcard),
            ("https://*.shop.example", OriginError::Wildcard),
            ("https://Shop.example", OriginError::Case),
            ("HTTPS://shop.example", OriginError::Case),
            ("", OriginError::Scheme),
            ("null", OriginError::Scheme),
            ("shop.example", OriginError::Scheme),
            ("ftp://shop.example", OriginError::Scheme),
            (" https://shop.example", OriginError::Scheme),
            ("https://shop.example/", OriginError::Tail),
            ("https://shop.example/cart", OriginError::Tail),
            ("https://shop.example?a", OriginError::Tail),
            ("https://shop.example\\", OriginError::Tail),
            ("https://shop.example#", OriginError::Tail),
            ("https://me@shop.example", OriginError::User),
            ("https://shop.example:", OriginError::Port),
            ("https://shop.example:0", OriginError::Port),
            ("https://shop.example:+80", OriginError::Port),
            ("https://shop.example:080", OriginError::Port),
            ("https://shop.example:65536", OriginError::Port),
            ("https://shop.example:80:80", OriginError::Port),
            ("https://2001:db8::1", OriginError::Port),
            ("https://shop.example:443", OriginError::OwnPort),
            ("http://localhost:80", OriginError::OwnPort),
            ("https://", OriginError::Host),
            ("https://:8443", OriginError::Host),
            ("https://shop.example.", OriginError::Host),
            ("https://-shop.example", OriginError::Host),
            ("https://shop example", OriginError::Host),
            ("https://bücher.example", OriginError::Host),
            ("https://010.0.0.1", OriginError::Host),
            ("https://10.1", OriginError::Host),
            ("https://0x7f.0x1", OriginError::Host),
            ("https://[::1", OriginError::Port),
            ("https://[::1]x", OriginError::Host),
            ("https://[0:0::1]", OriginError::Host),
            ("https://[::ffff:10.0.0.1]", OriginError::Host),
            ("https://[fe80::1%eth0]", OriginError::Host),
            ("http://shop.example", OriginError::Plaintext),
            ("http://localhost.example", OriginError::Plaintext),
            ("http://127.0.0.2", OriginError::Plaintext),
        ] {
            assert_eq!(check(text), Err(error), "{text}");
        }
    }
}
