//! Recovery codes: ten ways in for somebody who lost their second factor, each good once.
//!
//! A code has 50 random bits; what is kept is a digest under the vault's key, so that a stolen
//! database alone cannot be searched for codes.

use std::collections::BTreeSet;
use std::fmt;

use zeroize::Zeroizing;

use super::opaque::NoEntropy;
use super::totp::encode;
use crate::ids::{AccountId, Id as _};
use crate::vault::{Purpose, Vault};

/// Codes given out at once.
const RECOVERY_CODES: usize = 10;

/// Letters in a code, without its hyphen.
const LETTERS: usize = 10;

/// A code as its holder writes it. It cannot be printed and is wiped when dropped.
pub(crate) struct RecoveryCode(Zeroizing<String>);

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

/// A code as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecoveryDigest(pub(crate) [u8; 32]);

impl RecoveryCode {
    /// A fresh set for one account.
    pub(crate) fn generate() -> Result<Vec<Self>, NoEntropy> {
        (0..RECOVERY_CODES).map(|_| Self::one()).collect()
    }

    fn one() -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0; 7]);
        getrandom::fill(&mut *bytes).map_err(NoEntropy)?;
        let text = Zeroizing::new(encode(&*bytes).to_ascii_lowercase());
        Ok(Self(Zeroizing::new(text.chars().take(LETTERS).collect())))
    }

    /// Reads a code however it was copied: case, spaces and hyphens do not count.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let letters = text.chars().filter(|c| !matches!(c, ' ' | '-'));
        let code: Zeroizing<String> =
            Zeroizing::new(letters.map(|c| c.to_ascii_lowercase()).collect());
        let fits = code.len() == LETTERS
            && code.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
        fits.then_some(Self(code))
    }

    /// In two halves, as it is shown.
    pub(crate) fn to_text(&self) -> String {
        let (one, other) = self.0.split_at(LETTERS / 2);
        format!("{one}-{other}")
    }

    pub(crate) fn digest(&self, vault: &Vault, account: AccountId) -> RecoveryDigest {
        let owner = account.uuid();
        RecoveryDigest(vault.digest(Purpose::RecoveryCode, owner.as_bytes(), self.0.as_bytes()))
    }
}

/// What is kept of these codes.
pub(crate) fn digests(
    codes: &[RecoveryCode],
    vault: &Vault,
    account: AccountId,
) -> BTreeSet<RecoveryDigest> {
    codes.iter().map(|code| code.digest(vault, account)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_was_shown_or_typed() {
        let vault = crate::vault::tests::vault();
        let (ann, bob) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let (ann, bob) = (AccountId::from_uuid(ann), AccountId::from_uuid(bob));
        let codes = RecoveryCode::generate().unwrap();
        assert_eq!(digests(&codes, &vault, ann).len(), RECOVERY_CODES);
        let shown = codes[0].to_text();
        assert_eq!((shown.len(), shown.find('-')), (11, Some(5)));
        let typed = RecoveryCode::parse(&shown.to_uppercase().replace('-', " ")).unwrap();
        assert_eq!(typed.digest(&vault, ann), codes[0].digest(&vault, ann));
        assert_ne!(typed.digest(&vault, bob), codes[0].digest(&vault, ann));
        assert_eq!(format!("{typed:?}"), "RecoveryCode(..)");
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "abcde", "abcde-fghi1", "abcde-fghijk", "äbcde-fghij", "123456"] {
            assert!(RecoveryCode::parse(text).is_none(), "{text}");
        }
    }
}
