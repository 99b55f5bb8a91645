//! The keys that sign access tokens, and what others may know of them (RFC 7517).
//!
//! There is one key, or there are several while one follows another
//! ([`key_files`](crate::key_files)). All are published at once. A key signs [`LEAD`] after it was made, so that nobody sees a token before its key; the one before it
//! is published until its last token has ended. The files alone say so: several cores agree,
//! and a start changes nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use std::{fmt, io};

use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse, ThumbprintHash,
};
use jsonwebtoken::{Algorithm, EncodingKey};
use stockade_settings::secret::{self, SecretError};
use zeroize::Zeroizing;

use crate::clock::Timestamp;
use crate::key_files::followers;

/// How long a key is published before it signs: the edge asks for keys more often.
pub(crate) const LEAD: Duration = Duration::from_mins(10);

/// How much longer than its tokens a key is published: clocks differ.
const LEEWAY: Duration = Duration::from_mins(5);

/// Most keys at once.
const KEYS_MAX: usize = 8;

/// Why a file is not a signing key.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SigningKeyError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("`{}` is not a P-256 private key in PKCS#8 PEM; make one with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256`", .path.display())]
    NotAKey { path: PathBuf },
    #[error("`{}` and those beside it are more than {KEYS_MAX} keys; move the oldest of those over it", .path.display())]
    TooMany { path: PathBuf },
    #[error("cannot look for keys beside `{}`: {why}", .path.display())]
    Folder { path: PathBuf, why: io::Error },
}

/// An ES256 key. It cannot be printed.
pub(crate) struct SigningKey {
    encoding: EncodingKey,
    id: String,
    public: Jwk,
    /// When it begins to sign, in seconds since 1970 UTC.
    signs_from: u64,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads a key from a file that is its owner's alone.
    fn read(path: &Path, signs_from: u64) -> Result<Self, SigningKeyError> {
        let pem = Zeroizing::new(secret::read(path)?);
        Self::parse(&pem, signs_from)
            .ok_or_else(|| SigningKeyError::NotAKey { path: path.to_owned() })
    }

    fn parse(pem: &[u8], signs_from: u64) -> Option<Self> {
        let encoding = EncodingKey::from_ec_pem(pem).ok()?;
        let mut public = Jwk::from_encoding_key(&encoding, Algorithm::ES256).ok()?;
        let AlgorithmParameters::EllipticCurve(parameters) = &public.algorithm else { return None };
        if parameters.curve != EllipticCurve::P256 {
            return None;
        }
        let id = public.thumbprint(ThumbprintHash::SHA256).ok()?;
        public.common.key_id = Some(id.clone());
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        Some(Self { encoding, id, public, signs_from })
    }

    /// The key's thumbprint (RFC 7638).
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn encoding(&self) -> &EncodingKey {
        &self.encoding
    }
}

/// The keys as they were last read.
#[derive(Debug)]
pub(crate) struct SigningKeys {
    file: PathBuf,
    /// In the order in which they sign; never empty.
    keys: RwLock<Arc<[Arc<SigningKey>]>>,
}

impl SigningKeys {
    /// Reads the key of this file, and those beside it.
    pub(crate) fn read(file: &Path) -> Result<Self, SigningKeyError> {
        let keys = RwLock::new(read_all(file)?);
        Ok(Self { file: file.to_owned(), keys })
    }

