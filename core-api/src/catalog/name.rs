//! What products and categories are called and how they are described: text of bounded length
//! without control characters, kept as it was written.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Shortest and longest name of a product, in characters.
pub(crate) const PRODUCT_NAME_CHARS: RangeInclusive<usize> = 3..=200;

/// Longest description, in characters.
pub(crate) const DESCRIPTION_CHARS_MAX: usize = 5_000;

/// Longest name of a category, in characters.
pub(crate) const CATEGORY_NAME_CHARS_MAX: usize = 100;

/// A product's name: 3 to 200 characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct ProductName(String);

/// A product's description: at most 5000 characters, on as many lines as it takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Description(String);

/// A category's name: 1 to 100 characters on one line. Compared folded: case does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct CategoryName(String);

/// Why text is none of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TextError {
    #[error("a product's name is 3 to 200 characters on one line")]
    ProductName,
    #[error("a description is at most {DESCRIPTION_CHARS_MAX} characters, and none that controls")]
    Description,
    #[error("a category's name is 1 to {CATEGORY_NAME_CHARS_MAX} characters on one line")]
    CategoryName,
}

impl ProductName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is searched.
    pub(crate) fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl TryFrom<String> for ProductName {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        if is_line(&text, &PRODUCT_NAME_CHARS) {
            Ok(Self(text))
        } else {
            Err(TextError::ProductName)
        }
    }
}

impl Description {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Description {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let fits = text.chars().count() <= DESCRIPTION_CHARS_MAX
            && text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
        if fits { Ok(Self(text)) } else { Err(TextError::Description) }
    }
}

impl CategoryName {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn folded(&self) -> String {
        self.0.to_lowercase()
    }
}

impl TryFrom<String> for CategoryName {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let fits = is_line(&text, &(1..=CATEGORY_NAME_CHARS_MAX));
        if fits { Ok(Self(text)) } else { Err(TextError::CategoryName) }
    }
}

/// Whether text shows as one line of so many characters; space around it does not count as any.
fn is_line(text: &str, chars: &RangeInclusive<usize>) -> bool {
    chars.contains(&text.trim().chars().count())
        && text.chars().count() <= *chars.end()
        && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(text: &str) -> bool {
        ProductName::try_from(text.to_owned()).is_ok()
    }

    #[test]
    fn a_name_is_one_line_of_bounded_length() {
        assert!(product("Mug") && product("Кружка <b>") && product(&"é".repeat(200)));
        for text in ["", "ab", "   ", " ab ", "a\nbc", "a\0bc", &"é".repeat(201)] {
            assert!(!product(text), "{text}");
        }
    }

    #[test]
    fn a_description_may_be_empty_and_have_lines() {
        for text in ["", "one\r\n\ttwo", &"é".repeat(5_000)] {
            assert!(Description::try_from(text.to_owned()).is_ok(), "{text}");
        }
        for text in ["a\0b", "\u{1b}[31m", &"é".repeat(5_001)] {
            assert!(Description::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_category_is_named_in_any_case() {
        let name = CategoryName::try_from("Für Küche".to_owned()).unwrap();
        assert_eq!((name.as_str(), name.folded().as_str()), ("Für Küche", "für küche"));
        assert!(CategoryName::try_from(" ".to_owned()).is_err());
    }
}
