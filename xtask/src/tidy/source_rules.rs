//! What holds for every file of code by itself.

use super::findings::Findings;
use super::sources::SourceFile;
use super::{Check, Scene};

const LINES_MAX: usize = 500;

/// Names that say nothing.
const VAGUE: &[&str] = &["utils", "util", "common", "helpers", "helper", "misc", "types"];

/// How a statement begins; `DELETE` alone is a method of HTTP.
const SQL_STARTS: &[&str] = &["SELECT", "INSERT", "UPDATE", "DELETE", "BEGIN", "CREATE", "PRAGMA"];

/// The only member that speaks SQL, and the folders in it that may.
const SQL_MEMBER: &str = "core-api";
const SQL_PLACES: &[&str] = &["store.rs", "store", "migrations"];

/// What code may not hold, tests included, and why.
const BANNED: &[(&str, &str)] = &[
    ("#[ignore", "a test that does not run proves nothing"),
    ("todo!", "unfinished"),
    ("unimplemented!", "unfinished"),
    ("thread::sleep", "blocks a worker, and a test that sleeps is slow or wrong"),
];

pub(super) const CHECKS: &[Check] = &[each_file];

/// A check of one file.
type FileCheck = fn(&SourceFile, &mut Findings);

const FILE_CHECKS: &[FileCheck] = &[
    opens_with_its_purpose,
    fits_in_a_head,
    has_a_telling_name,
    has_its_name_before_its_folder,
    keeps_sql_in_stores,
    holds_nothing_banned,
];

fn each_file(scene: &Scene<'_>, findings: &mut Findings) {
    for file in &scene.sources.files {
        for check in FILE_CHECKS {
            check(file, findings);
        }
    }
}

/// A fuzz target may say first that it has no `main`.
fn opens_with_its_purpose(file: &SourceFile, findings: &mut Findings) {
    let opening = file.text.lines().find(|line| *line != "#![no_main]");
    if !opening.is_some_and(|line| line.starts_with("//!")) {
        findings.add(&file.path, 1, "does not open with `//!`; say what the file is for");
    }
}

fn fits_in_a_head(file: &SourceFile, findings: &mut Findings) {
    let lines = file.len_without_tests();
    if lines > LINES_MAX {
        let message = format!("{lines} lines without tests, {LINES_MAX} at most; split by idea");
        findings.add(&file.path, LINES_MAX + 1, message);
    }
}

fn has_a_telling_name(file: &SourceFile, findings: &mut Findings) {
    for part in file.parts() {
        report_if_vague(file, 1, part.strip_suffix(".rs").unwrap_or(part), findings);
    }
    for (number, line) in file.code_lines() {
        report_if_vague(file, number, inline_module(line).unwrap_or_default(), findings);
    }
}

fn report_if_vague(file: &SourceFile, line: usize, name: &str, findings: &mut Findings) {
    if VAGUE.contains(&name) {
        let message = format!("`{name}` is no name for a module; name what it is about");
        findings.add(&file.path, line, message);
    }
}

/// The name of a module that opens on this line.
fn inline_module(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("mod ")?;
    let name = after.trim_end().strip_suffix('{')?.trim();
    (before.is_empty() || before.ends_with([' ', ')'])).then_some(name)
}

fn has_its_name_before_its_folder(file: &SourceFile, findings: &mut Findings) {
    if file.name() == "mod.rs" {
        findings.add(&file.path, 1, "modules are `name.rs` beside `name/`, so that tabs differ");
    }
}

/// Domains may be asked, not looked into.
fn keeps_sql_in_stores(file: &SourceFile, findings: &mut Findings) {
    if !file.is_within(SQL_MEMBER) || file.parts().any(|part| SQL_PLACES.contains(&part)) {
        return;
    }
    for string in &file.rust.strings {
        if !file.is_test_line(string.line) && is_sql(&string.content) {
            findings.add(
                &file.path,
                string.line,
                "SQL outside a store file; move it to `store.rs`",
            );
        }
    }
}

fn is_sql(text: &str) -> bool {
    let text = text.trim_start();
    SQL_STARTS
        .iter()
        .filter_map(|start| text.strip_prefix(start))
        .any(|rest| rest.starts_with(|letter: char| letter.is_ascii_whitespace()))
}

