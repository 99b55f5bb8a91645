//! Keys that sign assertions: derived per upstream from one master secret, two active at most.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop};

type HmacSha256 = Hmac<Sha256>;

/// Shortest master secret accepted, in bytes.
pub const MASTER_BYTES_MIN: usize = 32;

/// The master secret is shorter than [`MASTER_BYTES_MIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the assertion secret has {0} bytes; at least {MASTER_BYTES_MIN} are needed")]
pub struct WeakMaster(pub usize);

/// Names a key without revealing it: the first eight hex digits of a hash over it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyId(String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One signing key. It cannot be printed and is wiped when dropped.
#[derive(Clone)]
pub struct AssertionKey {
    id: KeyId,
    secret: Secret,
}

#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Secret([u8; 32]);

impl AssertionKey {
    /// Derives the key for one upstream from the master secret, so that one upstream's key
    /// says nothing about another's.
    ///
    /// # Errors
    /// [`WeakMaster`] when the secret is too short to be one.
    pub fn derive(master: &[u8], upstream: &str) -> Result<Self, WeakMaster> {
        if master.len() < MASTER_BYTES_MIN {
            return Err(WeakMaster(master.len()));
        }
        let mut mac = keyed(master);
        mac.update(b"stockade assertion key v1\0");
        mac.update(upstream.as_bytes());
        let secret = Secret(mac.finalize().into_bytes().into());
        let id = Sha256::new().chain_update(b"stockade key id v1\0").chain_update(secret.0);
        let id = id.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id: KeyId(id), secret })
    }

    /// The key's public name.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    pub(super) fn mac(&self, prefix: &str, payload: &[u8]) -> [u8; 32] {
        self.begin(prefix, payload).finalize().into_bytes().into()
    }

    /// Compares in constant time.
    pub(super) fn verifies(&self, prefix: &str, payload: &[u8], mac: &[u8]) -> bool {
        self.begin(prefix, payload).verify_slice(mac).is_ok()
    }

    fn begin(&self, prefix: &str, payload: &[u8]) -> HmacSha256 {
        let mut mac = keyed(&self.secret.0);
        mac.update(prefix.as_bytes());
        mac.update(payload);
        mac
    }
}

impl fmt::Debug for AssertionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AssertionKey").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The keys in force: one that signs, and during a rotation one more that is still believed.
#[derive(Debug, Clone)]
pub struct Keyring {
    current: AssertionKey,
    previous: Option<AssertionKey>,
}

impl Keyring {
    /// A ring with one key.
    pub fn new(current: AssertionKey) -> Self {
        Self { current, previous: None }
    }

    /// The same ring, still believing `previous`.
    #[must_use]
    pub fn believing(mut self, previous: AssertionKey) -> Self {
        self.previous = Some(previous);
        self
    }

    pub(super) fn current(&self) -> &AssertionKey {
        &self.current
    }

    pub(super) fn find(&self, id: &str) -> Option<&AssertionKey> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|key| key.id.0 == id)
    }
}

fn keyed(secret: &[u8]) -> HmacSha256 {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
    HmacSha256::new_from_slice(secret).expect("HMAC takes a key of any length")
}
