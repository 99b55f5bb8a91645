//! An issuer's key set (RFC 7517), replaced whole.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;

use super::TokenError;
use super::envelope::Envelope;

/// Most keys taken from one set.
const KEYS_MAX: usize = 32;

/// Why a key set cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeySetError {
    #[error("the key set is not JSON of RFC 7517's form: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("the key set has no P-256 signing key with a `kid`")]
    Empty,
    #[error("the key set has more than {KEYS_MAX} keys")]
    TooMany,
    #[error("the key set names `{0}` twice")]
    Duplicate(String),
    #[error("the key `{0}` is not a point on P-256")]
    NotAKey(String),
}

/// The keys of one set that can verify ES256.
#[derive(Clone)]
pub(crate) struct KeySet {
    keys: HashMap<String, DecodingKey>,
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.keys.keys()).finish()
    }
}

impl KeySet {
    /// Reads a JWKS; keys of other kinds are passed over.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        #[derive(Deserialize)]
        struct Jwks {
            keys: Vec<serde_json::Value>,
        }
        let jwks: Jwks = serde_json::from_slice(bytes)?;
        if jwks.keys.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let mut keys = HashMap::new();
        for (id, jwk) in jwks.keys.into_iter().filter_map(signing_key) {
            let Ok(key) = DecodingKey::from_jwk(&jwk) else { return Err(KeySetError::NotAKey(id)) };
            if keys.insert(id.clone(), key).is_some() {
                return Err(KeySetError::Duplicate(id));
            }
        }
        if keys.is_empty() { Err(KeySetError::Empty) } else { Ok(Self { keys }) }
    }

    fn find(&self, id: Option<&str>) -> Option<&DecodingKey> {
        match id {
            Some(id) => self.keys.get(id),
            // Without a `kid` there is no choice to be made but among one.
            None if self.keys.len() == 1 => self.keys.values().next(),
            None => None,
        }
    }
}

fn signing_key(value: serde_json::Value) -> Option<(String, Jwk)> {
    let jwk: Jwk = serde_json::from_value(value).ok()?;
    let for_signing = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
    let AlgorithmParameters::EllipticCurve(curve) = &jwk.algorithm else { return None };
    let id = jwk.common.key_id.clone()?;
    (for_signing && curve.curve == EllipticCurve::P256).then_some((id, jwk))
}

/// One issuer and the keys it signs with at the moment.
#[derive(Debug)]
pub(crate) struct IssuerKeys {
    name: String,
    audience: String,
    keys: ArcSwapOption<KeySet>,
    generation: AtomicU64,
}

impl IssuerKeys {
    pub(crate) fn new(name: String, audience: String) -> Self {
        Self { name, audience, keys: ArcSwapOption::empty(), generation: AtomicU64::new(0) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn audience(&self) -> &str {
        &self.audience
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Takes a new set in force. An equal set changes nothing.
    pub(crate) fn replace(&self, keys: KeySet) {
        let same = self.keys.load().as_ref().is_some_and(|old| {
            old.keys.len() == keys.keys.len()
                && old
                    .keys
                    .iter()
                    .all(|(id, key)| keys.keys.get(id).is_some_and(|new| same(key, new)))
        });
        if !same {
            self.keys.store(Some(Arc::new(keys)));
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(super) fn check_signature(&self, envelope: &Envelope<'_>) -> Result<(), TokenError> {
        let keys = self.keys.load();
        let keys = keys.as_ref().ok_or(TokenError::KeysUnavailable)?;
        let key = keys.find(envelope.key_id.as_deref()).ok_or(TokenError::UnknownKey)?;
        let signed = envelope.signed.as_bytes();
        match jsonwebtoken::crypto::verify(envelope.signature, signed, key, Algorithm::ES256) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenError::BadSignature),
        }
    }
}

fn same(one: &DecodingKey, other: &DecodingKey) -> bool {
    match (one.try_get_as_bytes(), other.try_get_as_bytes()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}
