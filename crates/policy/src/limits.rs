//! Limits: how often the same caller may ask (`[limits]`), by themselves and on routes.
//!
//! Nothing is counted here: a limit says what the edge has to count and how far.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;

use crate::finding::{Code, nearest};
use crate::measure::read_duration;
use crate::mode::Mode;
use crate::names::LimitId;
use crate::route::Auth;
use crate::toml_reader::{Entry, Text, TomlReader};

/// The most requests a limit can grant in one window.
const QUOTA_MAX: u32 = 1_000_000;
/// The most limits one route can count towards.
const ROUTE_LIMITS_MAX: usize = 4;

/// The limits of a bundle.
#[derive(Debug, Default)]
pub struct Limits {
    limits: Vec<Limit>,
    /// Every name of the section; one whose limit cannot be read has no number.
    by_name: BTreeMap<String, Option<LimitId>>,
}

/// One line of `[limits]`: so many requests per window for everybody with the same key.
#[derive(Debug)]
#[non_exhaustive]
pub struct Limit {
    /// The name as written.
    pub name: LimitName,
    /// The number of the limit in its bundle.
    pub index: LimitId,
    /// What tells one caller from another.
    pub key: LimitKey,
    /// The requests granted in one window.
    pub quota: NonZeroU32,
    /// The length of the window, in seconds.
    pub window_secs: NonZeroU32,
    /// Which requests count.
    pub count: LimitCount,
    /// Whether it refuses, or is only counted.
    pub mode: Mode,
    /// The line of `routes.toml`.
    pub line: u32,
}

/// The name of a limit as written, for example `general`. A closed set, fit for a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimitName(String);

impl LimitName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What tells one caller from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitKey {
    /// The client's address.
    Address,
    /// The principal of the token. A caller without a token has none.
    Principal,
}

impl LimitKey {
    /// Every key, in the order of the documents.
    pub const ALL: [Self; 2] = [Self::Address, Self::Principal];

    /// The word in `routes.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Principal => "principal",
        }
    }
}

/// Which requests count towards a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LimitCount {
    /// Every request.
    All,
    /// Only failures: answers the core signalled as a failed login, and refusals of a token.
    /// Once these reach the quota, every request is refused.
    Failures,
}

impl LimitCount {
    /// Every way to count, in the order of the documents.
    pub const ALL: [Self; 2] = [Self::All, Self::Failures];

    /// The word in `routes.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Failures => "failures",
        }
    }
}

impl Limits {
    /// A limit by its number.
    pub fn get(&self, limit: LimitId) -> Option<&Limit> {
        self.limits.get(limit.index())
    }

    /// A limit by its name.
    pub fn find(&self, name: &str) -> Option<&Limit> {
        self.get(self.by_name.get(name).copied().flatten()?)
    }

    /// Every limit, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.limits.iter()
    }

    /// The number of limits.
    pub fn len(&self) -> usize {
        self.limits.len()
    }

    /// Whether there is no limit at all.
    pub fn is_empty(&self) -> bool {
        self.limits.is_empty()
    }

    /// Reads the section. What cannot be read is noted and left out.
    pub(crate) fn read(section: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Self {
        let mut limits = Self::default();
        for entry in reader.entries(section) {
            reader.expect_name("limit", &entry);
            let Ok(index) = u8::try_from(limits.len()) else {
                let place = reader.place(entry.key_at);
                let fix = "a bundle holds 256 limits";
                reader.findings().add(Code::TooMany, place, "one limit too many", fix);
                break;
            };
            let limit = read_limit(LimitId(index), &entry, reader);
            let id = limit.as_ref().map(|limit| limit.index);
            limits.by_name.insert(entry.key.to_owned(), id);
            limits.limits.extend(limit);
        }
        limits
    }

    /// The limits a route names. One that is not declared, or that the route's way of
    /// authentication leaves nothing to count by, is noted.
    pub(crate) fn read_of_route(
        &self,
        entry: &Entry<'_>,
        auth: Option<Auth>,
        reader: &mut TomlReader<'_, '_>,
    ) -> Box<[LimitId]> {
        let texts = reader.strings(entry).unwrap_or_default();
        if let Some(text) = texts.get(ROUTE_LIMITS_MAX) {
            let place = reader.place(text.at);
            let fix = format!("a route counts towards {ROUTE_LIMITS_MAX} limits");
            reader.findings().add(Code::TooMany, place, "one limit too many", fix);
        }
        let resolved = texts.iter().filter_map(|text| {
            let limit = self.resolve(text, reader)?;
            if auth.is_some_and(|auth| !auth.reads_token()) && limit.key == LimitKey::Principal {
                note_without_principal(text, reader);
            }
            Some(limit.index)
        });
        resolved.collect()
    }

    fn resolve(&self, name: &Text<'_>, reader: &mut TomlReader<'_, '_>) -> Option<&Limit> {
        if !self.by_name.contains_key(name.text) {
            let known = self.by_name.keys().map(String::as_str);
            let fix = nearest(name.text, known, "declare it in [limits]");
            let message = format!("the limit `{}` is not declared", name.text);
            let place = reader.place(name.at);
            reader.findings().add(Code::UnknownLimit, place, message, fix);
        }
        self.find(name.text)
    }
}

fn note_without_principal(name: &Text<'_>, reader: &mut TomlReader<'_, '_>) {
    let message = format!("`{}` counts by principal, and this route reads no token", name.text);
    let fix = "name a limit with `key = \"address\"`";
    let place = reader.place(name.at);
    reader.findings().add(Code::LimitWithoutPrincipal, place, message, fix);
}

fn read_limit(index: LimitId, entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<Limit> {
    let known = ["key", "quota", "per", "count", "mode"];
    let [key, quota, per, count, mode] = reader.keys(entry, known)?;
    let key = reader.required(entry, "key", key);
    let quota = reader.required(entry, "quota", quota);
    let per = reader.required(entry, "per", per);

    let code = Code::UnknownLimitWord;
    let keys = LimitKey::ALL.map(|key| (key.as_str(), key));
    let key = key.and_then(|value| reader.word(&value, code, "key of a limit", keys));
    let quota = quota.and_then(|value| read_quota(&value, reader));
    let window_secs = per.and_then(|value| read_duration(&value, reader));
    let counts = LimitCount::ALL.map(|count| (count.as_str(), count));
    let count = match count {
        Some(value) => reader.word(&value, code, "way to count", counts)?,
        None => LimitCount::All,
    };
    let mode = reader.mode(mode)?;
    let name = LimitName(entry.key.to_owned());
    let line = reader.place(entry.key_at).line;
    let (key, quota, window_secs) = (key?, quota?, window_secs?);
    Some(Limit { name, index, key, quota, window_secs, count, mode, line })
}

fn read_quota(entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Option<NonZeroU32> {
    let written = reader.integer(entry)?;
    let quota = u32::try_from(written).ok().filter(|quota| *quota <= QUOTA_MAX);
    let quota = quota.and_then(NonZeroU32::new);
    if quota.is_none() {
        let message = format!("the quota is not from 1 to {QUOTA_MAX}");
        let place = reader.place(entry.value_at);
        reader.findings().add(Code::BadQuota, place, message, "write a number in these bounds");
    }
    quota
}

#[cfg(test)]
mod tests;
