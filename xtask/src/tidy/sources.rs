//! The code of the repository: every `.rs` file outside of what Cargo or a tool has made.

use std::fs::{self, DirEntry};
use std::io;
use std::path::Path;

use anyhow::Context;

use super::rust_text::RustText;

/// Folders that hold what was built.
const BUILT: &str = "target";

/// Every file of code.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) files: Vec<SourceFile>,
}

/// One file of code.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// From the root, with `/`.
    pub(super) path: String,
    pub(super) text: String,
    pub(super) rust: RustText,
    /// The line on which tests begin, beside or within the code.
    tests_begin: usize,
}

impl Sources {
    pub(super) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut sources = Self::default();
        sources
            .read_folder(root, "")
            .with_context(|| format!("could not read the sources in `{}`", root.display()))?;
        Ok(sources)
    }

    pub(super) fn find(&self, path: &str) -> Option<&SourceFile> {
        self.files.iter().find(|file| file.path == path)
    }

    /// The files in a folder, however deep.
    pub(super) fn within<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a SourceFile> {
        self.files.iter().filter(move |file| file.is_within(folder))
    }

    fn read_folder(&mut self, folder: &Path, path: &str) -> io::Result<()> {
        let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            if entry.file_type()?.is_dir() {
                if name != BUILT && !name.starts_with('.') {
                    self.read_folder(&entry.path(), &path)?;
                }
            } else if name.ends_with(".rs") {
                self.files.push(SourceFile::new(&path, &fs::read_to_string(entry.path())?));
            }
        }
        Ok(())
    }
}

impl SourceFile {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let tests_begin = if is_test(path) { 1 } else { tests_begin(text) };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            rust: RustText::parse(text),
            tests_begin,
        }
    }

    /// The folders on the way to it, then its name.
    pub(super) fn parts(&self) -> impl Iterator<Item = &str> {
        self.path.split('/')
    }

    pub(super) fn name(&self) -> &str {
        self.parts().last().unwrap_or_default()
    }

    pub(super) fn is_within(&self, folder: &str) -> bool {
        self.path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
    }

    /// Whether a line belongs to tests.
    pub(super) fn is_test_line(&self, line: usize) -> bool {
        line >= self.tests_begin
    }

    /// Each line of code and its number, without comments and literals.
    pub(super) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.rust.code.lines())
    }

    /// How many lines there are before the tests.
    pub(super) fn len_without_tests(&self) -> usize {
        self.text.lines().count().min(self.tests_begin.saturating_sub(1))
    }
}

/// Whether a whole file is tests.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

/// The line of the `#[cfg(test)]` that opens a module of tests; one past the end without such.
fn tests_begin(text: &str) -> usize {
    let mut begin = None;
    for (number, line) in (1..).zip(text.lines()) {
        match begin {
            None if line == "#[cfg(test)]" => begin = Some(number),
            Some(begin) if line.starts_with("mod ") && line.ends_with('{') => return begin,
            // Between the two there may be further attributes.
            Some(_) if !line.starts_with("#[") => begin = None,
            _ => {}
        }
    }
    text.lines().count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_told_from_code() {
        let file =
            SourceFile::new("a/src/b.rs", "//! B.\nfn b() {}\n#[cfg(test)]\nmod tests {\n}\n");

        assert_eq!(file.len_without_tests(), 2);
        assert!(!file.is_test_line(2) && file.is_test_line(3));
    }

    #[test]
    fn tests_may_have_further_attributes() {
        let text = "//! B.\n#[cfg(test)]\n#[expect(dead_code)]\nmod tests {\n}\n";

        assert_eq!(SourceFile::new("a/src/b.rs", text).len_without_tests(), 1);
    }

    #[test]
    fn a_function_for_tests_does_not_begin_the_tests() {
        let file = SourceFile::new("a/src/b.rs", "//! B.\n#[cfg(test)]\nfn b() {}\nfn c() {}\n");

        assert_eq!(file.len_without_tests(), 4);
    }

    #[test]
    fn files_of_tests_are_tests_throughout() {
        for path in ["a/tests/it/main.rs", "a/src/b/tests.rs"] {
            let file = SourceFile::new(path, "//! Tests.\nfn b() {}\n");
            assert_eq!(file.len_without_tests(), 0, "{path}");
            assert!(file.is_test_line(1), "{path}");
        }
        assert!(!SourceFile::new("a/src/contests.rs", "//! C.\n").is_test_line(1));
    }

    #[test]
    fn a_folder_is_not_a_prefix() {
        let file = SourceFile::new("proxy/src/guards.rs", "//! Guards.\n");

        assert!(file.is_within("proxy/src") && !file.is_within("proxy/src/guards"));
    }
}
