//! Reads back what [`RecordLog`](crate::RecordLog) wrote, one line at a time.
//!
//! Two readers give the same answer. The quick one takes a line as the log writes it: every field
//! in its place, plain texts and whole numbers, no blanks, no escapes. Whatever is not quite that
//! goes to serde_json, whose reading is the one that counts. Neither keeps anything, and a line read by the quick one
//! allocates nothing.

use std::borrow::Cow;

use serde::Deserialize;

mod any_line;
mod plain_line;

/// What a record says about a decision: the part of [`DecisionRecord`](crate::DecisionRecord)
/// that says what was asked, by whom, and what they got.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Recorded<'a> {
    /// When the record was written, in milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// Names the decision.
    #[serde(borrow)]
    pub decision_id: Cow<'a, str>,
    /// The method; `-` when the head was not readable.
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    /// The canonical path without its query; `-` when there is none.
    #[serde(borrow)]
    pub path: Cow<'a, str>,
    /// The policy's route id; `-` when none matched.
    #[serde(borrow)]
    pub route: Cow<'a, str>,
    /// The refusal's code.
    pub code: Option<Cow<'a, str>>,
    /// The client's address, or what stands for it.
    #[serde(borrow)]
    pub client: Cow<'a, str>,
    /// The account id; absent for an anonymous caller.
    pub account: Option<Cow<'a, str>>,
    /// The roles the token named, separated by one space; absent for an anonymous caller, and in
    /// older records.
    pub held: Option<Cow<'a, str>>,
    /// The roles that were active, separated by one space.
    #[serde(borrow)]
    pub roles: Cow<'a, str>,
    /// How old the caller's second factor was, in seconds.
    pub mfa_s: Option<u64>,
    /// The scope that was granted.
    pub scope: Option<Cow<'a, str>>,
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON.
    #[error("the line is not JSON")]
    NotJson,
    /// It is JSON of another shape.
    #[error("the line is JSON, and no decision record")]
    OtherShape,
}

impl<'a> Recorded<'a> {
    /// Reads one line, with or without its line end. Fields that are not asked for are skipped,
    /// also ones that did not exist when this was written.
    ///
    /// # Errors
    /// What the line is instead.
    pub fn read(line: &'a [u8]) -> Result<Self, Unreadable> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match plain_line::read(line) {
            Some(record) => Ok(record),
            None => any_line::read(line),
        }
    }
}

#[cfg(test)]
mod tests;
