//! One decision out of access logs: found by its id, however long the logs are.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use stockade_policy::{Auth, Bundle};

use crate::policy::log::{decoded, unreadable};

/// The longest line that is looked at. A record takes about half a kilobyte.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// The fewest characters of an id that are looked for.
const ID_CHARS_MIN: usize = 4;
/// The characters of a whole id.
const ID_CHARS: usize = 32;
/// Ids named where several begin alike.
const IDS_SHOWN_MAX: usize = 5;

/// A decision record, as far as it is explained. Fields of later versions are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) time_ms: u64,
    pub(super) decision_id: String,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) route: String,
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) step: Option<String>,
    pub(super) client: String,
    pub(super) account: Option<String>,
    /// The roles of the token; older records lack them.
    held: Option<String>,
    /// The roles that were active.
    pub(super) roles: String,
    pub(super) mfa_s: Option<u64>,
    pub(super) conditions: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) bundle: String,
    pub(super) shadow: Option<String>,
}

impl Record {
    /// Whether the request was let through to the upstream.
    pub(super) fn is_admitted(&self) -> bool {
        self.scope.is_some()
    }

    /// Whether the policy settled it: it was admitted, or refused by a guard that asks the policy.
    pub(super) fn reached_policy(&self) -> bool {
        let refused = match (self.step.as_deref(), self.code.as_deref()) {
            (Some("route"), Some(code)) => code != "ambiguous_path",
            (Some("authenticate"), Some(code)) => code == "token_missing",
            (Some("network" | "mfa" | "authorize"), _) => true,
            _ => false,
        };
        self.is_admitted() || refused
    }

    /// The roles of the token; those that were active where the record does not tell.
    pub(super) fn held(&self) -> &str {
        self.held.as_deref().unwrap_or(&self.roles)
    }

    /// Whether a token was believed of which the record tells nothing: records of old versions
    /// name account and roles of admitted requests only.
    pub(super) fn lacks_roles(&self, bundle: &Bundle) -> bool {
        let after_token = matches!(self.step.as_deref(), Some("network" | "mfa" | "authorize"));
        let route = bundle.routes().by_id(&self.route);
        let wants_token = route.is_some_and(|route| route.auth == Auth::Required);
        after_token && wants_token && self.account.is_none() && self.held.is_none()
    }
}

/// Whether `text` can be the beginning of an id.
pub(super) fn is_id(text: &str) -> bool {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (ID_CHARS_MIN..=ID_CHARS).contains(&text.len()) && text.bytes().all(hex)
}

/// The one record whose id begins with `id`.
pub(super) fn find(logs: &[PathBuf], id: &str) -> anyhow::Result<Record> {
    let mut found = BTreeMap::new();
    for log in logs {
        let name = log.display().to_string();
        let file = File::open(log).with_context(|| unreadable(&name))?;
        let reader = BufReader::new(decoded(Box::new(file), &name)?);
        search(reader, id, &mut found).with_context(|| unreadable(&name))?;
    }
    let mut records = found.into_values();
    match (records.next(), records.next()) {
        (Some(record), None) => Ok(record),
        (Some(one), Some(other)) => {
            let all = [one, other].into_iter().chain(records);
            let ids: Vec<_> = all.map(|record| record.decision_id).collect();
            bail!("several decisions begin with `{id}`: {}", ids.join(", "))
        }
        (None, _) => {
            let names: Vec<_> = logs.iter().map(|log| log.display().to_string()).collect();
            bail!(
                "no decision begins with `{id}` in {}; name other logs with --log",
                names.join(", ")
            )
        }
    }
}

/// Notes every record whose id begins with `id`, until more are found than are told.
fn search(
    mut reader: impl BufRead,
    id: &str,
    found: &mut BTreeMap<String, Record>,
) -> anyhow::Result<()> {
    let needle = format!("\"decision_id\":\"{id}");
    let mut line = Vec::new();
    let mut is_rest = false;
    loop {
        line.clear();
        if reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        // What follows the bound of an overlong line is no line of its own.
        let is_whole = !is_rest;
        is_rest = line.last() != Some(&b'\n');
        let text = std::str::from_utf8(&line).unwrap_or_default();
        if !is_whole || !text.contains(&needle) {
            continue;
        }
        let record: Record = serde_json::from_str(text.trim_end())
            .with_context(|| format!("the record of `{id}` is not understood"))?;
        if record.decision_id.starts_with(id) {
            found.insert(record.decision_id.clone(), record);
        }
        if found.len() >= IDS_SHOWN_MAX {
            return Ok(());
        }
    }
}
