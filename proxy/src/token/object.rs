//! A JSON object whose members are unique, as RFC 7515, 4 and RFC 7519, 4 demand.

use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::TokenError;

/// The members, by name.
#[derive(Debug)]
pub(super) struct Object(Map<String, Value>);

impl Object {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(bytes).map_err(|_| TokenError::Malformed)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// A member that is a string, or absent.
    pub(super) fn take_text(&mut self, name: &str) -> Result<Option<String>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(TokenError::Malformed),
        }
    }

    /// A member that is a `NumericDate` (RFC 7519, 2), or absent.
    pub(super) fn take_date(&mut self, name: &str) -> Result<Option<f64>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Number(number)) => match number.as_f64() {
                Some(date) if date.is_finite() => Ok(Some(date)),
                _ => Err(TokenError::Malformed),
            },
            Some(_) => Err(TokenError::Malformed),
        }
    }

    /// A member that is a string or a list of strings, or absent.
    pub(super) fn take_list(&mut self, name: &str) -> Result<Option<Vec<String>>, TokenError> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(vec![text])),
            Some(list @ Value::Array(_)) => {
                serde_json::from_value(list).map(Some).map_err(|_| TokenError::Malformed)
            }
            Some(_) => Err(TokenError::Malformed),
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("a member is repeated"));
                    }
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
