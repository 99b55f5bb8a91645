//! The vault: the keys from files, and what they make.
//!
//! | key | from | makes |
//! |---|---|---|
//! | key-encryption key | `core.data_key_file` | wraps the data key of every account |
//! | the one before it | `core.previous_data_key_file` | unwraps those that are not rewrapped yet |
//! | index key | `core.index_key_file` | digests, of what has only to be recognised again |
//!
//! What is confidential of a person is sealed under a random key of their own
//! ([`SubjectKey`]): when that key is gone, so is the person. Data keys are not kept in memory:
//! to unwrap one costs a few microseconds beside the row it came with, and none survives here
//! that was deleted elsewhere.

mod before;
mod subject;

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

pub(crate) use self::before::Before;
pub(crate) use self::subject::{Sealed, SubjectKey, WrappedKey};
use crate::ids::{AccountId, Id as _};

/// Shortest key file, in bytes.
const KEY_BYTES_MIN: usize = 32;

/// Bytes of a data key.
const DATA_KEY_BYTES: usize = 32;

/// Bytes that say which key-encryption key wrapped a data key.
const KEY_NAME_BYTES: usize = 8;

const NONCE_BYTES: usize = 24;

/// The key is shorter than [`KEY_BYTES_MIN`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the key has {0} bytes; at least {KEY_BYTES_MIN} are needed")]
pub(crate) struct WeakKey(usize);

/// Why nothing was sealed.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the system gave no random bytes: {0}")]
    Entropy(getrandom::Error),
    #[error("encryption failed")]
    Cipher,
}

/// What a digest is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Username,
    Email,
    RecoveryCode,
    Throttle,
    ErasureJournal,
}

impl Purpose {
    fn as_bytes(self) -> &'static [u8] {
        match self {
            Self::Username => b"stockade user name v1\0",
            Self::Email => b"stockade e-mail address v1\0",
            Self::RecoveryCode => b"stockade recovery code v1\0",
            Self::Throttle => b"stockade login throttle v1\0",
            Self::ErasureJournal => b"stockade erasure journal v1\0",
        }
    }
}

/// A key as it stands in a file. It cannot be printed.
pub(crate) struct VaultKey(Zeroizing<Vec<u8>>);

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(..)")
    }
}

impl VaultKey {
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, WeakKey> {
        if bytes.len() < KEY_BYTES_MIN { Err(WeakKey(bytes.len())) } else { Ok(Self(bytes)) }
    }
}

/// Wraps and unwraps data keys, and makes digests. It cannot be printed.
pub(crate) struct Vault {
    current: WrappingKey,
    previous: Option<WrappingKey>,
    digest_key: Zeroizing<[u8; 32]>,
    before: Before,
}

/// A key that wraps data keys.
struct WrappingKey {
    name: [u8; KEY_NAME_BYTES],
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault(..)")
    }
}

impl Vault {
    /// A vault whose keys are derived from those in files; `previous` is of the time before the
    /// last rotation.
    pub(crate) fn derive(data: &VaultKey, previous: Option<&VaultKey>, index: &VaultKey) -> Self {
        Self {
            current: WrappingKey::derive(&data.0),
            previous: previous.map(|key| WrappingKey::derive(&key.0)),
            digest_key: Zeroizing::new(mac(&index.0, &[b"stockade vault digest v1"])),
            before: Before::derive(&data.0),
        }
    }

    /// A vault for whoever reads nothing that is sealed: it opens nothing and finds nobody.
    pub(crate) fn blind() -> Self {
        let nobodys = VaultKey(Zeroizing::new(vec![0; KEY_BYTES_MIN]));
        Self::derive(&nobodys, None, &nobodys)
    }

    /// A fresh data key for an account, and as it is kept.
    pub(crate) fn new_key(
        &self,
        account: AccountId,
    ) -> Result<(SubjectKey, WrappedKey), SealError> {
        let mut bytes = Zeroizing::new([0; DATA_KEY_BYTES]);
        getrandom::fill(&mut *bytes).map_err(SealError::Entropy)?;
        let wrapped = self.current.wrap(account, &bytes)?;
        Ok((SubjectKey::new(account, bytes), wrapped))
    }

