//! The headers that every response carries: forwarded ones, refusals and errors alike.
//!
//! HSTS for a year with subdomains (RFC 6797), and the set that MDN's Observatory rates A+ for an
//! API: nothing may be framed, sniffed, or loaded from a response.

use http::header::{self, HeaderName, HeaderValue};
use stockade_contract::headers;

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

/// The changes to one response's headers, in terms of no framework.
#[derive(Debug)]
pub(crate) struct ResponseHeaders {
    hsts: HeaderValue,
}

impl ResponseHeaders {
    /// `preload` asks browsers to know this host before they visit it, which is hard to undo.
    pub(crate) fn new(preload: bool) -> Self {
        let hsts = if preload {
            "max-age=31536000; includeSubDomains; preload"
        } else {
            "max-age=31536000; includeSubDomains"
        };
        Self { hsts: HeaderValue::from_static(hsts) }
    }

    /// What to set on every response.
    pub(crate) fn always(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let hsts = (&header::STRICT_TRANSPORT_SECURITY, &self.hsts);
        ALWAYS.iter().map(|(name, value)| (name, value)).chain([hsts])
    }

    /// What to set where there is nothing yet.
    pub(crate) fn unless_set<'a>() -> impl Iterator<Item = (&'a HeaderName, &'a HeaderValue)> {
        UNLESS_SET.iter().map(|(name, value)| (name, value))
    }

    /// Whether a header of an upstream's response is not for the client.
    pub(crate) fn is_removed(name: &HeaderName) -> bool {
        REMOVED.contains(name) || headers::is_reserved(name.as_str())
    }
}
