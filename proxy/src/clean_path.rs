//! A path with one meaning, however it was spelled.
//!
//! The canonical form is what routes are matched against and what is forwarded, byte for byte.
//! Percent-encoded unreserved characters are decoded and hex digits are upper case (RFC 3986,
//! 6.2.2). What different servers read differently is refused, not repaired: dot segments,
//! empty segments, encoded slashes, backslashes, semicolons, control and non-ASCII bytes,
//! doubly encoded bytes.

use std::fmt;

/// Longest path and query accepted, in bytes.
pub(crate) const TARGET_BYTES_MAX: usize = 8 * 1024;

/// A canonical path with its query as sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CleanPath {
    /// Path and query in one string, as forwarded.
    text: String,
    /// Where the query's `?` is, or the length.
    path_end: usize,
}

/// What makes a path ambiguous.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ambiguity {
    TooLong,
    NotAbsolute,
    EmptySegment,
    DotSegment,
    Byte(u8),
    Encoding,
    EncodedByte(u8),
}

impl fmt::Display for Ambiguity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the target is longer than {TARGET_BYTES_MAX} bytes"),
            Self::NotAbsolute => f.write_str("the path does not begin with `/`"),
            Self::EmptySegment => f.write_str("the path has an empty segment (`//`)"),
            Self::DotSegment => f.write_str("the path has a dot segment (`.` or `..`)"),
            Self::Byte(byte) => write!(f, "the target has the byte 0x{byte:02X}"),
            Self::Encoding => f.write_str("the path has a `%` without two hex digits"),
            Self::EncodedByte(byte) => write!(f, "the path has the encoded byte %{byte:02X}"),
        }
    }
}

impl CleanPath {
    /// Reads a target in origin form.
    ///
    /// # Errors
    /// [`Ambiguity`], the first one found.
    pub(crate) fn parse(target: &[u8]) -> Result<Self, Ambiguity> {
        if target.len() > TARGET_BYTES_MAX {
            return Err(Ambiguity::TooLong);
        }
        let end = target.iter().position(|&byte| byte == b'?').unwrap_or(target.len());
        let (path, query) = target.split_at(end);
        let mut text = canonical(path)?;
        check_segments(&text)?;
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
    pub(crate) fn as_str(&self) -> &str {
        self.text.get(..self.path_end).unwrap_or_default()
    }

    /// Path and query, as forwarded.
    pub(crate) fn with_query(&self) -> &str {
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

fn check_segments(path: &str) -> Result<(), Ambiguity> {
    let Some(rest) = path.strip_prefix('/') else { return Err(Ambiguity::NotAbsolute) };
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        match segment {
            "." | ".." => return Err(Ambiguity::DotSegment),
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
