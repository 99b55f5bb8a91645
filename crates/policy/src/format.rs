//! The canonical form of the files of a policy folder.
//!
//! Text goes in and text comes out. Only blanks change: between the fields of a row, between the
//! tokens of a document, and behind the last word of a line. Words, comments, blank lines and
//! their order stay, so that a file means the same before and after.

use crate::files::{FILE_BYTES_MAX, MODEL_FILE, POLICY_FILE, ROLES_FILE, ROUTES_FILE};
use crate::finding::{Code, Finding, Findings, Place};
use crate::roles::Roles;
use crate::routes_file::RoutesFile;
use crate::rules::{self, Known};
use crate::source::Source;

mod cases;
mod document;
mod rows;

/// The canonical text of one file, named relative to the policy folder: the bundle's own files by
/// their names, and any other as a file of cases. The model is what it is.
///
/// # Errors
/// What the engine does not understand in this file, as it would say when it loads it. Whether
/// the files fit each other is not asked.
pub fn canonical(name: &str, bytes: &[u8]) -> Result<String, Vec<Finding>> {
    let mut findings = Findings::default();
    if bytes.len() > FILE_BYTES_MAX {
        let message = "the file is larger than 4 MiB";
        findings.add(Code::FileTooLarge, Place::start_of(name), message, "make it smaller");
        return Err(findings.into_sorted());
    }
    let source = Source::read(name, bytes, &mut findings);
    let formatted = source.as_ref().and_then(|source| format(name, source, &mut findings));
    let findings: Vec<Finding> = findings.into_sorted().into_iter().filter(is_local).collect();
    formatted.filter(|_| findings.is_empty()).ok_or(findings)
}

fn format(name: &str, source: &Source<'_>, findings: &mut Findings) -> Option<String> {
    match name {
        MODEL_FILE => return Some(source.text().to_owned()),
        ROLES_FILE => drop(Roles::read(source, &[], findings)),
        POLICY_FILE => {
            let known = Known { roles: None, resources: None };
            drop(rules::read(source, known, findings));
        }
        ROUTES_FILE => drop(RoutesFile::read(source, findings)?),
        _ => return cases::format(source, findings),
    }
    Some(match name {
        ROUTES_FILE => document::format(source.text()),
        _ => rows::format(source.text()),
    })
}

/// Whether a finding is about its file alone: a role may also be named in another.
fn is_local(finding: &Finding) -> bool {
    finding.code != Code::NoAnonymous
}

/// The lines, without blanks behind them and without blank lines at the end.
fn joined<L: AsRef<str>>(lines: impl IntoIterator<Item = L>) -> String {
    let mut text = String::new();
    for line in lines {
        text.push_str(line.as_ref().trim_end_matches(crate::source::BLANKS));
        text.push('\n');
    }
    let end = text.trim_end_matches('\n').len();
    // An empty file stays empty; any other ends with one newline.
    text.truncate(if end == 0 { 0 } else { end + 1 });
    text
}

/// How many columns a text takes, one for each character: names are ASCII, and where strings are
/// not, their neighbours stand a little off.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests;
