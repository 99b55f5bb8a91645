//! The closed list of reasons the edge refuses a request for.
//!
//! Codes are promises: clients branch on them, dashboards count them. A code is never renamed;
//! its HTTP status, title and advice stand beside it, and nowhere else.

use std::num::NonZeroU32;

/// A refusal of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rejection {
    pub(crate) reason: Reason,
    /// What is wrong with this very request; the reason's advice when `None`.
    pub(crate) detail: Option<String>,
    /// The methods a known path answers, for 405.
    pub(crate) allow: Option<String>,
    /// Seconds after which the same request may be admitted, for 429 and 503.
    pub(crate) retry_after_secs: Option<u64>,
    /// How old the second factor may be, in seconds, for 401.
    pub(crate) mfa_max_age_secs: Option<NonZeroU32>,
}

impl Rejection {
    pub(crate) fn new(reason: Reason) -> Self {
        let retry_after_secs = (reason.status() == 503).then_some(1);
        Self { reason, detail: None, allow: None, retry_after_secs, mfa_max_age_secs: None }
    }

    pub(crate) fn with_detail(reason: Reason, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..Self::new(reason) }
    }

    /// Too many requests; one more is admitted after this many seconds.
    pub(crate) fn rate_limited(retry_after_secs: u64) -> Self {
        let detail = format!("try again in {retry_after_secs} s");
        let retry_after_secs = Some(retry_after_secs);
        Self { retry_after_secs, ..Self::with_detail(Reason::RateLimited, detail) }
    }

    /// A second factor is missing, or older than this (RFC 9470).
    pub(crate) fn mfa_required(max_age: NonZeroU32) -> Self {
        let mfa_max_age_secs = Some(max_age);
        Self { mfa_max_age_secs, ..Self::new(Reason::MfaRequired) }
    }
}

/// Declares the reasons in one table: variant, code, status, title, advice.
macro_rules! reasons {
    ($($variant:ident $code:literal $status:literal $title:literal $advice:literal)*) => {
        /// Why a request is refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Reason { $($variant),* }

        impl Reason {
            /// Every reason, for metrics that register their labels at the start.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The stable code.
            pub(crate) fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The HTTP status.
            pub(crate) fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// The same short sentence for every occurrence.
            pub(crate) fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }

            /// What to do about it.
            pub(crate) fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice),* }
            }
        }
    };
}

reasons! {
    Banned "banned" 403 "This address is banned"
        "Ask the operator to lift the ban, or wait until it ends."
    RateLimited "rate_limited" 429 "Too many requests"
        "Wait for as long as the Retry-After header says."
    OriginNotAllowed "origin_not_allowed" 403 "This page may not ask that"
        "Ask the security team to list the page's origin, and the headers it sends."
    MalformedHead "malformed_head" 400 "The request is not well formed"
        "Send a request that follows RFC 9112 or RFC 9113 to the letter."
    MalformedBody "malformed_body" 400 "The request body is not well formed"
        "Send a body whose framing follows RFC 9112."
    AmbiguousPath "ambiguous_path" 400 "The path has more than one meaning"
        "Send a plain path: no dot segments, empty segments, encoded slashes, backslashes, semicolons or control bytes."
    InvalidHost "invalid_host" 400 "The request names no single valid host"
        "Send exactly one Host header (or :authority) with a host name and an optional port."
    HeadTimeout "head_timeout" 408 "The request head took too long"
        "Send the whole head of a request at once."
    BodyTimeout "body_timeout" 408 "The request body took too long"
        "Send the body without long pauses."
    TargetTooLong "target_too_long" 414 "The request target is too long"
        "Shorten the path and query."
    HeadTooLarge "head_too_large" 431 "The request head is too large"
        "Send fewer or smaller header fields."
    ExpectationUnknown "expectation_unknown" 417 "The expectation cannot be met"
        "Only `Expect: 100-continue` is known."
    NoRoute "no_route" 404 "There is nothing at this path"
        "Check the path against the API's documentation."
    MethodNotAllowed "method_not_allowed" 405 "This path does not answer this method"
        "Use one of the methods listed in the Allow header."
    BodyTooLarge "body_too_large" 413 "The request body is too large"
        "Send a smaller body."
    UnsupportedMediaType "unsupported_media_type" 415 "This media type is not accepted here"
        "Send the body in a media type the route accepts, without content coding."
    TokenMissing "token_missing" 401 "An access token is needed"
        "Send an access token as `Authorization: Bearer <token>`."
    TokenInvalid "token_invalid" 401 "The access token is not valid"
        "Get a new access token and try again."
    MfaRequired "mfa_required" 401 "A fresh second factor is needed"
        "Log in again with a second factor, and repeat the request with the new access token."
    KeysUnavailable "keys_unavailable" 503 "Access tokens cannot be checked at the moment"
        "Try again in a moment."
    RevocationsUnavailable "revocations_unavailable" 503 "Whether this token was revoked is not known at the moment"
        "Try again in a moment."
    NetworkNotAllowed "network_not_allowed" 403 "Not allowed from this network"
        "Use a network from which this is allowed."
    PermissionDenied "permission_denied" 403 "Not allowed"
        "Ask for a role that may do this."
    UpstreamUnavailable "upstream_unavailable" 503 "The service cannot be reached at the moment"
        "Try again in a moment."
    UpstreamFailed "upstream_failed" 502 "The service failed to answer"
        "Try again; a request that changes something should carry an Idempotency-Key."
    UpstreamTimeout "upstream_timeout" 504 "The service took too long to answer"
        "Try again; a request that changes something should carry an Idempotency-Key."
    Internal "internal" 500 "Something failed here"
        "Try again, and report the decision id if it persists."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_reason_refuses() {
        for (at, reason) in Reason::ALL.iter().enumerate() {
            assert!((400..600).contains(&reason.status()), "{}", reason.code());
            assert!(Reason::ALL[at + 1..].iter().all(|other| other.code() != reason.code()));
            assert!(!reason.title().is_empty() && reason.advice().ends_with('.'));
        }
    }
}
