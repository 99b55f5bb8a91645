//! The name of an image's files: random, so that nobody finds an image whom it was not shown.

use std::fmt;
use std::str::FromStr;

/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 16;

/// 128 random bits; written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ImageKey(pub(crate) [u8; KEY_BYTES]);

/// The text is not 32 small hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key of an image")]
pub(crate) struct NotAKey;

impl ImageKey {
    /// A key that nobody has seen.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for ImageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ImageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ImageKey {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let is_digits = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() != 2 * KEY_BYTES || !is_digits {
            return Err(NotAKey);
        }
        u128::from_str_radix(text, 16).map(|key| Self(key.to_be_bytes())).map_err(|_| NotAKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling() {
        let key = ImageKey::random().unwrap();
        let text = key.to_string();
        assert_eq!((text.len(), text.parse()), (32, Ok(key)));
        for other in ["", "../../etc/passwd", &text.to_uppercase().replace('0', "A"), &text[1..]] {
            assert!(other.parse::<ImageKey>().is_err() || other == text, "{other}");
        }
    }
}
