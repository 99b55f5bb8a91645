//! A SKU: the name of one sellable thing.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Longest SKU, in characters.
pub(crate) const SKU_CHARS_MAX: usize = 64;

/// One to 64 ASCII letters, digits, `-`, `_` and `.`, beginning with a letter or a digit.
/// Case counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Sku(Arc<str>);

/// The text is not a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a sku is 1 to {SKU_CHARS_MAX} letters, digits, `-`, `_` and `.`")]
pub(crate) struct NotASku;

impl Sku {
    pub(crate) fn parse(text: &str) -> Result<Self, NotASku> {
        let fits = text.len() <= SKU_CHARS_MAX
            && text.starts_with(|first: char| first.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        if fits { Ok(Self(text.into())) } else { Err(NotASku) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Sku {
    type Err = NotASku;

    fn from_str(text: &str) -> Result<Self, NotASku> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Sku {
    type Error = NotASku;

    fn try_from(text: String) -> Result<Self, NotASku> {
        Self::parse(&text)
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.as_str().to_owned()
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_a_plain_word() {
        for text in ["LAMP-1", "a", "9.x_y"] {
            assert_eq!(Sku::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "-a", "a b", "ä", "a/b", &"a".repeat(65)] {
            assert_eq!(Sku::parse(text), Err(NotASku), "{text}");
        }
    }
}
