//! The key that signs access tokens, and what others may know of it (RFC 7517).

use std::fmt;
use std::path::{Path, PathBuf};

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, EncodingKey};
use stockade_settings::secret::{self, SecretError};
use zeroize::Zeroizing;

/// Why a file is not a signing key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningKeyError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("`{}` is not a P-256 private key in PKCS#8 PEM; make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`", .path.display())]
    NotAKey { path: PathBuf },
}

/// An ES256 key. It cannot be printed.
pub(crate) struct SigningKey {
    encoding: EncodingKey,
    id: String,
    public: JwkSet,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a key from a file that is its owner's alone.
    pub(crate) fn read(path: &Path) -> Result<Self, SigningKeyError> {
        let pem = Zeroizing::new(secret::read(path)?);
        Self::parse(&pem).ok_or_else(|| SigningKeyError::NotAKey { path: path.to_owned() })
    }

    fn parse(pem: &[u8]) -> Option<Self> {
        let encoding = EncodingKey::from_ec_pem(pem).ok()?;
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::ES256).ok()?;
        let AlgorithmParameters::EllipticCurve(parameters) = &public.algorithm else { return None };
        if parameters.curve != EllipticCurve::P256 {
            return None;
        }
        let id = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { encoding, id, public: JwkSet { keys: vec![public] } })
    }

    /// The key's thumbprint (RFC 7638).
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }

    /// The key set others verify tokens with.
    pub(crate) fn public(&self) -> &JwkSet {
        &self.public
    }
}