    /// Reads them again; what cannot be used leaves everything as it is. Whether there are
    /// others now.
    pub(crate) fn reread(&self) -> Result<bool, SigningKeyError> {
        let fresh = read_all(&self.file)?;
        let before = self.all();
        let ids = |keys: &[Arc<SigningKey>]| -> Vec<String> {
            keys.iter().map(|key| key.id.clone()).collect()
        };
        let differ = ids(&before) != ids(&fresh);
        if differ {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(differ)
    }

    /// The key that signs at `now`; nothing is signed where there is none.
    pub(crate) fn current(&self, now: Timestamp) -> Option<Arc<SigningKey>> {
        let keys = self.all();
        let signing = keys.iter().rfind(|key| key.signs_from <= now.secs());
        signing.or(keys.first()).cloned()
    }

    /// The key set others verify tokens with that live `token_life` at most.
    pub(crate) fn public(&self, now: Timestamp, token_life: Duration) -> JwkSet {
        let keys = self.all();
        let kept = token_life.saturating_add(LEEWAY).as_secs();
        let followers = keys.iter().skip(1).map(Some).chain([None]);
        let needed = keys.iter().zip(followers).filter(|(_, follower)| {
            follower.is_none_or(|next| next.signs_from.saturating_add(kept) > now.secs())
        });
        JwkSet { keys: needed.map(|(key, _)| key.public.clone()).collect() }
    }

    fn all(&self) -> Arc<[Arc<SigningKey>]> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read_all(file: &Path) -> Result<Arc<[Arc<SigningKey>]>, SigningKeyError> {
    // The first key signs from the beginning of time.
    let mut keys = vec![SigningKey::read(file, 0)?];
    let unseen = |why| SigningKeyError::Folder { path: file.to_owned(), why };
    for (path, made_at) in followers(file).map_err(unseen)? {
        if keys.len() >= KEYS_MAX {
            return Err(SigningKeyError::TooMany { path: file.to_owned() });
        }
        keys.push(SigningKey::read(&path, made_at.saturating_add(LEAD.as_secs()))?);
    }
    keys.sort_by_key(|key| key.signs_from);
    Ok(keys.into_iter().map(Arc::new).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn made() -> String {
        rcgen::KeyPair::generate().unwrap().serialize_pem()
    }

    #[test]
    fn what_cannot_be_used_leaves_the_keys_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signing-key.pem");
        let beside = |suffix: &str| folder.path().join(format!("signing-key.pem.{suffix}"));
        write(&file, &made());
        let keys = SigningKeys::read(&file).unwrap();
        for suffix in ["draft", "old", "-1", "", "99999999999999999999"] {
            write(&beside(suffix), "not a key");
        }
        assert!(!keys.reread().unwrap());

        write(&beside("8"), &made());
        write(&beside("7"), "not a key");
        assert!(keys.reread().is_err());
        let now = Timestamp::from_micros(0);
        assert_eq!(keys.public(now, Duration::ZERO).keys.len(), 1);
        fs::remove_file(beside("7")).unwrap();
        assert!(keys.reread().unwrap());
        assert_eq!(keys.public(now, Duration::ZERO).keys.len(), 2);
        for at in 10..17 {
            write(&beside(&at.to_string()), &made());
        }
        assert!(matches!(keys.reread(), Err(SigningKeyError::TooMany { .. })));
    }

    #[test]
    fn the_next_key_moved_over_the_first_goes_on_signing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("signing-key.pem");
        let beside = |suffix: &str| folder.path().join(format!("signing-key.pem.{suffix}"));
        for path in [file.clone(), beside("1000"), beside("2000")] {
            write(&path, &made());
        }
        let keys = SigningKeys::read(&file).unwrap();
        let seconds = |at: u64| Timestamp::from_micros(i64::try_from(at * 1_000_000).unwrap());
        let signing = |at| keys.current(seconds(at)).unwrap().id().to_owned();
        let (first, second, third) = (signing(0), signing(1999), signing(9000));
        assert!(first != second && second != third);

        fs::remove_file(&file).unwrap();
        assert!(keys.reread().is_err());
        fs::rename(beside("1000"), &file).unwrap();
        assert!(keys.reread().unwrap());
        assert_eq!((signing(0), signing(1999), signing(9000)), (second.clone(), second, third));
        assert_eq!(keys.public(seconds(2000), Duration::ZERO).keys.len(), 2);
        assert!(SigningKeys::read(&file).is_ok());
    }
}
