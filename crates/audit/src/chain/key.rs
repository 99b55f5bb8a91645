//! The keys that sign checkpoints: Ed25519, each named by the hash of its public half.
//!
//! One key signs at a time; those before it stay known, so that what they signed can still be
//! proved.

use std::fmt;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use sha2::{Digest as _, Sha256};

/// Bytes of a public key.
const PUBLIC_BYTES: usize = 32;

/// What stands before the key in a public key file (RFC 8410).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// Bytes of a signature.
pub(super) const SIGNATURE_BYTES: usize = 64;

/// The text is not an Ed25519 key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an Ed25519 key in PEM; make one with `openssl genpkey -algorithm ed25519`")]
pub struct NotAnAuditKey;

/// Signs checkpoints. It cannot be printed.
pub struct AuditKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl fmt::Debug for AuditKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditKey").field("id", &self.public.id).finish_non_exhaustive()
    }
}

/// Proves signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    bytes: [u8; PUBLIC_BYTES],
    id: String,
}

impl AuditKey {
    /// A private key in PKCS#8, as PEM.
    ///
    /// # Errors
    /// [`NotAnAuditKey`] for anything else.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NotAnAuditKey> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| NotAnAuditKey)?;
        let pair = Ed25519KeyPair::from_pkcs8(der.secret_pkcs8_der())
            .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(der.secret_pkcs8_der()));
        let pair = pair.map_err(|_| NotAnAuditKey)?;
        let public = PublicKey::from_slice(pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }

    /// The half that proves.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl PublicKey {
    /// A public key in PEM, or the public half of a private one.
    ///
    /// # Errors
    /// [`NotAnAuditKey`] for anything else.
    pub fn from_pem(pem: &[u8]) -> Result<Self, NotAnAuditKey> {
        if let Ok(key) = AuditKey::from_pem(pem) {
            return Ok(key.public);
        }
        let der = SubjectPublicKeyInfoDer::from_pem_slice(pem).map_err(|_| NotAnAuditKey)?;
        Self::from_slice(der.as_ref().strip_prefix(&SPKI_PREFIX).ok_or(NotAnAuditKey)?)
    }

    fn from_slice(bytes: &[u8]) -> Result<Self, NotAnAuditKey> {
        let bytes: [u8; PUBLIC_BYTES] = bytes.try_into().map_err(|_| NotAnAuditKey)?;
        let hash = Sha256::digest(bytes);
        let id = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { bytes, id })
    }

    /// Names the key: the first 16 hexadecimal digits of its SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn proves(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.bytes).verify(message, signature).is_ok()
    }
}

/// The keys that checkpoints may be signed with.
#[derive(Debug, Clone, Default)]
pub struct KeyRing(Vec<PublicKey>);

impl KeyRing {
    /// These keys.
    pub fn of(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    pub(super) fn find(&self, id: &str) -> Option<&PublicKey> {
        self.0.iter().find(|key| key.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn the_keys_of_rfc_8410_are_read() {
        let private = AuditKey::from_pem(PRIVATE.as_bytes()).unwrap();
        let public = PublicKey::from_pem(PUBLIC.as_bytes()).unwrap();
        assert_eq!(private.public(), &public);
        assert_eq!(PublicKey::from_pem(PRIVATE.as_bytes()).unwrap(), public);
        assert!(public.proves(b"x", &private.sign(b"x")));
        assert!(!public.proves(b"y", &private.sign(b"x")));
        assert_eq!(format!("{private:?}"), format!("AuditKey {{ id: \"{}\", .. }}", public.id()));
        for other in ["", "no key", &PUBLIC.replace("MCow", "MCox")] {
            assert_eq!(PublicKey::from_pem(other.as_bytes()), Err(NotAnAuditKey), "{other}");
        }
        assert!(AuditKey::from_pem(PUBLIC.as_bytes()).is_err());
    }
}
