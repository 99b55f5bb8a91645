//! Passwords: what one must be, and how it is kept.
//!
//! Kept as bcrypt of cost 12 over base64(HMAC-SHA256(pepper, password)): nothing is cut at 72
//! bytes, and a stolen database is worth nothing without the pepper. Rules follow NIST
//! 800-63B-4 (`strength.rs`).
//!
//! Hashing runs apart from requests, a few at once; a bounded number waits, and one more is
//! refused.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::strength::StrongPassword;
use crate::metrics::CoreMetrics;

/// Shortest pepper, in bytes.
pub(crate) const PEPPER_BYTES_MIN: usize = 32;

/// Logins and registrations that may wait for their turn.
const WAITING_MAX: usize = 64;

const COST: u32 = 12;

/// Of the same cost as every other hash, and no password's.
const NOBODYS_HASH: &str = "$2b$12$nobodynobodynobodynobOeAUnoTwodXuBJFkkDkxGh8qZzJvSGvG";

/// A password as somebody typed it. It cannot be printed and is wiped when dropped.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(from = "String")]
pub(crate) struct Password(Zeroizing<String>);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl Password {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A password as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PasswordHash(pub(crate) String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(..)")
    }
}

/// Says that what follows is bcrypt of the password itself, as the old backends kept it.
const PLAIN: &str = "plain:";

/// Largest cost of such a hash; each more doubles the time that a login takes.
const PLAIN_COST_MAX: u32 = 14;

impl PasswordHash {
    /// A bcrypt hash of the password itself: `$2a$`, `$2b$` or `$2y$`.
    pub(crate) fn of_an_old_backend(text: &str) -> Option<Self> {
        let parts: bcrypt::HashParts = text.parse().ok()?;
        let known = ["$2a$", "$2b$", "$2y$"].iter().any(|prefix| text.starts_with(prefix));
        let (_, salt_and_hash) = text.split_at_checked(7)?;
        let whole = salt_and_hash.len() == 53
            && salt_and_hash.bytes().all(|b| b.is_ascii_alphanumeric() || b"./".contains(&b));
        let fits = known && whole && parts.get_cost() <= PLAIN_COST_MAX;
        fits.then(|| Self(format!("{PLAIN}{text}")))
    }

    /// The hash, if it is of the password itself.
    fn plain(&self) -> Option<&str> {
        self.0.strip_prefix(PLAIN)
    }
}

/// Why a password was neither hashed nor checked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HashError {
    #[error("too many passwords wait to be hashed")]
    Busy,
    #[error("bcrypt failed")]
    Bcrypt(#[from] bcrypt::BcryptError),
    #[error("hashing was interrupted")]
    Interrupted,
}

/// The pepper is shorter than [`PEPPER_BYTES_MIN`].
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the pepper has {0} bytes; at least {PEPPER_BYTES_MIN} are needed")]
pub(crate) struct WeakPepper(usize);

/// Hashes and checks passwords.
pub(crate) struct Passwords {
    pepper: Zeroizing<Vec<u8>>,
    /// Those hashing.
    turns: Arc<Semaphore>,
    /// Those hashing and those waiting.
    places: Arc<Semaphore>,
    metrics: Arc<CoreMetrics>,
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("turns", &self.turns).finish_non_exhaustive()
    }
}

impl Passwords {
    pub(crate) fn new(
        pepper: Vec<u8>,
        hashes_max: usize,
        metrics: Arc<CoreMetrics>,
    ) -> Result<Self, WeakPepper> {
        if pepper.len() < PEPPER_BYTES_MIN {
            return Err(WeakPepper(pepper.len()));
        }
        Ok(Self {
            pepper: Zeroizing::new(pepper),
            turns: Arc::new(Semaphore::new(hashes_max.min(Semaphore::MAX_PERMITS))),
            places: Arc::new(Semaphore::new(
                hashes_max.saturating_add(WAITING_MAX).min(Semaphore::MAX_PERMITS),
            )),
            metrics,
        })
    }

    /// A password as it is to be kept.
    pub(crate) async fn hash(&self, password: &StrongPassword) -> Result<PasswordHash, HashError> {
        let peppered = self.pepper(password.password());
        let hash = self.in_turn(move || bcrypt::hash(peppered.as_str(), COST)).await?;
        Ok(PasswordHash(hash))
    }

