//! Guard: a body has the size and the media type that its route expects.
//!
//! Needs:   the matched route and the request head.
//! Grants:  [`BodyBudget`]: how many bytes may follow; the body phase spends it.
//! Refuses: [`Reason::BodyTooLarge`], 413; [`Reason::UnsupportedMediaType`], 415.
//! Fails:   closed. A route without a `body` takes none.

use http::header;
use stockade_policy::Route;

use crate::rejection::{Reason, Rejection};
use crate::request_head::RequestHead;

/// Bytes that may still follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BodyBudget {
    bytes_left: u64,
}

impl BodyBudget {
    /// Counts bytes that arrived, and refuses the first one too many.
    pub(crate) fn spend(&mut self, bytes: usize) -> Result<(), Rejection> {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes_left = self
            .bytes_left
            .checked_sub(bytes)
            .ok_or_else(|| Rejection::new(Reason::BodyTooLarge))?;
        Ok(())
    }
}

pub(crate) fn check(route: &Route, head: &RequestHead<'_>) -> Result<BodyBudget, Rejection> {
    let bytes_max = route.body.bytes_max;
    let budget = BodyBudget { bytes_left: bytes_max };
    if !head.has_body {
        return Ok(budget);
    }
    if bytes_max == 0 {
        let detail = "this route takes no body";
        return Err(Rejection::with_detail(Reason::BodyTooLarge, detail));
    }
    if declared(head).is_some_and(|length| length > bytes_max) {
        let detail = format!("this route takes at most {bytes_max} bytes");
        return Err(Rejection::with_detail(Reason::BodyTooLarge, detail));
    }
    check_media(route, head)?;
    Ok(budget)
}

fn declared(head: &RequestHead<'_>) -> Option<u64> {
    let length = head.headers.get(header::CONTENT_LENGTH)?;
    // Digits were checked by hygiene; a number that does not fit is larger than any limit.
    Some(length.to_str().ok()?.parse().unwrap_or(u64::MAX))
}

fn check_media(route: &Route, head: &RequestHead<'_>) -> Result<(), Rejection> {
    let accepted = &route.body.media;
    if accepted.is_empty() {
        return Ok(());
    }
    let refused =
        |detail: String| Err(Rejection::with_detail(Reason::UnsupportedMediaType, detail));
    if head.headers.contains_key(header::CONTENT_ENCODING) {
        return refused("send the body without Content-Encoding".to_owned());
    }
    let mut types = head.headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return refused(format!("send one Content-Type: {}", accepted.join(" or ")));
    };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if accepted.iter().any(|media| media.eq_ignore_ascii_case(essence)) {
        return Ok(());
    }
    refused(format!("send the body as {}", accepted.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[track_caller]
    fn check_body(route: &str, fields: &[(&str, &str)], expected: Result<(), Reason>) {
        let (policy, headers) = (samples::policy(), samples::headers(fields));
        let head = samples::head("POST", &headers, true);
        let outcome = check(samples::route(&policy, route), &head).map(drop);
        assert_eq!(outcome.map_err(|rejection| rejection.reason), expected, "{fields:?}");
    }

    #[test]
    fn a_body_of_the_expected_size_and_type_is_admitted() {
        let json = ("content-type", "application/json; charset=utf-8");
        check_body("change", &[json, ("content-length", "1024")], Ok(()));
        check_body("change", &[json], Ok(()));
    }

    #[test]
    fn another_size_or_type_is_refused() {
        let json = ("content-type", "Application/JSON");
        check_body("change", &[json, ("content-length", "1025")], Err(Reason::BodyTooLarge));
        let huge = ("content-length", "99999999999999999999999");
        check_body("change", &[json, huge], Err(Reason::BodyTooLarge));
        let unsupported = Err(Reason::UnsupportedMediaType);
        check_body("change", &[("content-type", "text/plain")], unsupported);
        check_body("change", &[], unsupported);
        check_body("change", &[json, json], unsupported);
        check_body("change", &[json, ("content-encoding", "gzip")], unsupported);
    }

    #[test]
    fn a_route_without_a_body_takes_none() {
        check_body("look", &[("content-length", "1")], Err(Reason::BodyTooLarge));
    }

    #[test]
    fn a_budget_is_spent_to_the_last_byte_and_no_further() {
        let (policy, headers) = (samples::policy(), samples::headers(&[]));
        let head = samples::head("POST", &headers, false);
        let mut budget = check(samples::route(&policy, "change"), &head).unwrap();
        assert!(budget.spend(1000).is_ok() && budget.spend(24).is_ok());
        assert_eq!(budget.spend(1).unwrap_err().reason, Reason::BodyTooLarge);
    }
}
