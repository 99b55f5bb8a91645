//! Which web pages of other origins may call, and what browsers let them see (`[cors]`).

use crate::finding::Code;
use crate::measure::read_duration;
use crate::toml_reader::{Entry, Text, TomlReader};

mod origin;

/// How long a browser may keep the answer to a preflight, unless written otherwise.
const MAX_AGE_SECS: u32 = 600;
/// Request headers pages may send beyond the safelisted ones, unless written otherwise.
const HEADERS: &[&str] = &["authorization", "content-type", "idempotency-key", "if-match"];
/// Response headers pages may read beyond the safelisted ones, unless written otherwise.
const EXPOSE: &[&str] = &[
    "request-id",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "etag",
    "idempotency-replayed",
    "location",
];

/// The most origins, and the most headers in each list.
const LIST_MAX: usize = 64;
/// The longest name of a header.
const HEADER_BYTES_MAX: usize = 64;

/// The section `[cors]`. Without it, no page of another origin may call.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cors {
    /// The origins whose pages may call, as browsers write them.
    pub origins: Box<[String]>,
    /// Whether browsers send credentials along, and show pages the answer when they did.
    pub credentials: bool,
    /// How long a browser may keep the answer to a preflight, in seconds.
    pub max_age_secs: u32,
    /// Request headers pages may send beyond the safelisted ones, in lower case.
    pub headers: Box<[String]>,
    /// Response headers pages may read beyond the safelisted ones, in lower case.
    pub expose: Box<[String]>,
}

impl Cors {
    /// Whether pages of this origin may call. The value of `Origin` is compared byte by byte.
    pub fn allows(&self, origin: &str) -> bool {
        self.origins.iter().any(|allowed| allowed == origin)
    }

    /// Reads the section. Nothing comes back where a finding was noted for a value.
    pub(crate) fn read(section: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<Self> {
        let known = ["origins", "credentials", "max_age", "headers", "expose"];
        let [origins, credentials, max_age, headers, expose] = reader.keys(section, known)?;
        let origins = reader.required(section, "origins", origins);
        let origins = origins.and_then(|value| read_origins(&value, reader));
        let credentials = match credentials {
            Some(value) => reader.bool(&value),
            None => Some(false),
        };
        let max_age_secs = match max_age {
            Some(value) => read_duration(&value, reader).map(u32::from),
            None => Some(MAX_AGE_SECS),
        };
        let headers = read_headers(headers, HEADERS, reader);
        let expose = read_headers(expose, EXPOSE, reader);
        Some(Self {
            origins: origins?,
            credentials: credentials?,
            max_age_secs: max_age_secs?,
            headers: headers?,
            expose: expose?,
        })
    }
}

fn read_origins(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<Box<[String]>> {
    let texts = read_list(entry, "origin", reader)?;
    for text in &texts {
        if let Err(error) = origin::check(text.text) {
            let message = format!("`{}`: {error}", text.text);
            let place = reader.place(text.at);
            reader.findings().add(Code::BadOrigin, place, message, error.fix());
        }
    }
    Some(owned(texts))
}

fn read_headers(
    entry: Option<Entry<'_>>,
    default: &[&str],
    reader: &mut TomlReader<'_, '_>,
) -> Option<Box<[String]>> {
    let Some(entry) = entry else {
        return Some(default.iter().map(|name| (*name).to_owned()).collect());
    };
    let texts = read_list(&entry, "header", reader)?;
    for Text { text, at } in texts.iter().filter(|text| !is_header(text.text)) {
        let message = format!("`{text}` is no header in small letters");
        let fix = "name each header in small letters, without `*`";
        let place = reader.place(*at);
        reader.findings().add(Code::BadHeader, place, message, fix);
    }
    Some(owned(texts))
}

fn read_list<'t>(
    entry: &Entry<'t>,
    what: &str,
    reader: &mut TomlReader<'_, '_>,
) -> Option<Vec<Text<'t>>> {
    let texts = reader.strings(entry)?;
    if let Some(text) = texts.get(LIST_MAX) {
        let place = reader.place(text.at);
        let message = format!("one {what} too many");
        let fix = format!("`{}` holds {LIST_MAX}", entry.key);
        reader.findings().add(Code::TooMany, place, message, fix);
    }
    Some(texts)
}

fn owned(texts: Vec<Text<'_>>) -> Box<[String]> {
    texts.into_iter().map(|text| text.text.to_owned()).collect()
}

/// Whether `text` is a field name of RFC 9110 in small letters.
///
/// SECURITY: `*` is a token, too, and browsers read it as "every header".
fn is_header(text: &str) -> bool {
    let token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'+-.^_`|~".contains(&byte)
    };
    (1..=HEADER_BYTES_MAX).contains(&text.len()) && text.bytes().all(token)
}

#[cfg(test)]
mod tests;
