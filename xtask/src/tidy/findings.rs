//! What the checks found: a place and a sentence each.

use std::fmt;

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    path: String,
    line: usize,
    message: String,
}

/// All of them, in the order they were found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Vec<Finding>,
}

impl Findings {
    /// Lines count from one.
    pub(super) fn add(&mut self, path: &str, line: usize, message: impl Into<String>) {
        self.found.push(Finding { path: path.to_owned(), line, message: message.into() });
    }

    pub(super) fn sorted(&self) -> Vec<Finding> {
        let mut found = self.found.clone();
        found.sort();
        found
    }

    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// The findings as they are printed, for tests.
    #[cfg(test)]
    pub(super) fn lines(&self) -> Vec<String> {
        self.sorted().iter().map(ToString::to_string).collect()
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_printed_by_place() {
        let mut findings = Findings::default();
        findings.add("b.rs", 1, "second");
        findings.add("a.rs", 10, "first, further down");
        findings.add("a.rs", 9, "first");

        assert_eq!(
            findings.lines(),
            ["a.rs:9: first", "a.rs:10: first, further down", "b.rs:1: second"]
        );
    }
}