    /// The data key of an account; nothing where it was wrapped for another, or by a key that
    /// is not here.
    pub(crate) fn unwrap(&self, account: AccountId, wrapped: &WrappedKey) -> Option<SubjectKey> {
        let keys = [Some(&self.current), self.previous.as_ref()];
        let key = keys.into_iter().flatten().find(|key| key.name == wrapped.key_name())?;
        Some(SubjectKey::new(account, key.unwrap(account, wrapped)?))
    }

    /// The same data key, wrapped by the current key-encryption key.
    pub(crate) fn rewrap(
        &self,
        account: AccountId,
        wrapped: &WrappedKey,
    ) -> Option<Result<WrappedKey, SealError>> {
        let key = self.unwrap(account, wrapped)?;
        Some(self.current.wrap(account, key.bytes()))
    }

    /// What begins every data key that the current key-encryption key wrapped.
    pub(crate) fn key_name(&self) -> [u8; KEY_NAME_BYTES] {
        self.current.name
    }

    /// What begins every data key that can be unwrapped here: of the current key-encryption key,
    /// and of the one before it, which is the same where there is none.
    pub(crate) fn key_names(&self) -> [[u8; KEY_NAME_BYTES]; 2] {
        let previous = self.previous.as_ref().map_or(self.current.name, |key| key.name);
        [self.current.name, previous]
    }

    /// What earlier versions sealed.
    pub(crate) fn before(&self) -> &Before {
        &self.before
    }

    /// A digest that only this key can make.
    pub(crate) fn digest(&self, purpose: Purpose, owner: &[u8], value: &[u8]) -> [u8; 32] {
        let length = u64::try_from(owner.len()).unwrap_or(u64::MAX).to_be_bytes();
        mac(&*self.digest_key, &[purpose.as_bytes(), &length, owner, value])
    }
}

impl WrappingKey {
    fn derive(master: &[u8]) -> Self {
        let cipher_key = Zeroizing::new(mac(master, &[b"stockade data key wrapping v1"]));
        let digest = mac(master, &[b"stockade data key wrapping name v1"]);
        let name = digest.first_chunk().copied().unwrap_or_default();
        Self { name, cipher: XChaCha20Poly1305::new(&Key::from(*cipher_key)) }
    }

    fn wrap(
        &self,
        account: AccountId,
        key: &[u8; DATA_KEY_BYTES],
    ) -> Result<WrappedKey, SealError> {
        let aad = self.aad(account);
        let sealed = seal(&self.cipher, &aad, key)?;
        Ok(WrappedKey([self.name.as_slice(), &sealed].concat()))
    }

    fn unwrap(
        &self,
        account: AccountId,
        wrapped: &WrappedKey,
    ) -> Option<Zeroizing<[u8; DATA_KEY_BYTES]>> {
        let plain = open(&self.cipher, &self.aad(account), wrapped.sealed())?;
        plain.first_chunk::<DATA_KEY_BYTES>().copied().map(Zeroizing::new)
    }

    fn aad(&self, account: AccountId) -> Vec<u8> {
        [b"stockade data key v1\0".as_slice(), &self.name, account.uuid().as_bytes()].concat()
    }
}

/// Nonce, ciphertext, tag.
fn seal(cipher: &XChaCha20Poly1305, aad: &[u8], msg: &[u8]) -> Result<Vec<u8>, SealError> {
    let mut nonce = [0; NONCE_BYTES];
    getrandom::fill(&mut nonce).map_err(SealError::Entropy)?;
    let sealed = cipher.encrypt(&XNonce::from(nonce), Payload { msg, aad });
    Ok([nonce.as_slice(), &sealed.map_err(|_| SealError::Cipher)?].concat())
}

fn open(cipher: &XChaCha20Poly1305, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let plain = cipher.decrypt(&XNonce::from(*nonce), Payload { msg, aad });
    plain.ok().map(Zeroizing::new)
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
pub(crate) mod tests;
