//! The vault: what is kept secret at rest, under one key from a file.
//!
//! Values are sealed with XChaCha20-Poly1305 under a random nonce, for one purpose and one
//! owner: a sealed value that is moved elsewhere does not open. What only has to be recognised
//! again is kept as a keyed digest.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Shortest key file, in bytes.
pub(crate) const DATA_KEY_BYTES_MIN: usize = 32;

const NONCE_BYTES: usize = 24;

/// The key is shorter than [`DATA_KEY_BYTES_MIN`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the key has {0} bytes; at least {DATA_KEY_BYTES_MIN} are needed")]
pub(crate) struct WeakDataKey(usize);

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
    #[error("encryption failed")]
    Cipher,
}

/// What a value is sealed, or a digest made, for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    TotpSecret,
    RecoveryCode,
    Throttle,
    Mail,
}

impl Purpose {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::TotpSecret => b"stockade totp secret v1\0",
            Self::RecoveryCode => b"stockade recovery code v1\0",
            Self::Throttle => b"stockade login throttle v1\0",
            Self::Mail => b"stockade mail v1\0",
        }
    }
}

/// A sealed value as it is kept: nonce, ciphertext, tag.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sealed(pub(crate) Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// Seals and opens. It cannot be printed.
pub(crate) struct Vault {
    cipher: XChaCha20Poly1305,
    digest_key: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// A vault whose keys are derived from `master`.
    pub(crate) fn derive(master: &[u8]) -> Result<Self, WeakDataKey> {
        if master.len() < DATA_KEY_BYTES_MIN {
            return Err(WeakDataKey(master.len()));
        }
        let cipher_key = Zeroizing::new(mac(master, &[b"stockade vault cipher v1"]));
        let digest_key = Zeroizing::new(mac(master, &[b"stockade vault digest v1"]));
        let cipher = XChaCha20Poly1305::new(&Key::from(*cipher_key));
        Ok(Self { cipher, digest_key })
    }

    pub(crate) fn seal(
        &self,
        purpose: Purpose,
        owner: &[u8],
        plain: &[u8],
    ) -> Result<Sealed, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(SealError::Entropy)?;
        let aad = [purpose.as_bytes(), owner].concat();
        let payload = Payload { msg: plain, aad: &aad };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SealError::Cipher)?;
        Ok(Sealed([nonce.as_slice(), &sealed].concat()))
    }

    /// The value; nothing where it was sealed for something else, or with another key.
    pub(crate) fn open(
        &self,
        purpose: Purpose,
        owner: &[u8],
        sealed: &Sealed,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, msg) = sealed.0.split_first_chunk::<NONCE_BYTES>()?;
        let aad = [purpose.as_bytes(), owner].concat();
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad: &aad });
        plain.ok().map(Zeroizing::new)
    }

    /// A digest that only this key can make.
    pub(crate) fn digest(&self, purpose: Purpose, owner: &[u8], value: &[u8]) -> [u8; 32] {
        let length = u64::try_from(owner.len()).unwrap_or(u64::MAX).to_be_bytes();
        mac(&*self.digest_key, &[purpose.as_bytes(), &length, owner, value])
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_for_its_purpose_and_owner_alone() {
        let vault = Vault::derive(&[7; 32]).unwrap();
        let sealed = vault.seal(Purpose::TotpSecret, b"ann", b"secret").unwrap();
        assert_eq!(vault.open(Purpose::TotpSecret, b"ann", &sealed).unwrap().as_slice(), b"secret");
        assert!(vault.open(Purpose::TotpSecret, b"bob", &sealed).is_none());
        assert!(vault.open(Purpose::Mail, b"ann", &sealed).is_none());
        let other = Vault::derive(&[8; 32]).unwrap();
        assert!(other.open(Purpose::TotpSecret, b"ann", &sealed).is_none());
        assert!(vault.open(Purpose::TotpSecret, b"ann", &Sealed(vec![0; 23])).is_none());
        assert_ne!(sealed, vault.seal(Purpose::TotpSecret, b"ann", b"secret").unwrap());
        assert!(!sealed.0.windows(6).any(|window| window == b"secret"));
        assert_eq!(format!("{vault:?} {sealed:?}"), "Vault(..) Sealed(..)");
    }

    #[test]
    fn a_digest_keeps_owner_and_value_apart() {
        let vault = Vault::derive(&[7; 32]).unwrap();
        let digest = |owner: &[u8], value: &[u8]| vault.digest(Purpose::Throttle, owner, value);
        assert_eq!(digest(b"ann", b"x"), digest(b"ann", b"x"));
        assert_ne!(digest(b"ann", b"x"), digest(b"an", b"nx"));
        assert!(Vault::derive(&[7; 31]).is_err());
    }
}
