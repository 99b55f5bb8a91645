//! The key of one account, under which everything confidential of its owner is sealed.
//!
//! A value is sealed with XChaCha20-Poly1305 under a random nonce, for its field and its account:
//! one that is moved elsewhere does not open.

use std::fmt;

use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::{DATA_KEY_BYTES, KEY_NAME_BYTES, SealError, open, seal};
use crate::ids::{AccountId, Id as _};
use crate::privacy::{Confidential, SealedField};

/// A sealed value as it is kept: nonce, ciphertext, tag.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Sealed(pub(crate) Vec<u8>);

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(..)")
    }
}

/// A data key as it is kept: the name of the key that wrapped it, nonce, ciphertext, tag.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WrappedKey(pub(crate) Vec<u8>);

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WrappedKey(..)")
    }
}

impl WrappedKey {
    pub(super) fn key_name(&self) -> [u8; KEY_NAME_BYTES] {
        self.0.first_chunk().copied().unwrap_or_default()
    }

    pub(super) fn sealed(&self) -> &[u8] {
        self.0.get(KEY_NAME_BYTES..).unwrap_or_default()
    }
}

/// Seals and opens what is one account's. It cannot be printed and is wiped when dropped.
pub(crate) struct SubjectKey {
    account: AccountId,
    bytes: Zeroizing<[u8; DATA_KEY_BYTES]>,
}

impl fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SubjectKey(..)")
    }
}

impl SubjectKey {
    pub(super) fn new(account: AccountId, bytes: Zeroizing<[u8; DATA_KEY_BYTES]>) -> Self {
        Self { account, bytes }
    }

    pub(super) fn bytes(&self) -> &[u8; DATA_KEY_BYTES] {
        &self.bytes
    }

    /// Seals a value: its type says for which field.
    pub(crate) fn seal<T: Confidential>(&self, value: &T) -> Result<Sealed, SealError> {
        seal(&self.cipher(), &self.aad(T::FIELD), &value.to_plain()).map(Sealed)
    }

    /// The value; nothing where it was sealed for something else, or with another key.
    pub(crate) fn open<T: Confidential>(&self, sealed: &Sealed) -> Option<T> {
        T::from_plain(&open(&self.cipher(), &self.aad(T::FIELD), &sealed.0)?)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.bytes))
    }

    fn aad(&self, field: SealedField) -> Vec<u8> {
        let name = field.as_str().as_bytes();
        [b"stockade field v1\0".as_slice(), name, b"\0", self.account.uuid().as_bytes()].concat()
    }
}
