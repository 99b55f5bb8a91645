//! Passwords: what one must be, and how it is kept.
//!
//! Kept as bcrypt of cost 12 over base64(HMAC-SHA256(pepper, password)): nothing is cut at 72
//! bytes, and a stolen database is worth nothing without the pepper. Rules follow NIST
//! 800-63B-4: length and a blocklist, no composition.
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

use super::name::{EmailAddress, Username};
use crate::metrics::CoreMetrics;

/// Fewest characters in a new password.
pub(crate) const PASSWORD_CHARS_MIN: usize = 12;

/// Longest password, in bytes.
pub(crate) const PASSWORD_BYTES_MAX: usize = 1024;

/// Shortest pepper, in bytes.
pub(crate) const PEPPER_BYTES_MIN: usize = 32;

/// Logins and registrations that may wait for their turn.
const WAITING_MAX: usize = 64;

const COST: u32 = 12;

/// Of the same cost as every other hash, and no password's.
const NOBODYS_HASH: &str = "$2b$12$nobodynobodynobodynobOeAUnoTwodXuBJFkkDkxGh8qZzJvSGvG";

/// Long enough, and guessed first.
const BLOCKLIST: [&str; 28] = [
    "000000000000",
    "111111111111",
    "123123123123",
    "123456123456",
    "123456789012",
    "1234567890123",
    "12345678901234",
    "123456789abc",
    "1q2w3e4r5t6y",
    "1qaz2wsx3edc",
    "abcdefghijkl",
    "abcd12345678",
    "adminadminadmin",
    "administrator",
    "changemenow1",
    "changemeplease",
    "iloveyouforever",
    "letmeinletmein",
    "passw0rd1234",
    "password1234",
    "password12345",
    "passwordpassword",
    "qazwsxedcrfv",
    "qwerty123456",
    "qwertyqwerty",
    "qwertyuiop12",
    "qwertyuiop123",
    "welcome12345",
];

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

/// Why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakPassword {
    #[error("`password` must have at least {PASSWORD_CHARS_MIN} characters")]
    Short,
    #[error("`password` must have at most {PASSWORD_BYTES_MAX} bytes")]
    Long,
    #[error("`password` is one of those guessed first")]
    Guessed,
    #[error("`password` must not be the user name or the e-mail address")]
    Name,
}

impl Password {
    /// Whether it may be chosen by this person.
    pub(crate) fn strong_for(
        self,
        username: &Username,
        email: &EmailAddress,
    ) -> Result<StrongPassword, WeakPassword> {
        if self.0.len() > PASSWORD_BYTES_MAX {
            return Err(WeakPassword::Long);
        }
        if self.0.chars().count() < PASSWORD_CHARS_MIN {
            return Err(WeakPassword::Short);
        }
        let folded = Zeroizing::new(self.0.to_lowercase());
        if *folded == username.folded() || *folded == email.folded() {
            return Err(WeakPassword::Name);
        }
        if BLOCKLIST.contains(&folded.as_str()) {
            return Err(WeakPassword::Guessed);
        }
        Ok(StrongPassword(self))
    }
}

/// A password that the rules allow.
#[derive(Debug, Clone)]
pub(crate) struct StrongPassword(Password);

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

impl PasswordHash {
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
        let peppered = self.pepper(&password.0);
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

    #[track_caller]
    fn refused(password: &str, expected: WeakPassword) {
        let (name, email) = (Username::parse("annannannann").unwrap(), "ann@example.org");
        let email = EmailAddress::parse(email).unwrap();
        let password = Password::from(password.to_owned());
        assert_eq!(password.strong_for(&name, &email).err(), Some(expected));
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        refused("elevenchars", WeakPassword::Short);
        refused("éééééééé", WeakPassword::Short);
        refused(&"a".repeat(1025), WeakPassword::Long);
        refused("PasswordPassword", WeakPassword::Guessed);
        refused("AnnAnnAnnAnn", WeakPassword::Name);
        refused("ann@EXAMPLE.org", WeakPassword::Name);
    }

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

    #[test]
    fn the_blocklist_holds_nothing_that_is_too_short_anyway() {
        assert!(BLOCKLIST.iter().all(|word| word.chars().count() >= PASSWORD_CHARS_MIN));
        assert!(BLOCKLIST.iter().all(|word| *word == word.to_lowercase()));
    }
}
