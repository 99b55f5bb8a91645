//! Preconditions (RFC 9110, 13.1.1): an edit says which version it was made on.
//!
//! A version's entity tag is its number in quotes. It stands for what is edited; how much of
//! a SKU is available changes without it.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use axum::response::AppendHeaders;

use super::problem::Problem;
use crate::app::App;
use crate::version::{Expected, Version};

/// Most entity tags that are looked at.
const TAGS_MAX: usize = 16;

/// The header that names a version.
pub(super) fn etag(version: Version) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    // Digits in quotes are a header value; an empty one would only fail to match.
    let value = HeaderValue::from_str(&tag(version));
    AppendHeaders([(ETAG, value.unwrap_or(HeaderValue::from_static("")))])
}

fn tag(version: Version) -> String {
    format!("\"{}\"", version.0)
}

/// The versions that a request was made on. A request that does not say is answered 428.
#[derive(Debug)]
pub(super) struct IfMatch(pub(super) Expected);

impl FromRequestParts<Arc<App>> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let values: Vec<&str> = parts
            .headers
            .get_all(IF_MATCH)
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        if values.is_empty() {
            let title = "The request needs an If-Match header";
            return Err(Problem::new(428, "precondition_required", title)
                .with_detail("send the ETag of what you read"));
        }
        Ok(Self(expected(&values)))
    }
}

/// What is no strong tag of ours matches nothing.
fn expected(values: &[&str]) -> Expected {
    let tags = || values.iter().flat_map(|value| value.split(',')).map(str::trim).take(TAGS_MAX);
    if tags().any(|tag| tag == "*") {
        return Expected::Any;
    }
    Expected::OneOf(tags().filter_map(version).collect())
}

fn version(text: &str) -> Option<Version> {
    let digits = text.strip_prefix('"')?.strip_suffix('"')?;
    let version = Version(digits.parse().ok()?);
    (tag(version) == text).then_some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_strong_tags_of_ours_match() {
        let one_of = |text: &str| expected(&[text]);
        assert_eq!(one_of("\"3\""), Expected::OneOf(vec![Version(3)]));
        assert_eq!(one_of("\"3\", \"4\""), Expected::OneOf(vec![Version(3), Version(4)]));
        assert_eq!(one_of("*"), Expected::Any);
        for text in ["", "3", "W/\"3\"", "\"03\"", "\"+3\"", "\"3", "\"x\"", "\"\""] {
            assert_eq!(one_of(text), Expected::OneOf(Vec::new()), "{text}");
        }
    }
}
