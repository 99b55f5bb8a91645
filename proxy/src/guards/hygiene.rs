//! Guard: a request has one meaning, for us and for everything behind us.
//!
//! Needs:   the request head.
//! Grants:  [`CleanRequest`]: one canonical path and one valid host.
//! Refuses: [`Reason::MalformedHead`], [`Reason::AmbiguousPath`], [`Reason::InvalidHost`],
//!          400; [`Reason::ExpectationUnknown`], 417.
//! Fails:   closed. What cannot be understood in exactly one way is refused.

use http::{Version, header};
use stockade_policy::CleanPath;

use crate::host;
use crate::rejection::{Reason, Rejection};
use crate::request_head::RequestHead;

/// A request with one meaning. Only [`check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CleanRequest {
    path: CleanPath,
}

impl CleanRequest {
    pub(crate) fn path(&self) -> &CleanPath {
        &self.path
    }

    pub(crate) fn into_path(self) -> CleanPath {
        self.path
    }
}

pub(crate) fn check(head: &RequestHead<'_>) -> Result<CleanRequest, Rejection> {
    one_host(head)?;
    one_framing(head)?;
    one_expectation(head)?;
    let path = CleanPath::parse(origin_form(head)?)
        .map_err(|why| Rejection::with_detail(Reason::AmbiguousPath, why.to_string()))?;
    Ok(CleanRequest { path })
}

/// The path and query, whichever of the two forms of RFC 9112, 3.2 the target has.
fn origin_form<'a>(head: &RequestHead<'a>) -> Result<&'a [u8], Rejection> {
    if head.target.starts_with(b"/") {
        return Ok(head.target);
    }
    let malformed = || {
        let advice = "the request target is neither a path nor an https URL";
        Rejection::with_detail(Reason::MalformedHead, advice)
    };
    let rest = strip_scheme(head.target).ok_or_else(malformed)?;
    let start = rest.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#'));
    match start.map(|at| rest.split_at(at)) {
        Some((_, path)) if path.starts_with(b"/") => Ok(path),
        Some(_) => Err(malformed()),
        None => Ok(b"/"),
    }
}

fn strip_scheme(target: &[u8]) -> Option<&[u8]> {
    [b"https://".as_slice(), b"http://"].into_iter().find_map(|scheme| {
        let (head, rest) = target.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Exactly one host, in Host or `:authority`, and where both are present, the same one.
fn one_host(head: &RequestHead<'_>) -> Result<(), Rejection> {
    let mut hosts = head.headers.get_all(header::HOST).iter();
    let (host, second) = (hosts.next(), hosts.next());
    if second.is_some() {
        return Err(Rejection::with_detail(Reason::InvalidHost, "there are two Host headers"));
    }
    let host = match host.map(|value| value.to_str()) {
        Some(Ok(host)) => Some(host),
        Some(Err(_)) => return Err(Rejection::new(Reason::InvalidHost)),
        None if head.version < Version::HTTP_2 => {
            return Err(Rejection::with_detail(Reason::InvalidHost, "the Host header is missing"));
        }
        None => None,
    };
    match (host, head.authority) {
        (Some(host), Some(authority)) if !host.eq_ignore_ascii_case(authority) => {
            Err(Rejection::with_detail(Reason::InvalidHost, "the request names two hosts"))
        }
        (Some(host), _) | (None, Some(host)) if host::is_valid(host) => Ok(()),
        _ => Err(Rejection::new(Reason::InvalidHost)),
    }
}

/// At most one framing of the body. HTTP/1.1's raw head was judged before; this holds for
/// HTTP/2 as well, where a request is to be forwarded over HTTP/1.1.
fn one_framing(head: &RequestHead<'_>) -> Result<(), Rejection> {
    let refused = |why| Err(Rejection::with_detail(Reason::MalformedHead, why));
    let encoded = head.headers.contains_key(header::TRANSFER_ENCODING);
    let mut lengths = head.headers.get_all(header::CONTENT_LENGTH).iter();
    match (lengths.next(), lengths.next()) {
        (Some(_), Some(_)) => refused("there are two Content-Length headers"),
        (Some(_), None) if encoded => refused("both Content-Length and Transfer-Encoding are set"),
        (Some(length), None) if !length.as_bytes().iter().all(u8::is_ascii_digit) => {
            refused("Content-Length is not a number")
        }
        _ if encoded && head.version == Version::HTTP_2 => {
            refused("HTTP/2 knows no Transfer-Encoding")
        }
        _ => Ok(()),
    }
}

fn one_expectation(head: &RequestHead<'_>) -> Result<(), Rejection> {
    let known = |value: &http::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if head.headers.get_all(header::EXPECT).iter().all(known) {
        Ok(())
    } else {
        Err(Rejection::new(Reason::ExpectationUnknown))
    }
}

#[cfg(test)]
mod tests;
