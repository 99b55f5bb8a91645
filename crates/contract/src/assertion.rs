//! The assertion: the edge's one statement about a request it forwards.
//!
//! `v1.<key id>.<base64url payload>.<base64url HMAC-SHA256>`, where the payload is the
//! assertion's fields in a fixed order, each preceded by its length as four big-endian bytes,
//! and the MAC covers `v1.<key id>.` and the payload's raw bytes. Length prefixes make two
//! different assertions different bytes, whatever their fields hold.
//!
//! The assertion binds method, path and query, permission, caller and scope, and expires
//! within [`LIFETIME_SECS`]. It does not cover the body; replay is prevented by the channel
//! between edge and core (a Unix socket whose peer is checked, or mutual TLS).

mod keys;
mod payload;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
pub use keys::{AssertionKey, KeyId, Keyring, MASTER_BYTES_MIN, WeakMaster};

/// How long an assertion is good for, in seconds.
pub const LIFETIME_SECS: u64 = 30;

/// Longest header value accepted, in bytes.
pub const ENCODED_BYTES_MAX: usize = 16 * 1024;

/// Longest field accepted, in bytes; the path and query is the longest field.
pub const FIELD_BYTES_MAX: usize = 8 * 1024;

const VERSION: &str = "v1";

/// Which of a resource's things a caller may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Things the caller owns.
    Own,
    /// Things somebody else owns.
    Others,
    /// Both, and things nobody owns.
    Any,
}

impl Scope {
    /// The word used in policies, records and assertions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Others => "others",
            Self::Any => "any",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Own, Self::Others, Self::Any].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// What the edge vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Who it is meant for: the upstream's name, for example `core`.
    pub audience: String,
    /// The edge's decision id of this request.
    pub request_id: String,
    /// The method as forwarded.
    pub method: String,
    /// Path and query as forwarded, byte for byte.
    pub path_and_query: String,
    /// The permission the policy granted, for example `orders.read`.
    pub permission: String,
    /// The account id, or `anonymous`, or `edge`.
    pub subject: String,
    /// The session the token belongs to; empty without one.
    pub session: String,
    /// The roles that were active, separated by one space.
    pub roles: String,
    /// Which things the permission reaches.
    pub scope: Scope,
    /// When the caller last proved who they are, in seconds since 1970 UTC; 0 when never.
    pub authenticated_at: u64,
    /// The client's address, or `unknown`.
    pub client_address: String,
    /// The hash of the policy bundle that decided.
    pub bundle: String,
    /// When it stops being good, in seconds since 1970 UTC.
    pub expires_at: u64,
}

/// What a receiver knows about the request that an assertion must fit.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The receiver's own name.
    pub audience: &'a str,
    /// The method that arrived.
    pub method: &'a str,
    /// The path and query that arrived.
    pub path_and_query: &'a str,
    /// The receiver's clock, in seconds since 1970 UTC.
    pub now: u64,
}

/// Why an assertion is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// Not of the form this version writes.
    #[error("the assertion is not well formed")]
    Malformed,
    /// Signed by a key that is not in the ring.
    #[error("the assertion's key is not known")]
    UnknownKey,
    /// The MAC does not fit.
    #[error("the assertion's signature does not fit")]
    BadSignature,
    /// Past its life, or claiming a longer one than allowed.
    #[error("the assertion has expired or lives too long")]
    Expired,
    /// Meant for another request or another receiver.
    #[error("the assertion is for another request")]
    OtherRequest,
}

impl Keyring {
    /// Signs with the current key; the result is a header value of visible ASCII.
    pub fn sign(&self, assertion: &Assertion) -> String {
        let key = self.current();
        let payload = payload::write(assertion);
        let mac = key.mac(&signed_prefix(key.id()), &payload);
        let mut value = signed_prefix(key.id());
        URL_SAFE_NO_PAD.encode_string(&payload, &mut value);
        value.push('.');
        URL_SAFE_NO_PAD.encode_string(mac, &mut value);
        value
    }

    /// Believes an assertion, or says why not.
    ///
    /// The signature is checked before anything in the payload is looked at.
    ///
    /// # Errors
    /// Every [`AssertionError`]; none says more than the class of the mistake.
    pub fn verify(&self, value: &str, expected: Expected<'_>) -> Result<Assertion, AssertionError> {
        if value.len() > ENCODED_BYTES_MAX {
            return Err(AssertionError::Malformed);
        }
        let (key, payload, mac) = self.split(value)?;
        if !key.verifies(&signed_prefix(key.id()), &payload, &mac) {
            return Err(AssertionError::BadSignature);
        }
        let assertion = payload::read(&payload).ok_or(AssertionError::Malformed)?;
        assertion.fits(expected)?;
        Ok(assertion)
    }

    fn split(&self, value: &str) -> Result<(&AssertionKey, Vec<u8>, Vec<u8>), AssertionError> {
        let mut parts = value.split('.');
        let (Some(VERSION), Some(id), Some(payload), Some(mac), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(AssertionError::Malformed);
        };
        let key = self.find(id).ok_or(AssertionError::UnknownKey)?;
        let payload = URL_SAFE_NO_PAD.decode(payload).map_err(|_| AssertionError::Malformed)?;
        let mac = URL_SAFE_NO_PAD.decode(mac).map_err(|_| AssertionError::Malformed)?;
        Ok((key, payload, mac))
    }
}

impl Assertion {
    fn fits(&self, expected: Expected<'_>) -> Result<(), AssertionError> {
        let latest = expected.now.saturating_add(LIFETIME_SECS);
        if self.expires_at <= expected.now || self.expires_at > latest {
            return Err(AssertionError::Expired);
        }
        let same = self.audience == expected.audience
            && self.method == expected.method
            && self.path_and_query == expected.path_and_query;
        if same { Ok(()) } else { Err(AssertionError::OtherRequest) }
    }
}

fn signed_prefix(id: &KeyId) -> String {
    format!("{VERSION}.{id}.")
}

#[cfg(test)]
mod tests;
