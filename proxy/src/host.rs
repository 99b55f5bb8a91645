//! `uri-host [":" port]` of RFC 9110, 7.2, without user information, zone or percent-encoding.

/// Longest host accepted, in bytes.
const HOST_BYTES_MAX: usize = 255;

/// Whether `host` names one host in one way.
pub(crate) fn is_valid(host: &str) -> bool {
    if host.len() > HOST_BYTES_MAX {
        return false;
    }
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<std::net::Ipv6Addr>().is_ok()
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_valid_port));
    }
    let (name, port) = host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    is_valid_name(name) && port.is_none_or(is_valid_port)
}

fn is_valid_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    !name.is_empty()
        && name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

fn is_valid_port(port: &str) -> bool {
    (1..=5).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok()
}
