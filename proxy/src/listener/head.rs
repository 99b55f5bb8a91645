//! An HTTP/1.1 request head as raw bytes: read whole under deadlines, judged to the letter.
//!
//! Nothing is repaired here (RFC 9112, 2.2, 3, 5 and 6): what two servers could read in two ways
//! is refused before anybody else parses it.

use std::io::BufRead as _;
use std::time::Duration;

use bytes::BytesMut;
use http::uri::PathAndQuery;
use stockade_policy::TARGET_BYTES_MAX;
use tokio::time::{Instant, timeout_at};

use super::stream::ClientStream;
use crate::host;
use crate::rejection::{Reason, Rejection};

/// Longest head accepted, in bytes.
pub(super) const HEAD_BYTES_MAX: usize = 32 * 1024;

/// Most header fields accepted.
const FIELDS_MAX: usize = 100;

/// How the body's length is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    None,
    Length(u64),
    Chunked,
}

/// A head that was judged.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) bytes: BytesMut,
    pub(super) framing: Framing,
    /// The client waits for `100 Continue` before it sends the body.
    pub(super) waits: bool,
}

/// Why there is no head.
#[derive(Debug)]
pub(super) enum NoHead {
    /// The client closed, or was idle for too long: nothing to answer.
    Closed,
    Refused(Rejection),
}

/// Time for a head.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadDeadlines {
    /// Until its first byte.
    pub(super) first_byte: Duration,
    /// From its first byte to its end.
    pub(super) whole: Duration,
}

/// Reads one head from the stream; bytes after it stay unread.
pub(super) async fn read(
    stream: &mut ClientStream,
    deadlines: HeadDeadlines,
) -> Result<Head, NoHead> {
    let refused = |rejection| NoHead::Refused(rejection);
    if stream.unread().is_empty() {
        match timeout_at(Instant::now() + deadlines.first_byte, stream.fill()).await {
            Ok(Ok(read)) if read > 0 => {}
            Ok(_) | Err(_) => return Err(NoHead::Closed),
        }
    }
    let deadline = Instant::now() + deadlines.whole;
    let mut scanned = 0;
    loop {
        strip_leading_crlf(stream.unread_mut());
        if let Some(end) = find_end(stream.unread(), &mut scanned).map_err(refused)? {
            // One read may bring the end of a head that was within its bound before.
            if end > HEAD_BYTES_MAX {
                return Err(refused(too_large(stream.unread())));
            }
            let bytes = stream.unread_mut().split_to(end);
            let (framing, waits) = judge(&bytes).map_err(refused)?;
            return Ok(Head { bytes, framing, waits });
        }
        if stream.unread().len() > HEAD_BYTES_MAX {
            return Err(refused(too_large(stream.unread())));
        }
        match timeout_at(deadline, stream.fill()).await {
            Ok(Ok(read)) if read > 0 => {}
            Ok(_) => return Err(NoHead::Closed),
            Err(_) => return Err(refused(Rejection::new(Reason::HeadTimeout))),
        }
    }
}

/// One empty line before a request line is ignored (RFC 9112, 2.2).
fn strip_leading_crlf(unread: &mut BytesMut) {
    if unread.starts_with(b"\r\n") {
        drop(unread.split_to(2));
    }
}

/// The end of the head, or the first bare line feed. Continues where it stopped.
fn find_end(bytes: &[u8], scanned: &mut usize) -> Result<Option<usize>, Rejection> {
    while let Some(line) = line_bytes(bytes.get(*scanned..).unwrap_or_default()) {
        *scanned += line;
        let seen = bytes.get(..*scanned).unwrap_or_default();
        if !seen.ends_with(b"\r\n") {
            return Err(malformed("a line ends without a carriage return"));
        }
        if seen.ends_with(b"\r\n\r\n") {
            return Ok(Some(*scanned));
        }
    }
    *scanned = bytes.len();
    Ok(None)
}

/// The length of the first line, its line feed included. The standard library's search reads many
/// bytes at once, and a token makes for long lines.
fn line_bytes(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    let length = rest.skip_until(b'\n').ok()?;
    bytes.get(..length)?.ends_with(b"\n").then_some(length)
}

fn too_large(bytes: &[u8]) -> Rejection {
    let first_line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len());
    if first_line > TARGET_BYTES_MAX {
        Rejection::new(Reason::TargetTooLong)
    } else {
        Rejection::new(Reason::HeadTooLarge)
    }
}

/// What the fields say about framing, host and expectation.
#[derive(Debug, Default)]
struct Facts<'a> {
    count: usize,
    host: Option<&'a str>,
    length: Option<u64>,
    chunked: bool,
    waits: bool,
}

fn judge(head: &[u8]) -> Result<(Framing, bool), Rejection> {
    let text = head.strip_suffix(b"\r\n\r\n").unwrap_or(head);
    let mut lines = split_lines(text);
    let line = RequestLine::parse(lines.next().unwrap_or_default())?;
    let mut facts = Facts::default();
    for line in lines {
        facts.add(line)?;
    }
    line.agrees_with(facts.host)?;
    let framing = match (facts.length, facts.chunked) {
        (Some(_), true) => {
            return Err(malformed("both Content-Length and Transfer-Encoding are set"));
        }
        (_, true) if line.is_http_1_0 => {
            return Err(malformed("HTTP/1.0 knows no Transfer-Encoding"));
        }
        (_, true) => Framing::Chunked,
        (Some(length), false) => Framing::Length(length),
        (None, false) => Framing::None,
    };
    Ok((framing, facts.waits))
}

