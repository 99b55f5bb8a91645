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
