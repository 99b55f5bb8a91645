//! A path with one meaning, however it was spelled.
//!
//! The canonical form is what routes are matched against and what is forwarded, byte for byte.
//! Percent-encoded unreserved characters are decoded and hex digits are upper case (RFC 3986,
//! 6.2.2). What different servers read differently is refused, not repaired: dot segments,
//! empty segments, encoded slashes, backslashes, semicolons, control and non-ASCII bytes,
//! doubly encoded bytes, encoded bytes that are no UTF-8.

use std::borrow::Cow;
use std::fmt;

/// Longest path and query accepted, in bytes.
pub const TARGET_BYTES_MAX: usize = 8 * 1024;

/// A canonical path with its query as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanPath {
    /// Path and query in one string, as forwarded.
    text: String,
    /// Where the query's `?` is, or the length.
    path_end: usize,
}

/// What makes a path ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ambiguity {
    /// It is longer than [`TARGET_BYTES_MAX`].
    TooLong,
    /// It does not begin with `/`.
    NotAbsolute,
    /// Two slashes stand beside each other.
    EmptySegment,
    /// A segment is made of dots alone.
    DotSegment,
    /// A byte that no path, or no query, may have.
    Byte(u8),
    /// A `%` without two hexadecimal digits behind it.
    Encoding,
    /// An encoded byte that servers read differently.
    EncodedByte(u8),
    /// Encoded bytes that are no UTF-8.
    NotUtf8,
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the target is longer than {TARGET_BYTES_MAX} bytes"),
            Self::NotAbsolute => f.write_str("the path does not begin with `/`"),
            Self::EmptySegment => f.write_str("the path has an empty segment (`//`)"),
            Self::DotSegment => f.write_str("the path has a segment of dots alone"),
            Self::Byte(byte) => write!(f, "the target has the byte 0x{byte:02X}"),
            Self::Encoding => f.write_str("the path has a `%` without two hex digits"),
            Self::EncodedByte(byte) => write!(f, "the path has the encoded byte %{byte:02X}"),
            Self::NotUtf8 => f.write_str("the path has encoded bytes that are not UTF-8"),
        }
    }
}

impl CleanPath {
    /// Reads a target in origin form.
    ///
    /// # Errors
    /// [`Ambiguity`], the first one found.
    pub fn parse(target: &[u8]) -> Result<Self, Ambiguity> {
        if target.len() > TARGET_BYTES_MAX {
            return Err(Ambiguity::TooLong);
        }
        let end = target.iter().position(|&byte| byte == b'?').unwrap_or(target.len());
        let (path, query) = target.split_at(end);
        let mut text = canonical(path)?;
        check_segments(&text)?;
        // Where bytes are no text, decoders make something of them: overlong forms of `/`, say.
        std::str::from_utf8(&decoded(&text)).map_err(|_| Ambiguity::NotUtf8)?;
        let path_end = text.len();
        for &byte in query {
            if !is_query_byte(byte) {
                return Err(Ambiguity::Byte(byte));
            }
            text.push(char::from(byte));
        }
        Ok(Self { text, path_end })
    }

    /// The path alone.
    pub fn as_str(&self) -> &str {
        self.text.get(..self.path_end).unwrap_or_default()
    }

    /// The path as the most lenient server reads it: decoded once more, look-alikes taken for
    /// ASCII, cut off where a query or a fragment could begin, without what some servers drop
    /// around segments. Not for forwarding.
    pub fn lenient(&self) -> Cow<'_, str> {
        let path = self.as_str();
        if !path.contains('%') && !path.contains("./") && !path.ends_with(['.', '/']) {
            return Cow::Borrowed(path);
        }
        let bytes = decoded(path);
        let text = String::from_utf8_lossy(&bytes);
        let text: String = text.chars().filter(|c| !is_invisible(*c)).map(to_ascii).collect();
        let text = text.split(['?', '#']).next().unwrap_or_default();
        let mut segments = Vec::new();
        for segment in text.split(['/', '\\']) {
            let segment = segment.trim();
            match segment.trim_end_matches(|c: char| c == '.' || c.is_whitespace()) {
                "" if segment.len() > 1 => drop(segments.pop()),
                "" => {}
                name => segments.push(name),
            }
        }
        Cow::Owned(format!("/{}", segments.join("/")))
    }

    /// Path and query, as forwarded.
    pub fn with_query(&self) -> &str {
        &self.text
    }
}

fn canonical(path: &[u8]) -> Result<String, Ambiguity> {
    let mut text = String::with_capacity(path.len());
    let mut bytes = path.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => push_encoded(&mut text, bytes.next(), bytes.next())?,
            _ if is_path_byte(byte) => text.push(char::from(byte)),
            _ => return Err(Ambiguity::Byte(byte)),
        }
    }
    Ok(text)
}

fn push_encoded(text: &mut String, high: Option<u8>, low: Option<u8>) -> Result<(), Ambiguity> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        return Err(Ambiguity::Encoding);
    };
    let byte = u8::try_from(high * 16 + low).map_err(|_| Ambiguity::Encoding)?;
    match byte {
        // An encoded slash, backslash or semicolon is a separator to some servers; an encoded
        // percent sign is a second layer to others; control bytes end strings.
        b'/' | b'\\' | b';' | b'%' | 0..=0x1F | 0x7F => Err(Ambiguity::EncodedByte(byte)),
        _ if is_unreserved(byte) => {
            text.push(char::from(byte));
            Ok(())
        }
        _ => {
            text.push_str(&format!("%{byte:02X}"));
            Ok(())
        }
    }
}

