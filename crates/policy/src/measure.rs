//! A count and its unit: sizes (`16KiB`) and durations (`15m`).

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::finding::Code;
use crate::toml_reader::{Entry, Text, TomlReader};

/// The largest size that can be written: 1 GiB.
const BYTES_MAX: u64 = 1 << 30;
/// The longest duration that can be written: a day.
const SECS_MAX: u32 = 24 * 60 * 60;

/// A unit by its name, and how many of the smallest unit it is.
type Unit = (&'static str, u64);

/// The units of a size in bytes, longest name first.
const SIZES: &[Unit] = &[("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];
/// The units of a duration in seconds.
const DURATIONS: &[Unit] = &[("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];

/// The value as a size in bytes.
pub(crate) fn read_size(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<u64> {
    let Text { text, at } = reader.string(entry)?;
    let size = parse(text, SIZES).filter(|bytes| (1..=BYTES_MAX).contains(bytes));
    if size.is_none() {
        let message = format!("`{text}` is no size from 1B to 1024MiB");
        let place = reader.place(at);
        reader.findings().add(Code::BadSize, place, message, "write it like `16KiB`");
    }
    size
}

/// The value as a duration in seconds.
pub(crate) fn read_duration(
    entry: &Entry<'_>,
    reader: &mut TomlReader<'_, '_>,
) -> Option<NonZeroU32> {
    let Text { text, at } = reader.string(entry)?;
    let secs = parse(text, DURATIONS).and_then(|secs| u32::try_from(secs).ok());
    let duration = secs.filter(|secs| *secs <= SECS_MAX).and_then(NonZeroU32::new);
    if duration.is_none() {
        let message = format!("`{text}` is no duration from 1s to 24h");
        let place = reader.place(at);
        let fix = "write it like `90s`, `15m` or `1h`";
        reader.findings().add(Code::BadDuration, place, message, fix);
    }
    duration
}

/// A number of seconds as it is written in the files: `90s`, `15m`, `12h`, `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Age(pub u64);

/// A text that is no [`Age`].
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time such as 90s, 15m, 2h or 7d")]
pub struct BadAge(String);

impl From<NonZeroU32> for Age {
    fn from(secs: NonZeroU32) -> Self {
        Self(secs.get().into())
    }
}

impl FromStr for Age {
    type Err = BadAge;

    /// Reads an age of any length but none.
    fn from_str(text: &str) -> Result<Self, BadAge> {
        parse(text, DURATIONS).map(Self).ok_or_else(|| BadAge(text.to_owned()))
    }
}

impl fmt::Display for Age {
    /// In the largest unit that leaves nothing over.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, secs): &&Unit| self.0 != 0 && self.0.is_multiple_of(*secs);
        let (name, secs) = DURATIONS.iter().rfind(fits).copied().unwrap_or(("s", 1));
        write!(f, "{}{name}", self.0 / secs)
    }
}

fn parse(text: &str, units: &[Unit]) -> Option<u64> {
    let (count, unit) =
        units.iter().find_map(|(name, smallest)| Some((text.strip_suffix(name)?, smallest)))?;
    let plain = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
    count.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("1B", Some(1)), ("16KiB", Some(16384)), ("5MiB", Some(5 << 20))] {
            assert_eq!(parse(text, SIZES), bytes, "{text}");
        }
        for text in ["", "16", "KiB", "16kb", "+1B", "1.5MiB", "-1B", "016B", "99999999999999MiB"] {
            assert_eq!(parse(text, SIZES), None, "{text}");
        }
    }

    #[test]
    fn durations_have_one_unit() {
        let age = |text: &str| text.parse::<Age>().map(|age| age.0).ok();
        for (text, secs) in [("1s", 1), ("90s", 90), ("15m", 900), ("24h", 86400), ("7d", 604_800)]
        {
            assert_eq!(age(text), Some(secs), "{text}");
        }
        for (secs, text) in [(0, "0s"), (90, "90s"), (900, "15m"), (43200, "12h"), (86400, "1d")] {
            assert_eq!(Age(secs).to_string(), text);
        }
        for text in [
            "",
            "15",
            "m",
            "0s",
            "1h30m",
            "15M",
            "15 m",
            "+1s",
            "-1s",
            "1.5h",
            "015m",
            "1é",
            "99999999999999999999d",
        ] {
            assert_eq!(age(text), None, "{text}");
        }
    }
}
