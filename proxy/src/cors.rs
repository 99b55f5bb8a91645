//! Cross-origin requests: what a browser may show to which page.
//!
//! The policy lists exact origins. A page of a listed origin may read the answer, refusals
//! included; for any other page nothing is added, and its browser keeps the answer from it. A
//! preflight is judged as the route it asks for and answered here; it is never forwarded.

use http::header::{self, HeaderMap, HeaderValue};
use stockade_policy::Cors;

/// What a page's browser is told.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    origin: HeaderValue,
    credentials: bool,
    expose: String,
}

/// Whether the policy lets this request's page read the answer.
pub(crate) fn grant(cors: &Cors, headers: &HeaderMap) -> Option<Grant> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let (origin, None) = (origins.next()?, origins.next()) else { return None };
    cors.allows(origin.to_str().ok()?).then(|| Grant {
        origin: origin.clone(),
        credentials: cors.credentials,
        expose: cors.expose.join(", "),
    })
}

impl Grant {
    /// Adds what every answer to the page carries.
    pub(crate) fn add_to(&self, fields: &mut HeaderMap) {
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, self.origin.clone());
        if self.credentials {
            let yes = HeaderValue::from_static("true");
            fields.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
        }
        if let Ok(expose) = HeaderValue::try_from(&self.expose) {
            fields.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, expose);
        }
    }
}

/// The answer to a preflight (Fetch, 4.8), beside the grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Preflight {
    pub(crate) methods: String,
    pub(crate) headers: String,
    pub(crate) max_age_secs: u32,
}

impl Preflight {
    pub(crate) fn add_to(&self, fields: &mut HeaderMap) {
        fields.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS);
        let values = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, self.methods.clone()),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, self.headers.clone()),
            (header::ACCESS_CONTROL_MAX_AGE, self.max_age_secs.to_string()),
        ];
        for (name, value) in values {
            if let Ok(value) = HeaderValue::try_from(value) {
                fields.insert(name, value);
            }
        }
    }
}

/// Whether a request is a preflight: what only a browser sends (Fetch, 4.8).
pub(crate) fn requested_method<'h>(method: &str, headers: &'h HeaderMap) -> Option<&'h str> {
    if method != "OPTIONS" || !headers.contains_key(header::ORIGIN) {
        return None;
    }
    headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?.to_str().ok()
}