/// Every line feed follows a carriage return, so this is a split at CRLF.
fn split_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut left = Some(text);
    std::iter::from_fn(move || {
        let text = left.take()?;
        let Some(length) = line_bytes(text) else { return Some(text) };
        let (line, rest) = text.split_at_checked(length)?;
        left = Some(rest);
        line.strip_suffix(b"\r\n")
    })
}

struct RequestLine<'a> {
    /// The authority of a target in absolute form.
    authority: Option<&'a str>,
    is_http_1_0: bool,
}

impl<'a> RequestLine<'a> {
    fn parse(line: &'a [u8]) -> Result<Self, Rejection> {
        let mut parts = line.split(|&byte| byte == b' ');
        let (Some(method), Some(target), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("the request line is not `method target version`"));
        };
        if method.is_empty() || method.len() > 32 || !method.iter().all(|&byte| is_token(byte)) {
            return Err(malformed("the method is not a token"));
        }
        if target.len() > TARGET_BYTES_MAX {
            return Err(Rejection::new(Reason::TargetTooLong));
        }
        let is_http_1_0 = match version {
            b"HTTP/1.1" => false,
            b"HTTP/1.0" => true,
            _ => return Err(malformed("the version is neither HTTP/1.1 nor HTTP/1.0")),
        };
        Ok(Self { authority: authority(target)?, is_http_1_0 })
    }

    fn agrees_with(&self, host: Option<&str>) -> Result<(), Rejection> {
        let invalid = |detail: &str| Rejection::with_detail(Reason::InvalidHost, detail);
        let host = host.ok_or_else(|| invalid("the Host header is missing"))?;
        match self.authority {
            Some(authority) if !authority.eq_ignore_ascii_case(host) => {
                Err(invalid("the request names two hosts"))
            }
            _ => Ok(()),
        }
    }
}

/// The authority of a target in absolute form; `None` in origin form; others are refused.
fn authority(target: &[u8]) -> Result<Option<&str>, Rejection> {
    let target = std::str::from_utf8(target)
        .ok()
        .filter(|target| target.bytes().all(|byte| byte.is_ascii_graphic()))
        .ok_or_else(|| malformed("the request target is not visible ASCII"))?;
    if target.starts_with('/') {
        // What the HTTP library cannot read, it would answer by itself, without our headers.
        return match PathAndQuery::try_from(target) {
            Ok(_) => Ok(None),
            Err(_) => {
                Err(malformed("the request target holds a byte that must be percent-encoded"))
            }
        };
    }
    let (scheme, rest) = target
        .split_once("://")
        .ok_or_else(|| malformed("the request target is neither a path nor a URL"))?;
    if !(scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")) {
        return Err(malformed("the request target is not an https URL"));
    }
    Ok(Some(rest.split(['/', '?', '#']).next().unwrap_or_default()))
}

impl<'a> Facts<'a> {
    fn add(&mut self, line: &'a [u8]) -> Result<(), Rejection> {
        self.count += 1;
        if self.count > FIELDS_MAX {
            return Err(Rejection::new(Reason::HeadTooLarge));
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (name, value) = line
            .split_at_checked(colon.unwrap_or_default())
            .filter(|(name, _)| !name.is_empty() && name.iter().all(|&byte| is_token(byte)))
            .ok_or_else(|| malformed("a header field's name is not a token"))?;
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        // To the end, whatever is found: then many bytes are looked at at once.
        if !value.iter().fold(true, |fits, &byte| fits & is_field_byte(byte)) {
            return Err(malformed("a header field's value has a control byte"));
        }
        self.note(name, value)
    }

    fn note(&mut self, name: &[u8], value: &'a [u8]) -> Result<(), Rejection> {
        if name.eq_ignore_ascii_case(b"host") {
            self.note_host(value)
        } else if name.eq_ignore_ascii_case(b"content-length") {
            if self.length.is_some() {
                return Err(malformed("there are two Content-Length headers"));
            }
            self.length = Some(length(value)?);
            Ok(())
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
                return Err(malformed("the Transfer-Encoding is not `chunked`, once"));
            }
            self.chunked = true;
            Ok(())
        } else {
            self.waits |= name.eq_ignore_ascii_case(b"expect");
            Ok(())
        }
    }

    fn note_host(&mut self, value: &'a [u8]) -> Result<(), Rejection> {
        let host = std::str::from_utf8(value).ok().filter(|host| host::is_valid(host));
        match (self.host, host) {
            (None, Some(host)) => self.host = Some(host),
            (Some(_), _) => {
                return Err(Rejection::with_detail(
                    Reason::InvalidHost,
                    "there are two Host headers",
                ));
            }
            (None, None) => return Err(Rejection::new(Reason::InvalidHost)),
        }
        Ok(())
    }
}

/// Digits alone, and a number that fits.
fn length(value: &[u8]) -> Result<u64, Rejection> {
    std::str::from_utf8(value)
        .ok()
        .filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| malformed("Content-Length is not a number"))
}

/// `tchar` of RFC 9110, 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// `field-vchar`, space and tab of RFC 9110, 5.5.
fn is_field_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..)
}

fn malformed(detail: &str) -> Rejection {
    Rejection::with_detail(Reason::MalformedHead, detail)
}

#[cfg(test)]
mod tests;
