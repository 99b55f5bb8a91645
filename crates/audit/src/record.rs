//! The record's schema. Fields are added, never renamed, and their order is the one below: quick
//! readers may rely on it. A field that is absent leaves the order of the others as it is.

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
    /// The account id; absent for an anonymous caller, and where no token was believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<&'a str>,
    /// The roles that the token names, as far as its issuer may give them, separated by one space;
    /// absent as `account` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<&'a str>,
    /// The roles that were active, separated by one space; empty where it did not come to that.
    pub roles: &'a str,
    /// The age of the caller's second factor, in seconds; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa_s: Option<u64>,
    /// The conditions of the held roles and of the route that were met, separated by one space:
    /// `network=NAME` for each network, then `mfa`; absent when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<&'a str>,
    /// The scope that was granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'a str>,
    /// The user agent, bounded by [`bounded`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<&'a str>,
    /// The hash of the policy bundle that decided; `-` when none was asked.
    pub bundle: &'a str,
    /// The hash of the bundle that was tried beside it: the same one where its own files try
    /// something; absent where nothing was tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow_bundle: Option<&'a str>,
    /// What that bundle would have decided: a scope, or `deny:` and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shadow: Option<&'a str>,
}

/// The longest prefix of `text` that fits [`USER_AGENT_BYTES_MAX`] and ends with a character.
pub fn bounded(text: &str) -> &str {
    let end = text.floor_char_boundary(USER_AGENT_BYTES_MAX);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_have_one_order() {
        let record = DecisionRecord {
            time_ms: 1,
            decision_id: "d",
            method: "GET",
            path: "/",
            route: "r",
            status: 403,
            code: Some("c"),
            step: Some("s"),
            bytes: 2,
            duration_us: 3,
            edge_us: 4,
            client: "192.0.2.1",
            account: Some("a"),
            held: Some("staff admin"),
            roles: "staff",
            mfa_s: Some(5),
            conditions: Some("network=office mfa"),
            scope: Some("own"),
            user_agent: Some("u"),
            bundle: "b",
            shadow_bundle: Some("n"),
            shadow: Some("deny:role"),
        };
        assert_eq!(
            serde_json::to_string(&record).unwrap(),
            r#"{"time_ms":1,"decision_id":"d","method":"GET","path":"/","route":"r","status":403,"code":"c","step":"s","bytes":2,"duration_us":3,"edge_us":4,"client":"192.0.2.1","account":"a","held":"staff admin","roles":"staff","mfa_s":5,"conditions":"network=office mfa","scope":"own","user_agent":"u","bundle":"b","shadow_bundle":"n","shadow":"deny:role"}"#
        );
    }
}
