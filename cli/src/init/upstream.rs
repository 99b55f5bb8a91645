//! Where somebody's own service is, as they type it: on this machine, over TCP or a Unix socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A place the edge can forward to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Upstream {
    /// A loopback address.
    Address(SocketAddr),
    /// The absolute path of a Unix socket.
    Socket(String),
}

impl Upstream {
    /// The line that says so in `[edge.upstream]`.
    pub(super) fn setting(&self) -> String {
        let (key, value) = match self {
            Self::Address(address) => ("address", address.to_string()),
            Self::Socket(path) => ("socket", path.clone()),
        };
        // In the column of the section's longest key.
        format!("{key:<21} = \"{value}\"")
    }
}

impl FromStr for Upstream {
    type Err = &'static str;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if let Some(path) = url.strip_prefix("unix:") {
            return socket(path);
        }
        if url.starts_with("https://") {
            return Err("the edge speaks plain HTTP to its upstream; name its plain HTTP port on \
                        this machine, or its Unix socket");
        }
        let form = "not of the form http://ADDRESS:PORT or unix:/PATH";
        let rest = url.strip_prefix("http://").ok_or(form)?;
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err("paths are forwarded as they are; leave the path out");
        }
        let address = address(authority).ok_or(form)?;
        if !address.ip().is_loopback() {
            return Err(
                "not on this machine; the edge runs beside its upstream and forwards over \
                        loopback or a Unix socket alone",
            );
        }
        Ok(Self::Address(address))
    }
}

fn socket(path: &str) -> Result<Upstream, &'static str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if !path.starts_with('/') || !path.bytes().all(plain) {
        return Err("a socket is an absolute path without blanks and quotes");
    }
    Ok(Upstream::Socket(path.to_owned()))
}

/// An address with or without a port, which is 80 then; `localhost` is 127.0.0.1.
fn address(authority: &str) -> Option<SocketAddr> {
    const HTTP: u16 = 80;
    let named = match authority.strip_prefix("localhost") {
        Some("") => format!("{}:{HTTP}", Ipv4Addr::LOCALHOST),
        Some(port) => format!("{}{port}", Ipv4Addr::LOCALHOST),
        None => authority.to_owned(),
    };
    named.parse().or_else(|_| format!("{named}:{HTTP}").parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_of_this_machine_are_understood() {
        for (url, setting) in [
            ("http://127.0.0.1:3000", "address               = \"127.0.0.1:3000\""),
            ("http://localhost:3000/", "address               = \"127.0.0.1:3000\""),
            ("http://localhost", "address               = \"127.0.0.1:80\""),
            ("http://[::1]:3000", "address               = \"[::1]:3000\""),
            ("http://[::1]", "address               = \"[::1]:80\""),
            ("unix:/run/app.sock", "socket                = \"/run/app.sock\""),
        ] {
            assert_eq!(
                url.parse::<Upstream>().map(|upstream| upstream.setting()).as_deref(),
                Ok(setting)
            );
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_reason() {
        for (url, reason) in [
            ("https://127.0.0.1:3000", "plain HTTP"),
            ("http://192.0.2.1:3000", "not on this machine"),
            ("http://127.0.0.1:3000/app", "leave the path out"),
            ("http://service:3000", "not of the form"),
            ("http://localhost.example:3000", "not of the form"),
            ("http://127.0.0.1:x", "not of the form"),
            ("http://::1", "not of the form"),
            ("127.0.0.1:3000", "not of the form"),
            ("unix:app.sock", "absolute path"),
            ("unix:/a\"b", "without blanks and quotes"),
        ] {
            let error = url.parse::<Upstream>().unwrap_err();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
