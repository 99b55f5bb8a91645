//! The fields of an answer that depend on the request: its limits, and its page.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::journey::Journey;

/// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), and CORS.
pub(crate) fn fields(journey: &Journey) -> HeaderMap {
    let mut fields = HeaderMap::new();
    add_limits(&mut fields, journey);
    if journey.policy.as_ref().is_some_and(|policy| policy.bundle.cors().is_some()) {
        // An answer for one page must not be served to another by a cache, grant or not.
        fields.insert(header::VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(grant) = &journey.grant {
        grant.add_to(&mut fields);
    }
    fields
}

fn add_limits(fields: &mut HeaderMap, journey: &Journey) {
    if journey.standings.is_empty() {
        return;
    }
    let (mut policy, mut state) = (String::with_capacity(64), String::with_capacity(64));
    for (name, quota, standing) in &journey.standings {
        let comma = if policy.is_empty() { "" } else { ", " };
        let (requests, window) = (quota.requests, quota.window_secs);
        let (remaining, reset) = (standing.remaining, standing.reset_secs);
        policy.push_str(&format!("{comma}\"{name}\";q={requests};w={window}"));
        state.push_str(&format!("{comma}\"{name}\";r={remaining};t={reset}"));
    }
    for (field, value) in [("ratelimit-policy", policy), ("ratelimit", state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            fields.insert(HeaderName::from_static(field), value);
        }
    }
}
