//! Logs of decisions, as verbs read them: however they are packed, and when it was.

use std::fmt;
use std::io::{Cursor, Read};

use anyhow::{Context as _, bail};
use flate2::read::MultiGzDecoder;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How packed files begin.
const GZIP: &[u8] = &[0x1f, 0x8b];
const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// The text of a log, whose first bytes say how it is packed.
pub(super) fn decoded(
    mut raw: Box<dyn Read + Send>,
    name: &str,
) -> anyhow::Result<Box<dyn Read + Send>> {
    let mut first = Vec::new();
    let read = raw.by_ref().take(ZSTD.len() as u64).read_to_end(&mut first);
    read.with_context(|| unreadable(&name))?;
    if first.starts_with(ZSTD) {
        bail!("`{name}` is packed with zstd; unpack it first: `zstd -d FILE`");
    }
    let is_gzip = first.starts_with(GZIP);
    let raw = Cursor::new(first).chain(raw);
    Ok(if is_gzip { Box::new(MultiGzDecoder::new(raw)) } else { Box::new(raw) })
}

/// What to say of a log that cannot be read.
pub(super) fn unreadable(name: &dyn fmt::Display) -> String {
    format!("`{name}` could not be read")
}

/// A time in milliseconds since 1970 UTC, to the second.
#[derive(Debug, Clone, Copy)]
pub(super) struct Time(pub(super) u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0 / 1000).ok();
        let time = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        match time.and_then(|time| time.format(&Rfc3339).ok()) {
            Some(text) => f.pad(&text),
            // A time that no calendar has is shown as it was recorded.
            None => write!(f, "{} ms", self.0),
        }
    }
}
