//! The record's schema. Fields are added, never renamed.

use serde::Serialize;

/// Longest user agent recorded, in bytes; a longer one is cut.
pub const USER_AGENT_BYTES_MAX: usize = 256;

/// What one request was, what was decided, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecisionRecord<'a> {
    /// When the record was written, in milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// Names the decision, here and in every answer.
    pub decision_id: &'a str,
    /// The method; `-` when the head was not readable.
    pub method: &'a str,
    /// The canonical path without its query; `-` when there is none.
    pub path: &'a str,
    /// The policy's route id; `-` when none matched.
    pub route: &'a str,
    /// The status the client was sent; 0 when the client had gone.
    pub status: u16,
    /// The refusal's code; absent when the request was admitted and answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'a str>,
    /// The guard that refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<&'a str>,
    /// Bytes of body sent to the client.
    pub bytes: u64,
    /// From the head to the end of the answer, in microseconds.
    pub duration_us: u64,
    /// The part of `duration_us` that was not waiting for the upstream.
    pub edge_us: u64,
    /// The client's address, or `unknown`.
    pub client: &'a str,
    /// The account id; absent for an anonymous caller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'a str>,
    /// The roles that were active, separated by one space.
    pub roles: &'a str,
    /// The scope that was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'a str>,
    /// The user agent, bounded by [`bounded`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
    /// The hash of the policy bundle that decided; `-` when none was asked.
    pub bundle: &'a str,
}

/// The longest prefix of `text` that fits [`USER_AGENT_BYTES_MAX`] and ends with a character.
pub fn bounded(text: &str) -> &str {
    let end = text.floor_char_boundary(USER_AGENT_BYTES_MAX);
    text.get(..end).unwrap_or_default()
}
