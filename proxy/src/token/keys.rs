//! An issuer's rules and its key set (RFC 7517), which is replaced whole.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use stockade_settings::{TokenAlgorithm, TokenType};

use super::TokenError;
use super::envelope::Envelope;

/// Most keys taken from one set.
const KEYS_MAX: usize = 32;

/// Shortest HMAC secret believed, in base64url digits: 32 bytes (RFC 7518, 3.2).
const SECRET_DIGITS_MIN: usize = 43;

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("the key set is not JSON of RFC 7517's form: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the key set has no signing key with a `kid` for the issuer's algorithms")]
    Empty,
    #[error("the key set has more than {KEYS_MAX} keys")]
    TooMany,
    #[error("the key set names `{0}` twice")]
    Duplicate(String),
    #[error("the key `{0}` is not a key of its kind, or too weak")]
    NotAKey(String),
}

/// What an issuer's tokens must be.
#[derive(Debug, Clone)]
pub(crate) struct IssuerRules {
    pub(crate) name: String,
    pub(crate) audience: String,
    pub(crate) algorithms: Vec<TokenAlgorithm>,
    pub(crate) token_type: TokenType,
    pub(crate) subject_claim: String,
    pub(crate) roles_claim: String,
    /// Seconds since 1970 UTC.
    pub(crate) accept_until: Option<f64>,
    pub(crate) max_role: Option<String>,
}

/// The keys of one set that can verify an issuer's tokens.
#[derive(Clone)]
pub(crate) struct KeySet {
    keys: HashMap<String, SigningKey>,
}

#[derive(Clone)]
struct SigningKey {
    key: DecodingKey,
    /// As it stood in the set, to tell a new set from the same one.
    jwk: Jwk,
    /// A key is used with one algorithm only (RFC 8725, 3.1).
    algorithm: TokenAlgorithm,
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl KeySet {
    /// Reads a JWKS; keys that fit none of the algorithms are passed over.
    pub(crate) fn parse(bytes: &[u8], algorithms: &[TokenAlgorithm]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Jwks {
            keys: Vec<serde_json::Value>,
        }
        let jwks: Jwks = serde_json::from_slice(bytes)?;
        if jwks.keys.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let mut keys = HashMap::new();
        for jwk in jwks.keys {
            let Some((id, jwk, algorithm)) = for_signing(jwk, algorithms) else { continue };
            let key = match DecodingKey::from_jwk(&jwk) {
                Ok(key) if is_strong(&jwk) => key,
                Ok(_) | Err(_) => return Err(KeySetError::NotAKey(id)),
            };
            if keys.insert(id.clone(), SigningKey { key, jwk, algorithm }).is_some() {
                return Err(KeySetError::Duplicate(id));
            }
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    fn find(&self, id: Option<&str>) -> Option<&SigningKey> {
        match id {
            Some(id) => self.keys.get(id),
            // Without a `kid` there is no choice to be made but among one.
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => None,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.keys.iter().all(|(id, key)| {
                other
                    .keys
                    .get(id)
                    .is_some_and(|new| new.jwk == key.jwk && new.algorithm == key.algorithm)
            })
    }
}

fn for_signing(
    value: serde_json::Value,
    algorithms: &[TokenAlgorithm],
) -> Option<(String, Jwk, TokenAlgorithm)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let common = &jwk.common;
    let verifies = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature))
        && common.key_operations.as_ref().is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    let named = common.key_algorithm.map(|algorithm| algorithm.to_string());
    let algorithm = algorithms.iter().copied().find(|&algorithm| {
        fits(algorithm, &jwk.algorithm)
            && named.as_deref().is_none_or(|named| named == name_of(algorithm))
    })?;
    let id = common.key_id.clone()?;
    verifies.then_some((id, jwk, algorithm))
}

fn fits(algorithm: TokenAlgorithm, parameters: &AlgorithmParameters) -> bool {
    use TokenAlgorithm as A;
    match parameters {
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => algorithm == A::Es256,
            EllipticCurve::P384 => algorithm == A::Es384,
            _ => false,
        },
        AlgorithmParameters::OctetKeyPair(key) => {
            algorithm == A::EdDsa && key.curve == EllipticCurve::Ed25519
        }
        AlgorithmParameters::RSA(_) => {
            matches!(algorithm, A::Rs256 | A::Rs384 | A::Rs512 | A::Ps256 | A::Ps384 | A::Ps512)
        }
        AlgorithmParameters::OctetKey(_) => algorithm == A::Hs256,
        // Kinds that no algorithm of ours uses.
        _ => false,
    }
}

