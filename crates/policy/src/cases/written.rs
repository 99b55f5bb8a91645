//! Cases as they are written.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::judge::{Denial, Outcome};
use crate::table::Scope;

/// An item of the list: a sentence and what it claims.
pub(super) type Item = BTreeMap<String, Written>;

/// A claim as written. Which keys go together is settled when names are looked up.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    #[serde(rename = "as")]
    pub(super) held: Option<Vec<Spanned<String>>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) mfa: Option<Spanned<String>>,
    pub(super) request: Option<Spanned<OneOrMore>>,
    pub(super) expect: Option<Expectation>,
    pub(super) each: Option<Each>,
    pub(super) only: Option<Vec<Spanned<String>>>,
    pub(super) never: Option<Vec<Spanned<String>>>,
    pub(super) only_routes: Option<Vec<Spanned<String>>>,
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expectation {
    Own,
    Others,
    Any,
    Deny(Denial),
}

impl From<Expectation> for Outcome {
    fn from(expectation: Expectation) -> Self {
        match expectation {
            Expectation::Own => Self::Allow(Scope::Own),
            Expectation::Others => Self::Allow(Scope::Others),
            Expectation::Any => Self::Allow(Scope::Any),
            Expectation::Deny(denial) => Self::Deny(denial),
        }
    }
}

/// A word, or a list of words.
#[derive(Debug)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for OneOrMore {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl<'de> Visitor<'de> for Words {
            type Value = OneOrMore;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a request or a list of requests")
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMore::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(OneOrMore::More(words))
            }
        }

        deserializer.deserialize_any(Words)
    }
}

/// What each role gets by itself, in the order of the file.
#[derive(Debug)]
pub(super) struct Each(pub(super) Vec<(Spanned<String>, Expectation)>);

impl<'de> Deserialize<'de> for Each {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Roles;

        impl<'de> Visitor<'de> for Roles {
            type Value = Each;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("roles, each with what it gets")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut roles = Vec::new();
                while let Some(role) = map.next_entry()? {
                    roles.push(role);
                }
                Ok(Each(roles))
            }
        }

        deserializer.deserialize_map(Roles)
    }
}
