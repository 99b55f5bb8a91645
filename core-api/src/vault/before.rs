//! What versions before data keys sealed: second factors, straight under the key from the file.
//! It is opened once, to be sealed anew.

use chacha20poly1305::{Key, KeyInit as _, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::{Sealed, mac, open};
use crate::ids::{AccountId, Id as _};

/// Opens what an earlier version sealed.
pub(crate) struct Before(XChaCha20Poly1305);

impl Before {
    pub(super) fn derive(master: &[u8]) -> Self {
        let key = Zeroizing::new(mac(master, &[b"stockade vault cipher v1"]));
        Self(XChaCha20Poly1305::new(&Key::from(*key)))
    }

    /// The secret of an account's second factor.
    pub(crate) fn totp_secret(
        &self,
        account: AccountId,
        sealed: &Sealed,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let aad = [b"stockade totp secret v1\0".as_slice(), account.uuid().as_bytes()].concat();
        open(&self.0, &aad, &sealed.0)
    }

    /// Seals as an earlier version did.
    #[cfg(test)]
    pub(crate) fn seal_totp_secret(&self, account: AccountId, secret: &[u8]) -> Sealed {
        let aad = [b"stockade totp secret v1\0".as_slice(), account.uuid().as_bytes()].concat();
        Sealed(super::seal(&self.0, &aad, secret).unwrap())
    }
}
