//! Guard: a token that is shown must be good, and a route that needs one gets one.
//!
//! Needs:   the matched route and the request head.
//! Grants:  [`Caller`]: the token's principal, or nobody known.
//! Refuses: [`Reason::TokenMissing`], [`Reason::TokenInvalid`], 401;
//!          [`Reason::RateLimited`], 429, after too many bad tokens from one address;
//!          [`Reason::KeysUnavailable`], 503.
//! Fails:   closed. Without keys no token is believed; a bad token never counts as none.

use std::sync::Arc;

use http::header;
use stockade_policy::{Auth, Route};

use crate::limits::{Limiter, Quota, Subject};
use crate::rejection::{Reason, Rejection};
use crate::request_head::RequestHead;
use crate::shared::Shared;
use crate::token::{CacheOutcome, Principal, TokenError, TokenVerifier};

/// Who is asking, as far as the request proves it.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    Anonymous,
    Known { principal: Arc<Principal>, cached: CacheOutcome },
}

impl Caller {
    pub(crate) fn principal(&self) -> Option<&Principal> {
        match self {
            Self::Anonymous => None,
            Self::Known { principal, .. } => Some(principal),
        }
    }
}

/// What one address may still get wrong. Asked before a signature is verified, so that a flood of
/// bad tokens costs a look-up each, and charged with every bad token.
#[derive(Debug)]
pub(crate) struct FailureBudget<'a> {
    limiter: &'a Limiter,
    quota: Quota,
    subject: Subject<'a>,
    now: u64,
}

impl<'a> FailureBudget<'a> {
    pub(crate) fn new(edge: &'a Shared, subject: Subject<'a>, now: u64) -> Self {
        Self { limiter: &edge.limiter, quota: edge.failure_quota, subject, now }
    }

    fn ask(&self) -> Result<(), Rejection> {
        let standing = self.limiter.look(self.quota, self.subject, self.now);
        standing.retry_after_secs.map_or(Ok(()), |after| Err(Rejection::rate_limited(after)))
    }

    fn charge(&self) {
        self.limiter.spend(self.quota, self.subject, self.now);
    }
}

pub(crate) fn check(
    tokens: &TokenVerifier,
    route: &Route,
    head: &RequestHead<'_>,
    now: u64,
    failures: &FailureBudget<'_>,
) -> Result<Caller, Rejection> {
    match route.auth {
        // A token is not looked at: it is stripped before the request is forwarded. A webhook's
        // signature is over the body, which only the core sees whole.
        Auth::None | Auth::Signature => Ok(Caller::Anonymous),
        Auth::Optional => match bearer(head)? {
            None => Ok(Caller::Anonymous),
            Some(token) => known(tokens, token, now, failures),
        },
        Auth::Required => match bearer(head)? {
            None => Err(Rejection::new(Reason::TokenMissing)),
            Some(token) => known(tokens, token, now, failures),
        },
    }
}

fn known(
    tokens: &TokenVerifier,
    token: &str,
    now: u64,
    failures: &FailureBudget<'_>,
) -> Result<Caller, Rejection> {
    let key = tokens.key(token);
    let verified = match tokens.remembered(&key, now) {
        Some(remembered) => remembered.map(|principal| (principal, CacheOutcome::Hit)),
        None => {
            failures.ask()?;
            tokens.verify(token, key, now).map(|principal| (principal, CacheOutcome::Miss))
        }
    };
    match verified {
        Ok((principal, cached)) => Ok(Caller::Known { principal, cached }),
        Err(TokenError::KeysUnavailable) => Err(Rejection::new(Reason::KeysUnavailable)),
        Err(why) => {
            failures.charge();
            Err(Rejection::with_detail(Reason::TokenInvalid, why.to_string()))
        }
    }
}

/// The one bearer token of RFC 6750, 2.1. Tokens in bodies and queries do not count.
fn bearer<'a>(head: &RequestHead<'a>) -> Result<Option<&'a str>, Rejection> {
    let invalid = |detail: &str| Rejection::with_detail(Reason::TokenInvalid, detail);
    let mut values = head.headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(invalid("there are two Authorization headers"));
    }
    let text = value.to_str().map_err(|_| invalid("the Authorization header is not ASCII"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(invalid("the Authorization header is not `Bearer <token>`"));
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Version};

    use super::*;

    #[track_caller]
    fn check_bearer(values: &[&str], expected: Result<Option<&str>, Reason>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        let head = RequestHead {
            method: "GET",
            target: b"/",
            authority: None,
            headers: &headers,
            version: Version::HTTP_11,
            has_body: false,
        };
        assert_eq!(bearer(&head).map_err(|rejection| rejection.reason), expected);
    }

    #[test]
    fn one_bearer_token_is_read() {
        check_bearer(&[], Ok(None));
        check_bearer(&["Bearer abc"], Ok(Some("abc")));
        check_bearer(&["bearer  abc"], Ok(Some("abc")));
    }

    #[test]
    fn anything_else_is_a_bad_token_and_never_none() {
        for value in ["Basic abc", "Bearer", "Bearer ", "abc", ""] {
            check_bearer(&[value], Err(Reason::TokenInvalid));
        }
        check_bearer(&["Bearer a", "Bearer a"], Err(Reason::TokenInvalid));
    }
}
