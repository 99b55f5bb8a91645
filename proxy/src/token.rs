//! Access tokens: what is believed, and why not.
//!
//! A token is believed when it is of a configured issuer, of the type and algorithm expected of
//! that issuer (ES256 `at+jwt`, RFC 9068, where nothing else is said), signed by a key in its
//! set, for our audience, within its life. RFC 8725 throughout: the algorithm is ours to choose,
//! a key is used with one algorithm, no key or URL in a token is ever looked at, any `crit`
//! refuses. Tokens that were believed once are remembered by their SHA-256, so that a
//! signature is verified once; its life, and whether it was revoked, are checked on every use.
//!
//! Needs jsonwebtoken for the signature alone; reading the envelope strictly is our own.

mod cache;
mod claims;
mod envelope;
pub(crate) mod keys;
mod object;

use std::sync::Arc;

use cache::TokenCache;
pub(crate) use cache::{CacheOutcome, TokenKey};
use claims::Claims;
pub(crate) use claims::Principal;
use envelope::Envelope;
use keys::IssuerKeys;

use crate::revocations::Revocations;

/// Longest token accepted, in bytes.
pub(crate) const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// How far clocks may differ, in seconds.
const LEEWAY_SECS: u64 = 5;

/// Why a token is not believed. The text is for the caller and names nothing internal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("the token is not well formed")]
    Malformed,
    #[error("the token's `typ` is not that of an access token")]
    WrongType,
    #[error("the token's algorithm is not accepted")]
    WrongAlgorithm,
    #[error("the token was issued by nobody we know")]
    UnknownIssuer,
    #[error("the token was signed by a key that is not known")]
    UnknownKey,
    #[error("the token's signature does not fit")]
    BadSignature,
    #[error("the token is for somebody else")]
    WrongAudience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token was revoked")]
    Revoked,
    #[error("no keys have been loaded yet")]
    KeysUnavailable,
}

/// Believes tokens of the configured issuers.
#[derive(Debug)]
pub(crate) struct TokenVerifier {
    issuers: Vec<Arc<IssuerKeys>>,
    revocations: Arc<Revocations>,
    cache: TokenCache,
}

impl TokenVerifier {
    pub(crate) fn new(issuers: Vec<Arc<IssuerKeys>>, revocations: Arc<Revocations>) -> Self {
        Self { issuers, revocations, cache: TokenCache::new() }
    }

    /// What a token is remembered by, under the key sets of this moment.
    pub(crate) fn key(&self, token: &str) -> TokenKey {
        TokenKey::of(token, self.issuers.iter().map(|issuer| issuer.generation()).sum())
    }

    /// Who a token speaks for whose signature was verified before; `None` when it was not.
    ///
    /// # Errors
    /// When its life is over at `now`, in seconds since 1970 UTC, or it was revoked.
    pub(crate) fn remembered(
        &self,
        key: &TokenKey,
        now: u64,
    ) -> Option<Result<Arc<Principal>, TokenError>> {
        let principal = self.cache.get(key)?;
        Some(self.check(&principal, now).map(|()| principal))
    }

    /// Who the token speaks for, at `now`; it is remembered by `key`.
    ///
    /// # Errors
    /// [`TokenError`]; nothing about a failure is remembered.
    pub(crate) fn verify(
        &self,
        token: &str,
        key: TokenKey,
        now: u64,
    ) -> Result<Arc<Principal>, TokenError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let principal = Arc::new(self.verify_signature(token)?);
        self.check(&principal, now)?;
        self.cache.insert(key, principal.clone());
        Ok(principal)
    }

    /// What may change while a token is remembered.
    fn check(&self, principal: &Principal, now: u64) -> Result<(), TokenError> {
        principal.check_life(now, LEEWAY_SECS)?;
        if self.revocations.hold(principal) { Err(TokenError::Revoked) } else { Ok(()) }
    }

    fn verify_signature(&self, token: &str) -> Result<Principal, TokenError> {
        let envelope = Envelope::parse(token)?;
        let claims = Claims::parse(&envelope.payload)?;
        let issuer = self
            .issuers
            .iter()
            .find(|issuer| issuer.rules().name == claims.issuer())
            .ok_or(TokenError::UnknownIssuer)?;
        issuer.check(&envelope)?;
        claims.into_principal(issuer.rules())
    }
}

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
