//! Security headers of responses (`[headers]`): what the edge sets in place of its own defaults.
//!
//! The list is closed. What must never be weakened, such as HSTS and `nosniff`, is not on it.

use crate::finding::Code;
use crate::toml_reader::{Entry, Text, TomlReader};

/// The longest value, in bytes.
const VALUE_BYTES_MAX: usize = 4096;

/// A header whose value a policy may choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResponseHeader {
    /// What a page may load (CSP, Level 3); set where the upstream says nothing.
    ContentSecurityPolicy,
    /// What may be kept (RFC 9111, 5.2); set where the upstream says nothing.
    CacheControl,
    /// Who may open the page's window.
    CrossOriginOpenerPolicy,
    /// Who may load the response.
    CrossOriginResourcePolicy,
    /// What of a device a page may use.
    PermissionsPolicy,
    /// What is told where a link leads.
    ReferrerPolicy,
    /// Who may frame the page (RFC 7034).
    XFrameOptions,
}

impl ResponseHeader {
    /// Every header, by name.
    pub const ALL: [Self; 7] = [
        Self::CacheControl,
        Self::ContentSecurityPolicy,
        Self::CrossOriginOpenerPolicy,
        Self::CrossOriginResourcePolicy,
        Self::PermissionsPolicy,
        Self::ReferrerPolicy,
        Self::XFrameOptions,
    ];

    /// The header's name, in small letters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CacheControl => "cache-control",
            Self::ContentSecurityPolicy => "content-security-policy",
            Self::CrossOriginOpenerPolicy => "cross-origin-opener-policy",
            Self::CrossOriginResourcePolicy => "cross-origin-resource-policy",
            Self::PermissionsPolicy => "permissions-policy",
            Self::ReferrerPolicy => "referrer-policy",
            Self::XFrameOptions => "x-frame-options",
        }
    }
}

/// Reads the section: each header once, with its value.
pub(crate) fn read(
    section: &Entry<'_>,
    reader: &mut TomlReader<'_, '_>,
) -> Vec<(ResponseHeader, String)> {
    let known = ResponseHeader::ALL.map(ResponseHeader::as_str);
    let Some(values) = reader.keys(section, known) else { return Vec::new() };
    let written = ResponseHeader::ALL.into_iter().zip(values);
    let read = written.filter_map(|(header, value)| Some((header, read_value(&value?, reader)?)));
    read.collect()
}

fn read_value(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<String> {
    let Text { text, at } = reader.string(entry)?;
    // A value may hold blanks between words, and never at its ends (RFC 9110, 5.5).
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text;
    if !plain || text.is_empty() || text.len() > VALUE_BYTES_MAX {
        let place = reader.place(at);
        let message = format!("the value of `{}` is no header value", entry.key);
        let fix = format!("write from 1 to {VALUE_BYTES_MAX} visible ASCII characters");
        reader.findings().add(Code::BadHeaderValue, place, message, fix);
        return None;
    }
    Some(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Bundle;
    use crate::bundle::tests::{bundle, edited, findings};
    use crate::files::ROUTES_FILE;

    fn with(section: &str) -> crate::BundleFiles {
        edited(ROUTES_FILE, "[routes]", &format!("[headers]\n{section}\n[routes]"))
    }

    #[test]
    fn a_value_takes_the_defaults_place() {
        let bundle = Bundle::load(&with("referrer-policy = \"same-origin\"")).unwrap();
        assert_eq!(bundle.headers(), [(ResponseHeader::ReferrerPolicy, "same-origin".to_owned())]);
        assert!(self::bundle().headers().is_empty());
    }

    #[test]
    fn what_must_not_be_weakened_and_what_is_no_value_is_refused() {
        for (section, code) in [
            ("strict-transport-security = \"max-age=0\"", Code::UnknownKey),
            ("x-content-type-options = \"\"", Code::UnknownKey),
            ("cache-control = \"a\\nb\"", Code::BadHeaderValue),
            ("cache-control = \"\"", Code::BadHeaderValue),
            ("cache-control = \" no-store\"", Code::BadHeaderValue),
            ("cache-control = 1", Code::WrongKind),
        ] {
            let codes: Vec<_> = findings(&with(section)).iter().map(|found| found.code).collect();
            assert_eq!(codes, [code], "{section}");
        }
    }
}
