//! Findings: what is wrong or odd about a policy folder, where, and what to write instead.
//!
//! Readers add findings and read on, so that an author sees all mistakes at once.

use std::fmt;

mod code;
mod nearest;

pub use self::code::{Code, Severity};
pub(crate) use self::nearest::nearest;

/// Findings reported at once. Whoever has more will not read them in one sitting.
const FINDINGS_MAX: usize = 1000;

/// One mistake in a policy folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The kind of mistake; stable, for scripts and documents.
    pub code: Code,
    /// The file, relative to the policy folder.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, file, line, column, message, fix } = self;
        write!(f, "{file}:{line}:{column}: [{code}] {message}; {fix}")
    }
}

/// A spot in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl<'a> Place<'a> {
    /// The beginning of `file`, for findings about the whole of it.
    pub(crate) fn start_of(file: &'a str) -> Self {
        Self { file, line: 1, column: 1 }
    }
}

/// The findings so far.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    /// Notes one mistake. Past [`FINDINGS_MAX`] it is dropped; the bundle is refused all the same.
    pub(crate) fn add(
        &mut self,
        code: Code,
        at: Place<'_>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        if self.found.len() >= FINDINGS_MAX {
            return;
        }
        self.found.push(Finding {
            code,
            file: at.file.to_owned(),
            line: at.line,
            column: at.column,
            message: message.into(),
            fix: fix.into(),
        });
    }

    /// Whether nothing is wrong so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many mistakes were found so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// The findings by file, line and column.
    pub(crate) fn into_sorted(mut self) -> Vec<Finding> {
        self.found.sort_by(|a, b| {
            (&a.file, a.line, a.column, a.code).cmp(&(&b.file, b.line, b.column, b.code))
        });
        self.found
    }
}
