//! The body a route takes: `body = { max = "16KiB", media = ["application/json"] }`.

use crate::finding::Code;
use crate::route::BodyRule;
use crate::toml_reader::{Entry, Text, TomlReader};

/// The largest body a route can allow: 1 GiB.
const BODY_BYTES_MAX: u64 = 1 << 30;

/// The units of a size, longest first, and their bytes.
const UNITS: [(&str, u64); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// Reads the rule. Both keys are required: whoever expects a body knows how large and of what.
pub(super) fn read(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<BodyRule> {
    let [max, media] = reader.keys(entry, ["max", "media"])?;
    let max = reader.required(entry, "max", max);
    let media = reader.required(entry, "media", media);
    let bytes_max = max.and_then(|value| read_size(&value, reader));
    let media = media.and_then(|value| read_media(&value, reader));
    Some(BodyRule { bytes_max: bytes_max?, media: media? })
}

fn read_size(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<u64> {
    let Text { text, at } = reader.string(entry)?;
    let size = parse_size(text).filter(|bytes| (1..=BODY_BYTES_MAX).contains(bytes));
    if size.is_none() {
        let message = format!("`{text}` is no size from 1B to 1024MiB");
        let place = reader.place(at);
        reader.findings().add(Code::BadSize, place, message, "write it like `16KiB`");
    }
    size
}

fn parse_size(text: &str) -> Option<u64> {
    let (count, unit) =
        UNITS.iter().find_map(|(name, bytes)| Some((text.strip_suffix(name)?, bytes)))?;
    let plain = count.bytes().all(|byte| byte.is_ascii_digit()) && !count.starts_with('0');
    count.parse::<u64>().ok().filter(|_| plain)?.checked_mul(*unit)
}

fn read_media(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<Vec<String>> {
    let texts = reader.strings(entry)?;
    if texts.is_empty() {
        let place = reader.place(entry.key_at);
        let fix = "name one, such as `application/json`, or leave `body` out";
        reader.findings().add(Code::BadMedia, place, "no media type is allowed", fix);
    }
    for Text { text, at } in texts.iter().filter(|text| !is_media(text.text)) {
        let message = format!("`{text}` is no media type");
        let fix = "write type and subtype in small letters, without parameters";
        let place = reader.place(*at);
        reader.findings().add(Code::BadMedia, place, message, fix);
    }
    Some(texts.into_iter().map(|text| text.text.to_owned()).collect())
}

fn is_media(text: &str) -> bool {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'+' | b'.' | b'_');
    let word = |part: &str| !part.is_empty() && part.bytes().all(plain);
    text.split_once('/').is_some_and(|(kind, subtype)| word(kind) && word(subtype))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        for (text, bytes) in [("1B", Some(1)), ("16KiB", Some(16384)), ("5MiB", Some(5 << 20))] {
            assert_eq!(parse_size(text), bytes, "{text}");
        }
        for text in ["", "16", "KiB", "16kb", "+1B", "1.5MiB", "-1B", "016B", "99999999999999MiB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }

    #[test]
    fn media_types_are_bare() {
        assert!(is_media("application/x-www-form-urlencoded") && is_media("application/ld+json"));
        for text in ["", "json", "application/", "Text/html", "a/b;c=d", "a/b/c", "*/*"] {
            assert!(!is_media(text), "{text}");
        }
    }
}
