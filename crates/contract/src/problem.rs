//! The body of every refusal and error: `application/problem+json` (RFC 9457).

use serde::{Deserialize, Serialize};

/// The media type of a [`Problem`].
pub const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal as a client sees it.
///
/// `code` is stable and documented; programs branch on it. `title` and `detail` are for
/// people and say what to do. Nothing internal is ever in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:stockade:problem:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// One short sentence, the same for every occurrence of `code`.
    pub title: String,
    /// The HTTP status, repeated for those who only keep the body.
    pub status: u16,
    /// The stable code, in snake case.
    pub code: String,
    /// What is wrong with this very request, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Names the edge's decision record of this request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
}

impl Problem {
    /// A problem with the given status, code and title.
    pub fn new(status: u16, code: &str, title: &str) -> Self {
        Self {
            kind: format!("urn:stockade:problem:{code}"),
            title: title.to_owned(),
            status,
            code: code.to_owned(),
            detail: None,
            decision_id: None,
        }
    }

    /// The same problem, saying what is wrong with this request.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same problem, naming its decision record.
    #[must_use]
    pub fn with_decision_id(mut self, id: impl Into<String>) -> Self {
        self.decision_id = Some(id.into());
        self
    }

    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Plain strings and a number: serialising cannot fail, and an empty body is still safe.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_has_the_members_of_rfc_9457_and_ours() {
        let body =
            Problem::new(403, "role_denied", "Not allowed").with_decision_id("d-1").to_bytes();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"type":"urn:stockade:problem:role_denied","title":"Not allowed","status":403,"code":"role_denied","decision_id":"d-1"}"#
        );
    }
}
