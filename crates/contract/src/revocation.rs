//! Revocations as the core tells them and the edge follows them.
//!
//! The edge asks `GET /internal/revocations?after=SEQ` with the last sequence number it knows,
//! or 0, and gets what followed, in order, at most [`BATCH_MAX`] at once. What is older than any
//! access token that still lives is left out.

use serde::{Deserialize, Serialize};

/// Most revocations in one answer; as many mean that there may be more.
pub const BATCH_MAX: u32 = 1000;

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocations {
    /// In the order of their sequence numbers, which rise and may have gaps.
    pub items: Vec<Revocation>,
}

/// Which access tokens are not to be believed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    /// Its place in the order.
    pub seq: u64,
    /// Whose tokens.
    #[serde(flatten)]
    pub revoked: Revoked,
}

/// Whose tokens are not to be believed any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revoked {
    /// Those with this `sub` whose `iat` is less than `not_before`, in seconds since 1970 UTC.
    Subject {
        /// The `sub`.
        id: String,
        /// The first second that is believed again.
        not_before: u64,
    },
    /// Those with this `sid`.
    Session {
        /// The `sid`.
        id: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revocations_look_alike_on_both_sides() {
        let subject = Revoked::Subject { id: "a-1".to_owned(), not_before: 7 };
        let session = Revoked::Session { id: "s-1".to_owned() };
        let told = Revocations {
            items: vec![
                Revocation { seq: 1, revoked: subject },
                Revocation { seq: 3, revoked: session },
            ],
        };
        let text = serde_json::to_string(&told).unwrap();
        assert_eq!(
            text,
            r#"{"items":[{"seq":1,"kind":"subject","id":"a-1","not_before":7},{"seq":3,"kind":"session","id":"s-1"}]}"#
        );
        assert_eq!(serde_json::from_str::<Revocations>(&text).unwrap(), told);
    }
}
