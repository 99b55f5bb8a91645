//! The fields of an answer that depend on the request: its limits, and its page.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::journey::Journey;

static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), and CORS.
pub(crate) fn add_to(fields: &mut HeaderMap, journey: &Journey) {
    add_limits(fields, journey);
    if journey.policy.as_ref().is_some_and(|policy| policy.bundle.cors().is_some()) {
        // An answer for one page must not be served to another by a cache, grant or not.
        fields.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(grant) = &journey.grant {
        grant.add_to(fields);
    }
}

fn add_limits(fields: &mut HeaderMap, journey: &Journey) {
    if journey.standings.is_empty() {
        return;
    }
    let (mut policy, mut state) = (String::with_capacity(128), String::with_capacity(128));
    for (name, quota, standing) in &journey.standings {
        let (requests, window) = (quota.requests.into(), quota.window_secs.into());
        push_item(&mut policy, name.as_str(), [("q", requests), ("w", window)]);
        let (remaining, reset) = (standing.remaining, standing.reset_secs);
        push_item(&mut state, name.as_str(), [("r", remaining), ("t", reset)]);
    }
    for (field, value) in [(&RATE_LIMIT_POLICY, policy), (&RATE_LIMIT, state)] {
        if let Ok(value) = HeaderValue::try_from(value) {
            fields.insert(field, value);
        }
    }
}

/// A member of a list of strings with parameters (RFC 9651, 3.1), without the standard library's
/// formatting, which costs more than the limits themselves.
fn push_item(list: &mut String, name: &str, parameters: [(&str, u64); 2]) {
    list.push_str(if list.is_empty() { "\"" } else { ", \"" });
    list.push_str(name);
    list.push('"');
    for (key, value) in parameters {
        list.push(';');
        list.push_str(key);
        list.push('=');
        push_decimal(list, value);
    }
}

fn push_decimal(text: &mut String, number: u64) {
    if number >= 10 {
        push_decimal(text, number / 10);
    }
    text.push(char::from_digit(u32::try_from(number % 10).unwrap_or_default(), 10).unwrap_or('0'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_as_a_list_of_strings_with_parameters() {
        let mut list = String::new();
        push_item(&mut list, "general", [("q", 1000), ("w", 900)]);
        push_item(&mut list, "writes", [("q", 0), ("w", u64::MAX)]);
        assert_eq!(list, "\"general\";q=1000;w=900, \"writes\";q=0;w=18446744073709551615");
    }
}