/// A canonical path's bytes, once its remaining percent-encoding is taken off.
fn decoded(path: &str) -> Cow<'_, [u8]> {
    if !path.contains('%') {
        return Cow::Borrowed(path.as_bytes());
    }
    let (mut bytes, mut parts) = (Vec::with_capacity(path.len()), path.split('%'));
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        // A canonical path has two digits here.
        bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'%'));
        bytes.extend_from_slice(rest.as_bytes());
    }
    Cow::Owned(bytes)
}

/// Letters that some servers drop.
fn is_invisible(letter: char) -> bool {
    matches!(letter, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

/// The ASCII that a letter of another form stands for (NFKC and best-fit mappings).
fn to_ascii(letter: char) -> char {
    match letter {
        '\u{FF01}'..='\u{FF5E}' => {
            u32::from(letter).checked_sub(0xFEE0).and_then(char::from_u32).unwrap_or(letter)
        }
        '\u{2044}' | '\u{2215}' | '\u{2216}' | '\u{29F5}' | '\u{FE68}' => '/',
        '\u{2024}' | '\u{FE52}' => '.',
        _ => letter,
    }
}

fn check_segments(path: &str) -> Result<(), Ambiguity> {
    let Some(rest) = path.strip_prefix('/') else { return Err(Ambiguity::NotAbsolute) };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            // Some servers have gone up further with every dot.
            _ if !segment.is_empty() && segment.bytes().all(|byte| byte == b'.') => {
                return Err(Ambiguity::DotSegment);
            }
            // Only the last segment may be empty: a trailing slash is a path of its own.
            "" if segments.peek().is_some() => return Err(Ambiguity::EmptySegment),
            _ => {}
        }
    }
    Ok(())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// `pchar` and `/` of RFC 3986, 3.3, without `;` and without percent-encoding.
fn is_path_byte(byte: u8) -> bool {
    is_unreserved(byte)
        || matches!(
            byte,
            b'/' | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

/// Printable ASCII without `#`, quotes and angle brackets; the query is forwarded as sent.
fn is_query_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'\\' | b'^' | b'`')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(target: &str, expected: Result<&str, Ambiguity>) {
        let parsed = CleanPath::parse(target.as_bytes());
        assert_eq!(parsed.as_ref().map(CleanPath::with_query).map_err(|why| *why), expected);
    }

    #[test]
    fn one_spelling_is_left() {
        check("/api/orders?x=%2F..", Ok("/api/orders?x=%2F.."));
        check("/%61pi/%7euser", Ok("/api/~user"));
        check("/caf%c3%a9", Ok("/caf%C3%A9"));
        check("/a/", Ok("/a/"));
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        check("/a/../b", Err(Ambiguity::DotSegment));
        check("/a/%2e%2E/b", Err(Ambiguity::DotSegment));
        check("/a/.../b", Err(Ambiguity::DotSegment));
        check("/a/..%c0%afb", Err(Ambiguity::NotUtf8));
        check("/a%ff", Err(Ambiguity::NotUtf8));
        check("//a", Err(Ambiguity::EmptySegment));
        check("/a%2Fb", Err(Ambiguity::EncodedByte(b'/')));
        check("/a%5cb", Err(Ambiguity::EncodedByte(b'\\')));
        check("/a%252e", Err(Ambiguity::EncodedByte(b'%')));
        check("/a%00", Err(Ambiguity::EncodedByte(0)));
        check("/a;b", Err(Ambiguity::Byte(b';')));
        check("/a%zz", Err(Ambiguity::Encoding));
        check("/a%2", Err(Ambiguity::Encoding));
        check("a", Err(Ambiguity::NotAbsolute));
        check("/a?b#c", Err(Ambiguity::Byte(b'#')));
    }

    #[test]
    fn a_lenient_reading_takes_off_every_disguise() {
        for (target, expected) in [
            ("/api/admin", "/api/admin"),
            ("/api/Admin/?x", "/api/Admin"),
            ("/api/%20admin%20", "/api/admin"),
            ("/api/admin%C2%A0", "/api/admin"),
            ("/api./admin.", "/api/admin"),
            ("/api/admin%3Fx", "/api/admin"),
            ("/api/admin%23x", "/api/admin"),
            ("/api/%EF%BD%81dmin", "/api/admin"),
            ("/%EF%BC%8Fapi/%E2%80%8Badmin", "/api/admin"),
            ("/api/x/%EF%BC%8E%EF%BC%8E/admin", "/api/admin"),
            ("/api/x/..%EF%BC%BCadmin", "/api/admin"),
            ("/", "/"),
        ] {
            let path = CleanPath::parse(target.as_bytes()).unwrap();
            assert_eq!(path.lenient(), expected, "{target}");
        }
    }

    proptest! {
        /// Cleaning twice changes nothing, and nothing dangerous survives it.
        #[test]
        fn cleaning_is_idempotent(target in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Ok(path) = CleanPath::parse(&target) {
                let again = CleanPath::parse(path.with_query().as_bytes());
                prop_assert_eq!(again.as_ref(), Ok(&path));
                prop_assert!(path.as_str().split('/').all(|segment| segment != ".."));
            }
        }
    }
}
