//! Opaque tokens: 32 random bytes that only their holder knows. What is kept is a hash, which
//! is worth nothing to whoever steals the database.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no random bytes: {0}")]
pub(crate) struct NoEntropy(pub(super) getrandom::Error);

/// A token as its holder shows it. It cannot be printed and is wiped when dropped.
#[derive(Clone, serde::Deserialize)]
#[serde(from = "String")]
pub(crate) struct OpaqueToken(Zeroizing<String>);

impl From<String> for OpaqueToken {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(..)")
    }
}

impl OpaqueToken {
    /// A token nobody has seen.
    pub(crate) fn generate() -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes).map_err(NoEntropy)?;
        Ok(Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes.as_slice()))))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

/// A token as it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenHash(pub(crate) [u8; 32]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_tokens_are_alike() {
        let (one, other) = (OpaqueToken::generate().unwrap(), OpaqueToken::generate().unwrap());
        assert_eq!(one.as_str().len(), 43);
        assert_ne!(one.as_str(), other.as_str());
        assert_eq!(one.hash(), OpaqueToken::from(one.as_str().to_owned()).hash());
        assert_eq!(format!("{one:?}"), "OpaqueToken(..)");
    }
}
