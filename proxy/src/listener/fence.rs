//! Keeps one request's body apart from the bytes that follow it.
//!
//! The proxy app reads through the fence and never sees a byte of the next request, so framing
//! is decided once, here, from the raw bytes. Chunked framing is read strictly (RFC 9112, 7.1):
//! CRLF line ends, hex sizes, no trailers.

use super::head::Framing;

/// Longest line of a chunk's size and extensions, in bytes.
const SIZE_LINE_MAX: usize = 256;

/// Most hex digits of a chunk's size: no chunk reaches a terabyte.
const SIZE_DIGITS_MAX: usize = 10;

/// The body is not framed as its head said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the chunked framing is not well formed")]
pub(super) struct Malformed;

/// How much of what arrives belongs to the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fence {
    /// No fence: HTTP/2 has its own framing.
    Open,
    /// This many bytes more.
    Length(u64),
    /// Until the last chunk.
    Chunked(Chunk),
    /// Nothing more.
    Done,
}

/// Where in the chunked framing the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    Size {
        digits: usize,
        size: u64,
    },
    Extension {
        size: u64,
        seen: usize,
    },
    SizeLf {
        size: u64,
    },
    Data {
        left: u64,
    },
    DataCr,
    DataLf,
    /// After the last chunk's line: the blank line that ends the body.
    EndCr,
    EndLf,
}

impl Fence {
    pub(super) fn around(framing: Framing) -> Self {
        match framing {
            Framing::None | Framing::Length(0) => Self::Done,
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunk::Size { digits: 0, size: 0 }),
        }
    }

    /// How many of `bytes` belong to the body; the fence moves past them.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Result<usize, Malformed> {
        match self {
            Self::Open => Ok(bytes.len()),
            Self::Done => Ok(0),
            Self::Length(left) => {
                let passed = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= u64::try_from(passed).unwrap_or_default();
                if *left == 0 {
                    *self = Self::Done;
                }
                Ok(passed)
            }
            Self::Chunked(chunk) => {
                let (passed, next) = pass_chunks(*chunk, bytes)?;
                *self = next.map_or(Self::Done, Self::Chunked);
                Ok(passed)
            }
        }
    }
}

/// Passes bytes until they, or the body, end; `None` is the end of the body.
fn pass_chunks(mut chunk: Chunk, bytes: &[u8]) -> Result<(usize, Option<Chunk>), Malformed> {
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        if let Chunk::Data { left } = chunk {
            let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            rest = rest.get(skipped..).unwrap_or_default();
            let left = left - u64::try_from(skipped).unwrap_or_default();
            chunk = if left == 0 { Chunk::DataCr } else { Chunk::Data { left } };
            continue;
        }
        rest = after;
        match chunk.step(byte)? {
            Some(next) => chunk = next,
            None => return Ok((bytes.len() - rest.len(), None)),
        }
    }
    Ok((bytes.len(), Some(chunk)))
}

impl Chunk {
    /// One byte of framing; `None` is the end of the body.
    fn step(self, byte: u8) -> Result<Option<Self>, Malformed> {
        let next = match (self, byte) {
            (Self::Size { digits, size }, b'\r') if digits > 0 => Self::SizeLf { size },
            (Self::Size { digits, size }, b';') if digits > 0 => {
                Self::Extension { size, seen: digits }
            }
            (Self::Size { digits, size }, _) if digits < SIZE_DIGITS_MAX => {
                let digit = char::from(byte).to_digit(16).ok_or(Malformed)?;
                Self::Size { digits: digits + 1, size: size * 16 + u64::from(digit) }
            }
            (Self::Extension { size, .. }, b'\r') => Self::SizeLf { size },
            (Self::Extension { size, seen }, b'\t' | b' '..=b'~') if seen < SIZE_LINE_MAX => {
                Self::Extension { size, seen: seen + 1 }
            }
            (Self::SizeLf { size: 0 }, b'\n') => Self::EndCr,
            (Self::SizeLf { size }, b'\n') => Self::Data { left: size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size { digits: 0, size: 0 },
            (Self::EndCr, b'\r') => Self::EndLf,
            (Self::EndLf, b'\n') => return Ok(None),
            _ => return Err(Malformed),
        };
        Ok(Some(next))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chunked() -> Fence {
        Fence::around(Framing::Chunked)
    }

    #[track_caller]
    fn check(bytes: &str, expected: Result<usize, Malformed>) {
        assert_eq!(chunked().pass(bytes.as_bytes()), expected, "{bytes:?}");
    }

    #[test]
    fn a_body_ends_where_its_framing_says() {
        let mut fence = Fence::around(Framing::Length(3));
        assert_eq!(fence.pass(b"abcGET / HTTP/1.1"), Ok(3));
        assert_eq!(fence, Fence::Done);
        check("3\r\nabc\r\n0\r\n\r\nGET /", Ok(13));
        check("3;x=\"y\"\r\nabc\r\n0\r\n\r\n", Ok(19));
        assert_eq!(Fence::around(Framing::None), Fence::Done);
    }

    #[test]
    fn framing_is_read_to_the_letter() {
        for bytes in [
            "3\nabc\r\n0\r\n\r\n",
            "3\r\nabcd\r\n",
            "3\r\nabc\n0\r\n\r\n",
            "+3\r\nabc\r\n",
            "0x3\r\nabc\r\n",
            " 3\r\nabc\r\n",
            "\r\n",
            "3 \r\nabc\r\n",
            "FFFFFFFFFFF\r\n",
            "3;\nabc\r\n",
            "0\r\nx: y\r\n\r\n",
            "0\r\n\n",
        ] {
            check(bytes, Err(Malformed));
        }
    }

    proptest! {
        /// However a body is cut into reads, it ends at the same byte.
        #[test]
        fn cuts_do_not_matter(sizes in proptest::collection::vec(1_usize..40, 0..6), cut in 1_usize..9) {
            let mut body = String::new();
            for size in sizes {
                body.push_str(&format!("{size:x}\r\n{}\r\n", "z".repeat(size)));
            }
            body.push_str("0\r\n\r\n");
            let wire = format!("{body}GET / HTTP/1.1\r\n");
            let (mut fence, mut passed) = (chunked(), 0);
            for piece in wire.as_bytes().chunks(cut) {
                passed += fence.pass(piece).unwrap();
            }
            prop_assert_eq!(passed, body.len());
            prop_assert_eq!(fence, Fence::Done);
        }
    }
}
