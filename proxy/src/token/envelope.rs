//! The envelope of a compact JWS (RFC 7515, 7.1), read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::TokenError;

/// A token taken apart, not yet believed.
#[derive(Debug)]
pub(super) struct Envelope<'t> {
    pub(super) key_id: Option<String>,
    pub(super) payload: Vec<u8>,
    /// What the signature covers.
    pub(super) signed: &'t str,
    /// The signature, still encoded.
    pub(super) signature: &'t str,
}

/// The parameters we judge; a repeated one is an error, any other is ignored (RFC 7515, 4).
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
    b64: Option<serde_json::Value>,
}

impl<'t> Envelope<'t> {
    pub(super) fn parse(token: &'t str) -> Result<Self, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        // A fourth part leaves a dot in the payload, which base64url has not.
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        check(&header)?;
        decode(signature)?;
        Ok(Self { key_id: header.kid, payload: decode(payload)?, signed, signature })
    }
}

fn check(header: &Header) -> Result<(), TokenError> {
    if header.crit.is_some() || header.b64.is_some() {
        return Err(TokenError::Malformed);
    }
    if header.alg != "ES256" {
        return Err(TokenError::WrongAlgorithm);
    }
    let typ = header.typ.as_deref().unwrap_or_default();
    let short = match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    if short.eq_ignore_ascii_case("at+jwt") { Ok(()) } else { Err(TokenError::WrongType) }
}

/// base64url without padding, in its one canonical spelling.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}
