//! The headers that every response carries: forwarded ones, refusals and errors alike.
//!
//! HSTS for a year with subdomains (RFC 6797), and the set that MDN's Observatory rates A+ for an
//! API: nothing may be framed, sniffed, or loaded from a response. A policy may choose other values
//! for some of them (`[headers]`).

use std::sync::LazyLock;

use http::header::{self, HeaderName, HeaderValue};
use stockade_contract::headers;
use stockade_policy::ResponseHeader;

/// What is set on every response, whatever the upstream said.
static ALWAYS: [(HeaderName, HeaderValue); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// What is set where the upstream did not say something of its own.
static UNLESS_SET: [(HeaderName, HeaderValue); 2] = [
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ),
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// What an upstream says about itself, which is nobody's business.
static REMOVED: [HeaderName; 2] = [header::SERVER, HeaderName::from_static("x-powered-by")];

/// What is said where there is no policy to say otherwise.
static DEFAULT: LazyLock<ResponseHeaders> = LazyLock::new(|| ResponseHeaders::of(&[]));

/// The changes to a response's headers, in terms of no framework.
#[derive(Debug)]
pub(crate) struct ResponseHeaders {
    always: Vec<(HeaderName, HeaderValue)>,
    unless_set: Vec<(HeaderName, HeaderValue)>,
}

impl ResponseHeaders {
    /// The defaults, but for what a policy chose. It chooses from a closed list.
    pub(crate) fn of(chosen: &[(ResponseHeader, String)]) -> Self {
        let mut headers = Self { always: ALWAYS.to_vec(), unless_set: UNLESS_SET.to_vec() };
        for (header, value) in chosen {
            let name = HeaderName::from_static(header.as_str());
            // The policy was refused if this could fail.
            let Ok(value) = HeaderValue::try_from(value) else { continue };
            let is_default = |(default, _): &&mut (HeaderName, HeaderValue)| *default == name;
            match headers.always.iter_mut().chain(&mut headers.unless_set).find(is_default) {
                Some((_, default)) => *default = value,
                None => headers.always.push((name, value)),
            }
        }
        headers
    }

    /// The defaults alone.
    pub(crate) fn default() -> &'static Self {
        &DEFAULT
    }

    /// What to set on every response, whatever the upstream said.
    pub(crate) fn always(&self) -> &[(HeaderName, HeaderValue)] {
        &self.always
    }

    /// What to set where there is nothing yet.
    pub(crate) fn unless_set(&self) -> &[(HeaderName, HeaderValue)] {
        &self.unless_set
    }

    /// Whether a header of an upstream's response is not for the client.
    pub(crate) fn is_removed(name: &HeaderName) -> bool {
        REMOVED.contains(name) || headers::is_reserved(name.as_str())
    }
}

/// Strict-Transport-Security for a year with subdomains (RFC 6797). `preload` asks browsers to
/// know this host before they visit it, which is hard to undo.
pub(crate) fn hsts(preload: bool) -> HeaderValue {
    HeaderValue::from_static(if preload {
        "max-age=31536000; includeSubDomains; preload"
    } else {
        "max-age=31536000; includeSubDomains"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'h>(headers: &'h [(HeaderName, HeaderValue)], name: &str) -> Option<&'h str> {
        headers.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str().ok())
    }

    #[test]
    fn a_policys_choice_takes_the_defaults_place_and_nothing_elses() {
        let chosen = [
            (ResponseHeader::XFrameOptions, "SAMEORIGIN".to_owned()),
            (ResponseHeader::ContentSecurityPolicy, "default-src 'self'".to_owned()),
            (ResponseHeader::PermissionsPolicy, "camera=()".to_owned()),
        ];
        let headers = ResponseHeaders::of(&chosen);
        assert_eq!(value(headers.always(), "x-frame-options"), Some("SAMEORIGIN"));
        assert_eq!(value(headers.always(), "permissions-policy"), Some("camera=()"));
        assert_eq!(
            value(headers.unless_set(), "content-security-policy"),
            Some("default-src 'self'")
        );
        assert_eq!(value(headers.always(), "x-content-type-options"), Some("nosniff"));
        assert_eq!(value(headers.unless_set(), "cache-control"), Some("no-store"));
        assert_eq!(headers.always().len(), ResponseHeaders::default().always().len() + 1);
    }
}
