//! What a new password must be (NIST 800-63B-4, 3.1.1.2): long enough and not one that is guessed
//! first. What it is composed of does not matter.

use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::name::{EmailAddress, Username};
use super::password::Password;

/// Fewest characters in a password that is the only factor.
pub(crate) const PASSWORD_CHARS_MIN: usize = 12;

/// Fewest characters in a password beside a second factor.
pub(crate) const PASSWORD_CHARS_MIN_OF_TWO: usize = 8;

/// Most characters in a password.
pub(crate) const PASSWORD_CHARS_MAX: usize = 256;

/// Digits and signs that do not make a guess a better password when they are added behind it.
const TAIL_CHARS_MAX: usize = 4;

/// What the shop is called.
const SHOP: &str = "stockade";

/// Shortest word that is looked for inside of a password, in characters.
const WORD_CHARS_MIN: usize = 4;

/// Those guessed first, in order.
static BLOCKLIST: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let lines = include_str!("blocklist.txt").lines();
    lines.filter(|line| !line.starts_with('#')).collect()
});

/// Why a new password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WeakPassword {
    #[error("`password` must have at least {0} characters")]
    Short(usize),
    #[error("`password` must have at most {PASSWORD_CHARS_MAX} characters")]
    Long,
    #[error("`password` is one of those guessed first")]
    Guessed,
    #[error("`password` must be more than the user name, the e-mail address or the shop's name")]
    Name,
}

/// Whoever chooses a password.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chooser<'a> {
    pub(crate) username: &'a Username,
    pub(crate) email: &'a EmailAddress,
    pub(crate) has_factor: bool,
}

/// A password that the rules allow.
#[derive(Debug, Clone)]
pub(crate) struct StrongPassword(Password);

impl StrongPassword {
    pub(super) fn password(&self) -> &Password {
        &self.0
    }
}

impl Password {
    /// Whether it may be chosen by this person.
    pub(crate) fn strong_for(self, who: Chooser<'_>) -> Result<StrongPassword, WeakPassword> {
        let least = if who.has_factor { PASSWORD_CHARS_MIN_OF_TWO } else { PASSWORD_CHARS_MIN };
        let chars = self.as_str().chars().count();
        if chars > PASSWORD_CHARS_MAX {
            return Err(WeakPassword::Long);
        }
        if chars < least {
            return Err(WeakPassword::Short(least));
        }
        let folded = Zeroizing::new(self.as_str().to_lowercase());
        if is_guessed(&folded) {
            return Err(WeakPassword::Guessed);
        }
        if without_names(&folded, who).chars().count() < PASSWORD_CHARS_MIN_OF_TWO {
            return Err(WeakPassword::Name);
        }
        Ok(StrongPassword(self))
    }
}

/// Whether it is on the list, as it is or without a few digits and signs behind it.
fn is_guessed(folded: &str) -> bool {
    let mut core = folded;
    for _ in 0..=TAIL_CHARS_MAX {
        if BLOCKLIST.binary_search(&core).is_ok() {
            return true;
        }
        match core.char_indices().next_back() {
            Some((at, last)) if !last.is_alphabetic() => core = core.get(..at).unwrap_or_default(),
            _ => break,
        }
    }
    false
}

/// What is left of it without the words that everybody would try for this person.
fn without_names(folded: &str, who: Chooser<'_>) -> Zeroizing<String> {
    let email = who.email.folded();
    let local = email.split('@').next().unwrap_or_default();
    let username = who.username.folded();
    let mut left = Zeroizing::new(folded.to_owned());
    for word in [email.as_str(), username.as_str(), local, SHOP] {
        if word.chars().count() >= WORD_CHARS_MIN || *left == word {
            *left = left.replace(word, "");
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(password: &str, has_factor: bool) -> Result<(), WeakPassword> {
        let username = Username::parse("annika42").unwrap();
        let email = EmailAddress::parse("ann.lee@example.org").unwrap();
        let who = Chooser { username: &username, email: &email, has_factor };
        Password::from(password.to_owned()).strong_for(who).map(|_| ())
    }

    #[track_caller]
    fn refused(password: &str, expected: WeakPassword) {
        assert_eq!(choose(password, false), Err(expected), "{password}");
    }

    #[test]
    fn what_is_guessed_first_is_refused() {
        refused("elevenchars", WeakPassword::Short(12));
        refused("éééééééé", WeakPassword::Short(12));
        refused(&"a".repeat(257), WeakPassword::Long);
        refused("PasswordPassword", WeakPassword::Guessed);
        refused("qwertyuiop!!", WeakPassword::Guessed);
        refused("Iloveyou2026", WeakPassword::Guessed);
        refused("Annika42Annika42", WeakPassword::Name);
        refused("ann.LEE@example.org", WeakPassword::Name);
        refused("stockade2026", WeakPassword::Name);
        refused("Annika42-Stockade", WeakPassword::Name);
    }

    #[test]
    fn what_is_long_enough_is_taken_whatever_it_is_made_of() {
        let long = "é".repeat(256);
        for password in [
            "correct horse battery staple",
            "aaaaaaaaaaab",
            "joannika is fine",
            "        é    ",
            &long,
        ] {
            assert_eq!(choose(password, false), Ok(()), "{password}");
        }
    }

    #[test]
    fn beside_a_second_factor_eight_characters_are_enough() {
        assert_eq!(choose("eightchr", true), Ok(()));
        assert_eq!(choose("sevench", true), Err(WeakPassword::Short(8)));
        assert_eq!(choose("baseball", true), Err(WeakPassword::Guessed));
        assert_eq!(choose("stockade", true), Err(WeakPassword::Name));
    }

    #[test]
    fn the_blocklist_is_in_order_and_holds_nothing_that_is_too_short_anyway() {
        assert!(BLOCKLIST.len() > 1000);
        assert!(BLOCKLIST.is_sorted());
        for word in BLOCKLIST.iter() {
            assert!(word.chars().count() >= PASSWORD_CHARS_MIN_OF_TWO, "{word}");
            assert_eq!(*word, word.to_lowercase());
        }
    }
}