/// Weak RSA keys are refused by the library that verifies (2048 bits at least).
fn is_strong(jwk: &Jwk) -> bool {
    match &jwk.algorithm {
        AlgorithmParameters::OctetKey(secret) => secret.value.len() >= SECRET_DIGITS_MIN,
        _ => true,
    }
}

fn name_of(algorithm: TokenAlgorithm) -> &'static str {
    use TokenAlgorithm as A;
    match algorithm {
        A::Es256 => "ES256",
        A::Es384 => "ES384",
        A::EdDsa => "EdDSA",
        A::Rs256 => "RS256",
        A::Rs384 => "RS384",
        A::Rs512 => "RS512",
        A::Ps256 => "PS256",
        A::Ps384 => "PS384",
        A::Ps512 => "PS512",
        A::Hs256 => "HS256",
    }
}

fn to_library(algorithm: TokenAlgorithm) -> Algorithm {
    use TokenAlgorithm as A;
    match algorithm {
        A::Es256 => Algorithm::ES256,
        A::Es384 => Algorithm::ES384,
        A::EdDsa => Algorithm::EdDSA,
        A::Rs256 => Algorithm::RS256,
        A::Rs384 => Algorithm::RS384,
        A::Rs512 => Algorithm::RS512,
        A::Ps256 => Algorithm::PS256,
        A::Ps384 => Algorithm::PS384,
        A::Ps512 => Algorithm::PS512,
        A::Hs256 => Algorithm::HS256,
    }
}

/// One issuer, its rules, and the keys it signs with at the moment.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    rules: IssuerRules,
    keys: ArcSwapOption<KeySet>,
    generation: AtomicU64,
}

impl IssuerKeys {
    pub(crate) fn new(rules: IssuerRules) -> Self {
        Self { rules, keys: ArcSwapOption::empty(), generation: AtomicU64::new(0) }
    }

    pub(crate) fn rules(&self) -> &IssuerRules {
        &self.rules
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Takes a new set in force. An equal set changes nothing.
    pub(crate) fn replace(&self, keys: KeySet) {
        if !self.keys.load().as_ref().is_some_and(|old| old.is_same(&keys)) {
            self.keys.store(Some(Arc::new(keys)));
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// Checks the type, the algorithm and the signature, in this order.
    pub(super) fn check(&self, envelope: &Envelope<'_>) -> Result<(), TokenError> {
        if envelope.token_type != Some(self.rules.token_type) {
            return Err(TokenError::WrongType);
        }
        if !self.rules.algorithms.iter().any(|known| name_of(*known) == envelope.algorithm) {
            return Err(TokenError::WrongAlgorithm);
        }
        let keys = self.keys.load();
        let keys = keys.as_ref().ok_or(TokenError::KeysUnavailable)?;
        let key = keys.find(envelope.key_id.as_deref()).ok_or(TokenError::UnknownKey)?;
        if name_of(key.algorithm) != envelope.algorithm {
            return Err(TokenError::WrongAlgorithm);
        }
        let (signed, algorithm) = (envelope.signed.as_bytes(), to_library(key.algorithm));
        match jsonwebtoken::crypto::verify(envelope.signature, signed, &key.key, algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenError::BadSignature),
        }
    }
}
