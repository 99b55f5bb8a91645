//! Attack and conformance vectors, read where they are, and the ledger of those that do not hold.
//!
//! The ledger, `e2e/tests/vectors/ledger.toml`, may only shrink: a case that holds must leave it,
//! and one that does not hold and is not in it fails the test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::built::repository;

/// Where the ledger is, in the repository.
const LEDGER: &str = "e2e/tests/vectors/ledger.toml";

/// Reads a file of vectors, beside the repository.
///
/// # Panics
/// When it is not there.
pub fn read(file: &str) -> Value {
    serde_json::from_str(&text(file)).unwrap_or_else(|error| panic!("`{file}`: {error}"))
}

/// Reads a file of vectors that has one on each line.
///
/// # Panics
/// When it is not there.
pub fn read_lines(file: &str) -> Vec<String> {
    text(file).lines().map(str::to_owned).collect()
}

fn text(file: &str) -> String {
    let path = folder().join(file);
    fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("cannot read the vectors `{}`: {error}", path.display()))
}

fn folder() -> PathBuf {
    repository().join("../shared/vectors")
}

/// The verdicts on one set of vectors.
#[derive(Debug)]
pub struct VectorSet {
    name: String,
    /// Why a case is not as expected, by its id.
    ledger: BTreeMap<String, String>,
    seen: BTreeSet<String>,
    failed: BTreeMap<String, String>,
}

impl VectorSet {
    /// A set by its name in the ledger.
    ///
    /// # Panics
    /// When there is no ledger.
    pub fn new(name: &str) -> Self {
        type Ledger = BTreeMap<String, BTreeMap<String, String>>;
        let text = fs::read_to_string(repository().join(LEDGER)).unwrap();
        let mut ledger: Ledger = toml::from_str(&text).unwrap();
        Self {
            name: name.to_owned(),
            ledger: ledger.remove(name).unwrap_or_default(),
            seen: BTreeSet::new(),
            failed: BTreeMap::new(),
        }
    }

    /// Notes whether a case is as expected, or what happened instead.
    ///
    /// # Panics
    /// When another case has this id.
    pub fn note(&mut self, id: &str, verdict: Result<(), String>) {
        assert!(self.seen.insert(id.to_owned()), "two cases are called `{id}`");
        if let Err(what) = verdict {
            self.failed.insert(id.to_owned(), what);
        }
    }

    /// Reports, and compares with the ledger.
    ///
    /// # Panics
    /// When a case is neither as expected nor in the ledger, or is in the ledger for nothing.
    #[expect(clippy::print_stdout, reason = "the report is for whoever runs the test")]
    pub fn finish(self) {
        let Self { name, ledger, seen, failed } = self;
        let (all, as_expected) = (seen.len(), seen.len() - failed.len());
        println!("{name}: {as_expected} of {all} as expected, {} in the ledger", ledger.len());
        let unlisted: Vec<_> = failed.iter().filter(|(id, _)| !ledger.contains_key(*id)).collect();
        let needless: Vec<_> = ledger.keys().filter(|id| !failed.contains_key(*id)).collect();
        assert!(unlisted.is_empty(), "{name}: not as expected: {unlisted:#?}");
        assert!(needless.is_empty(), "{name}: in the ledger for nothing: {needless:#?}");
        assert!(all > 0, "{name}: no cases");
    }
}
