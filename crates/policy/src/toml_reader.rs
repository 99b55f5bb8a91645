//! Strict reading of `routes.toml`: every key is known, every value of the right kind, and
//! everything else is noted with its place while reading goes on.

use toml::de::{DeTable, DeValue};

use crate::finding::{Code, Findings, Place, nearest};
use crate::mode::Mode;
use crate::names;
use crate::source::Source;

/// A key with its value, and where both stand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'t> {
    pub(crate) key: &'t str,
    pub(crate) key_at: usize,
    pub(crate) value_at: usize,
    value: &'t DeValue<'t>,
}

/// A string and where it stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) at: usize,
}

/// Parses the document. Where its syntax is wrong, every error is noted and nothing comes back.
pub(crate) fn parse<'s>(source: &Source<'s>, findings: &mut Findings) -> Option<DeValue<'s>> {
    let (table, errors) = DeTable::parse_recoverable(source.text());
    for error in &errors {
        let at = source.place(error.span().map_or(0, |span| span.start));
        let fix = "see https://toml.io for how TOML is written";
        findings.add(Code::TomlSyntax, at, error.message().replace('\n', " "), fix);
    }
    errors.is_empty().then(|| DeValue::Table(table.into_inner()))
}

/// Reads entries of one document and notes what does not belong.
#[derive(Debug)]
pub(crate) struct TomlReader<'s, 'f> {
    source: &'s Source<'s>,
    findings: &'f mut Findings,
}

impl<'s, 'f> TomlReader<'s, 'f> {
    pub(crate) fn new(source: &'s Source<'s>, findings: &'f mut Findings) -> Self {
        Self { source, findings }
    }

    /// The findings, for those who know more than this reader about what a value means.
    pub(crate) fn findings(&mut self) -> &mut Findings {
        self.findings
    }

    /// The place of an offset.
    pub(crate) fn place(&self, offset: usize) -> Place<'s> {
        self.source.place(offset)
    }

    /// The document itself, as an entry without a key.
    pub(crate) fn document<'t>(&self, value: &'t DeValue<'t>) -> Entry<'t> {
        Entry { key: "", key_at: 0, value, value_at: 0 }
    }

    /// Everything in a table, in the order of the file. A value that is no table is noted.
    pub(crate) fn entries<'t>(&mut self, table: &Entry<'t>) -> Vec<Entry<'t>> {
        let Some(found) = table.value.as_table() else {
            self.wrong_kind(table, "a table");
            return Vec::new();
        };
        let mut entries: Vec<Entry<'t>> = found
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref(),
                key_at: key.span().start,
                value: value.get_ref(),
                value_at: value.span().start,
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_at);
        entries
    }

    /// The values of the known keys of a table; a key that is not known is noted.
    pub(crate) fn keys<'t, const N: usize>(
        &mut self,
        table: &Entry<'t>,
        known: [&str; N],
    ) -> Option<[Option<Entry<'t>>; N]> {
        table.value.as_table().or_else(|| {
            self.wrong_kind(table, "a table");
            None
        })?;
        let entries = self.entries(table);
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key)) {
            let otherwise = format!("known here: {}", known.join(", "));
            let fix = nearest(entry.key, known, &otherwise);
            let message = format!("the key `{}` is not known here", entry.key);
            self.findings.add(Code::UnknownKey, self.source.place(entry.key_at), message, fix);
        }
        Some(known.map(|key| entries.iter().find(|entry| entry.key == key).copied()))
    }

    /// Notes a value that is missing from `table`.
    pub(crate) fn required<'t>(
        &mut self,
        table: &Entry<'_>,
        key: &str,
        value: Option<Entry<'t>>,
    ) -> Option<Entry<'t>> {
        if value.is_none() {
            let message = match table.key {
                "" => format!("the section [{key}] is missing"),
                name => format!("`{name}` lacks the key `{key}`"),
            };
            let at = self.source.place(table.key_at);
            self.findings.add(Code::MissingKey, at, message, "write it; it has no default");
        }
        value
    }

    /// Notes a key that is no name.
    pub(crate) fn expect_name(&mut self, what: &str, entry: &Entry<'_>) -> bool {
        let at = self.source.place(entry.key_at);
        names::expect_name(what, entry.key, at, self.findings)
    }

    /// The value as a string.
    pub(crate) fn string<'t>(&mut self, entry: &Entry<'t>) -> Option<Text<'t>> {
        let text = entry.value.as_str().map(|text| Text { text, at: entry.value_at });
        if text.is_none() {
            self.wrong_kind(entry, "a string");
        }
        text
    }

    /// The value as `true` or `false`.
    pub(crate) fn bool(&mut self, entry: &Entry<'_>) -> Option<bool> {
        let value = entry.value.as_bool();
        if value.is_none() {
            self.wrong_kind(entry, "`true` or `false`");
        }
        value
    }

    /// The value as an integer. One that 128 bits cannot hold counts as the largest they can.
    pub(crate) fn integer(&mut self, entry: &Entry<'_>) -> Option<i128> {
        let Some(integer) = entry.value.as_integer() else {
            self.wrong_kind(entry, "an integer");
            return None;
        };
        Some(i128::from_str_radix(integer.as_str(), integer.radix()).unwrap_or(i128::MAX))
    }

    /// What the value stands for, as one of a few words. Any other is no `what` and noted.
    pub(crate) fn word<T: Copy, const N: usize>(
        &mut self,
        entry: &Entry<'_>,
        code: Code,
        what: &str,
        words: [(&str, T); N],
    ) -> Option<T> {
        let Text { text, at } = self.string(entry)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let words = words.map(|(word, _)| word);
            let fix = nearest(text, words, &format!("write one of {}", words.join(", ")));
            let place = self.source.place(at);
            self.findings.add(code, place, format!("`{text}` is no {what}"), fix);
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// The value as a mode; without one, the default.
    pub(crate) fn mode(&mut self, entry: Option<Entry<'_>>) -> Option<Mode> {
        let words = Mode::ALL.map(|mode| (mode.as_str(), mode));
        entry.map_or(Some(Mode::default()), |entry| {
            self.word(&entry, Code::UnknownMode, "mode", words)
        })
    }

    /// The value as a list of strings, none of them twice.
    pub(crate) fn strings<'t>(&mut self, entry: &Entry<'t>) -> Option<Vec<Text<'t>>> {
        let Some(array) = entry.value.as_array() else {
            self.wrong_kind(entry, "a list of strings");
            return None;
        };
        let mut texts: Vec<Text<'t>> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for item in array {
            let at = item.span().start;
            let Some(text) = item.get_ref().as_str() else {
                self.wrong_kind(
                    &Entry { value: item.get_ref(), value_at: at, ..*entry },
                    "a string",
                );
                continue;
            };
            if seen.insert(text) {
                texts.push(Text { text, at });
            } else {
                let message = format!("`{text}` is listed twice");
                let place = self.source.place(at);
                self.findings.add(Code::Duplicate, place, message, "remove one of the two");
            }
        }
        Some(texts)
    }

    fn wrong_kind(&mut self, entry: &Entry<'_>, wanted: &str) {
        let found = entry.value.type_str();
        let message = format!("`{}` holds a value of kind {found}, not {wanted}", entry.key);
        let at = self.source.place(entry.value_at);
        self.findings.add(Code::WrongKind, at, message, format!("write {wanted}"));
    }
}
