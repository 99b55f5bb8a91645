//! The envelope of a compact JWS (RFC 7515, 7.1), read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use stockade_settings::TokenType;

use super::TokenError;
use super::object::Object;

/// A token taken apart, not yet believed.
#[derive(Debug)]
pub(super) struct Envelope<'t> {
    pub(super) algorithm: String,
    pub(super) key_id: Option<String>,
    pub(super) token_type: Option<TokenType>,
    pub(super) payload: Vec<u8>,
    /// What the signature covers.
    pub(super) signed: &'t str,
    /// The signature, still encoded.
    pub(super) signature: &'t str,
}

impl<'t> Envelope<'t> {
    /// Parameters that name keys or places to fetch them from are never looked at.
    pub(super) fn parse(token: &'t str) -> Result<Self, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        // A fourth part leaves a dot in the payload, which base64url has not.
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let mut header = Object::parse(&decode(header)?)?;
        // Extensions that must be understood, or that change what is signed, are not (RFC 7797).
        if header.has("crit") || header.has("b64") {
            return Err(TokenError::Malformed);
        }
        decode(signature)?;
        Ok(Self {
            algorithm: header.take_text("alg")?.ok_or(TokenError::Malformed)?,
            key_id: header.take_text("kid")?,
            token_type: token_type(header.take_text("typ")?.as_deref()),
            payload: decode(payload)?,
            signed,
            signature,
        })
    }
}

/// Media types are compared without case, and may leave `application/` out (RFC 7515, 4.1.9).
/// `None` is a type that is no token's.
fn token_type(typ: Option<&str>) -> Option<TokenType> {
    let Some(typ) = typ else { return Some(TokenType::Jwt) };
    let short = match typ.split_at_checked("application/".len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
        _ => typ,
    };
    if short.eq_ignore_ascii_case("at+jwt") {
        Some(TokenType::AtJwt)
    } else {
        short.eq_ignore_ascii_case("jwt").then_some(TokenType::Jwt)
    }
}

/// base64url without padding, in its one canonical spelling.
fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}
