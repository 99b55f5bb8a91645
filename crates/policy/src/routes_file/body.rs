//! The body a route takes: `body = { max = "16KiB", media = ["application/json"] }`, or
//! `media = ["*/*"]` where whatever is behind the edge judges bodies by itself.

use crate::finding::Code;
use crate::measure::read_size;
use crate::route::BodyRule;
use crate::toml_reader::{Entry, Text, TomlReader};

/// Reads the rule. Both keys are required: whoever expects a body knows how large and of what.
pub(super) fn read(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<BodyRule> {
    let [max, media] = reader.keys(entry, ["max", "media"])?;
    let max = reader.required(entry, "max", max);
    let media = reader.required(entry, "media", media);
    let bytes_max = max.and_then(|value| read_size(&value, reader));
    let media = media.and_then(|value| read_media(&value, reader));
    Some(BodyRule { bytes_max: bytes_max?, media: media? })
}

/// Any media type, or none at all.
const ANY: &str = "*/*";

fn read_media(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<Vec<String>> {
    let texts = reader.strings(entry)?;
    if let [only] = texts.as_slice()
        && only.text == ANY
    {
        return Some(Vec::new());
    }
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
    fn media_types_are_bare() {
        assert!(is_media("application/x-www-form-urlencoded") && is_media("application/ld+json"));
        for text in ["", "json", "application/", "Text/html", "a/b;c=d", "a/b/c", "*/*"] {
            assert!(!is_media(text), "{text}");
        }
    }
}