    /// Whether it is the password kept as `hash`. Without a hash the answer is no, and takes
    /// as long.
    pub(crate) async fn verify(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<bool, HashError> {
        // SECURITY: without the same work for unknown names, time would tell which names exist.
        let known = hash.is_some();
        let plain = hash.and_then(PasswordHash::plain).map(str::to_owned);
        let of_ours = hash.filter(|hash| hash.plain().is_none());
        let of_ours = of_ours.map_or_else(|| NOBODYS_HASH.to_owned(), |hash| hash.0.clone());
        let (peppered, typed) = (self.pepper(password), password.clone());
        let verify = move || match plain {
            None => bcrypt::verify(peppered.as_str(), &of_ours),
            Some(plain) => {
                let fits = bcrypt::verify(typed.0.as_bytes(), &plain)?;
                // One that fits is hashed again, which takes as long.
                if !fits {
                    bcrypt::verify(peppered.as_str(), &of_ours)?;
                }
                Ok(fits)
            }
        };
        Ok(self.in_turn(verify).await? && known)
    }

    /// The password as it is to be kept from now on, where `hash` is of an earlier kind.
    pub(crate) async fn upgrade(
        &self,
        password: &Password,
        hash: Option<&PasswordHash>,
    ) -> Result<Option<PasswordHash>, HashError> {
        if hash.is_none_or(|hash| hash.plain().is_none()) {
            return Ok(None);
        }
        let peppered = self.pepper(password);
        let hash = self.in_turn(move || bcrypt::hash(peppered.as_str(), COST)).await?;
        Ok(Some(PasswordHash(hash)))
    }

    fn pepper(&self, password: &Password) -> Zeroizing<String> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.pepper).expect("HMAC takes a key of any length");
        mac.update(password.0.as_bytes());
        Zeroizing::new(STANDARD.encode(mac.finalize().into_bytes()))
    }

    /// Runs the work on a thread of its own, when its turn comes. The turn is the work's, so
    /// somebody who hangs up does not free it.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, bcrypt::BcryptError> + Send + 'static,
    ) -> Result<T, HashError> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| HashError::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| HashError::Interrupted)?;
        let metrics = Arc::clone(&self.metrics);
        let done = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            let started = Instant::now();
            let done = work();
            metrics.password_hashed(started.elapsed());
            done
        });
        Ok(done.await.map_err(|_| HashError::Interrupted)??)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_costs_as_much_as_anybodys() {
        let parts: bcrypt::HashParts = NOBODYS_HASH.parse().unwrap();
        assert_eq!(parts.get_cost(), COST);
        assert!(!bcrypt::verify("", NOBODYS_HASH).unwrap());
    }

    #[tokio::test]
    async fn a_bounded_number_waits() {
        let metrics = Arc::new(CoreMetrics::register(&prometheus::Registry::new()).unwrap());
        let passwords = Passwords::new(vec![0; PEPPER_BYTES_MIN], 1, metrics).unwrap();
        let password = Password::from("whatever".to_owned());
        let mut tries = Vec::new();
        for _ in 0..=WAITING_MAX {
            let mut one = Box::pin(passwords.verify(&password, None));
            assert!(futures::poll!(&mut one).is_pending());
            tries.push(one);
        }
        assert!(matches!(passwords.verify(&password, None).await, Err(HashError::Busy)));
        // Whoever hangs up makes room for another.
        tries.pop();
        assert!(futures::poll!(Box::pin(passwords.verify(&password, None))).is_pending());
    }

    const OLD_2A: (&str, &str) =
        ("$2a$10$wD78GZf2ywik/tlxtS5NPeGw/zCF..wh8YwymahkOXy6waaR0.tTa", "admin pass été");
    const OLD_2B: (&str, &str) =
        ("$2b$10$wH2tq6jTYd8PPgVMn.PCOO0eQiEhxMvcWo7lTJb8aiMg9algXINRG", "customer-pass-1");
    const OLD_2Y: (&str, &str) =
        ("$2y$10$abcdefghijklmnopqrstuuynm03nJ8hZ5d5v5xYSaOrhblwTdDn66", "php pass word");
    /// Of 72 times `a`.
    const OLD_LONG: &str = "$2b$04$fEHp.JMl7EqXtNN0RP7m3.k60CdOaCDa5BSRcHHF6SyisfBKfr8Aa";

    fn passwords() -> Passwords {
        let metrics = Arc::new(CoreMetrics::register(&prometheus::Registry::new()).unwrap());
        Passwords::new(vec![0; PEPPER_BYTES_MIN], 1, metrics).unwrap()
    }

    /// Made by other programs: Python's bcrypt 5.0 and libxcrypt.
    #[tokio::test]
    async fn hashes_of_the_old_backends_are_verified_and_upgraded() {
        let passwords = passwords();
        let long = "a".repeat(80);
        for (hash, password) in [
            OLD_2A,
            OLD_2B,
            OLD_2Y,
            // Those backends saw no more than 72 bytes.
            (OLD_LONG, long.as_str()),
        ] {
            let hash = PasswordHash::of_an_old_backend(hash).unwrap();
            let typed = Password::from(password.to_owned());
            assert!(passwords.verify(&typed, Some(&hash)).await.unwrap(), "{hash:?}");
            let wrong = Password::from(format!("x{password}"));
            assert!(!passwords.verify(&wrong, Some(&hash)).await.unwrap());

            let upgraded = passwords.upgrade(&typed, Some(&hash)).await.unwrap().unwrap();
            assert!(passwords.verify(&typed, Some(&upgraded)).await.unwrap());
            assert_eq!(passwords.upgrade(&typed, Some(&upgraded)).await.unwrap(), None);
        }
        // What is upgraded is the password as it was typed: nothing is cut any more.
        let hash = PasswordHash::of_an_old_backend(OLD_LONG).unwrap();
        let typed = Password::from(long.clone());
        let upgraded = passwords.upgrade(&typed, Some(&hash)).await.unwrap().unwrap();
        let shorter = Password::from("a".repeat(72));
        assert!(!passwords.verify(&shorter, Some(&upgraded)).await.unwrap());
    }

    #[test]
    fn what_is_no_bcrypt_hash_is_not_taken() {
        for text in [
            "",
            "secret",
            "$1$salt$hash",
            "$2x$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "$2a$16$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
            "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhW",
            "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lh!!",
        ] {
            assert_eq!(PasswordHash::of_an_old_backend(text), None, "{text}");
        }
    }
}