fn holds_nothing_banned(file: &SourceFile, findings: &mut Findings) {
    for (number, line) in file.code_lines() {
        for (banned, reason) in BANNED.iter().filter(|(banned, _reason)| line.contains(banned)) {
            findings.add(&file.path, number, format!("`{banned}` is banned: {reason}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(check: FileCheck, path: &str, text: &str, expected: &[usize]) {
        let mut findings = Findings::default();
        check(&SourceFile::new(path, text), &mut findings);
        let expected: Vec<_> = expected.iter().map(|line| format!("{path}:{line}:")).collect();
        let places: Vec<_> = findings
            .lines()
            .iter()
            .map(|line| line.split_inclusive(':').take(2).collect::<String>())
            .collect();
        assert_eq!(places, expected, "{text}");
    }

    #[test]
    fn a_file_opens_with_its_purpose() {
        check(opens_with_its_purpose, "a.rs", "//! A.\n", &[]);
        check(opens_with_its_purpose, "fuzz/a.rs", "#![no_main]\n//! A.\n", &[]);
        check(opens_with_its_purpose, "a.rs", "", &[1]);
        check(opens_with_its_purpose, "a.rs", "use b;\n//! A.\n", &[1]);
        check(opens_with_its_purpose, "a.rs", "// A.\n", &[1]);
    }

    #[test]
    fn a_long_file_is_reported_where_it_is_too_long() {
        check(fits_in_a_head, "a.rs", &"\n".repeat(500), &[]);
        check(fits_in_a_head, "a.rs", &"\n".repeat(501), &[501]);
        check(fits_in_a_head, "a/tests.rs", &"\n".repeat(501), &[]);
        check(fits_in_a_head, "tests/it/a.rs", &"\n".repeat(501), &[]);
        let tested = format!("{}#[cfg(test)]\nmod tests {{\n{}", "\n".repeat(500), "\n".repeat(9));
        check(fits_in_a_head, "a.rs", &tested, &[]);
    }

    #[test]
    fn vague_names_are_reported_wherever_they_stand() {
        check(has_a_telling_name, "a/src/utils.rs", "", &[1]);
        check(has_a_telling_name, "a/src/common/b.rs", "", &[1]);
        check(has_a_telling_name, "a/src/b.rs", "\npub(crate) mod helpers {\n", &[2]);
        check(has_a_telling_name, "a/src/b.rs", "mod misc {", &[1]);
        check(has_a_telling_name, "a/src/media_types.rs", "// mod types {\nmod kinds {", &[]);
    }

    #[test]
    fn modules_are_not_named_mod() {
        check(has_its_name_before_its_folder, "a/src/b/mod.rs", "", &[1]);
        check(has_its_name_before_its_folder, "a/src/b.rs", "", &[]);
    }

    #[test]
    fn sql_is_found_outside_of_stores() {
        let sql = "\nconst A: &str = \"\n  SELECT 1\";\nb(\"PRAGMA x\");\n";
        check(keeps_sql_in_stores, "core-api/src/orders.rs", sql, &[2, 4]);
        check(keeps_sql_in_stores, "core-api/src/orders/store.rs", sql, &[]);
        check(keeps_sql_in_stores, "core-api/src/store/sqlite.rs", sql, &[]);
        check(keeps_sql_in_stores, "core-api/tests/it/orders.rs", sql, &[]);
        check(keeps_sql_in_stores, "proxy/src/edge.rs", sql, &[]);
    }

    #[test]
    fn words_are_not_sql() {
        let words =
            "a(\"DELETE\", \"-----BEGIN KEY\", \"SELECTED\", \"update\", b'x'); // \"SELECT 1\"\n";
        check(keeps_sql_in_stores, "core-api/src/orders.rs", words, &[]);
        let tested = "#[cfg(test)]\nmod tests {\n  a(\"DELETE FROM b\");\n";
        check(keeps_sql_in_stores, "core-api/src/orders.rs", tested, &[]);
    }

    #[test]
    fn banned_code_is_found_in_tests_too() {
        check(holds_nothing_banned, "a.rs", "fn a() {\n  todo!()\n}\n", &[2]);
        check(holds_nothing_banned, "tests/a.rs", "#[ignore = \"slow\"]\n", &[1]);
        check(
            holds_nothing_banned,
            "a.rs",
            "std::thread::sleep(b);\nunimplemented!(\"c\")",
            &[1, 2],
        );
        check(holds_nothing_banned, "a.rs", "// todo!()\nlet a = \"todo!()\";\n", &[]);
    }
}
