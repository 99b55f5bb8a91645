//! Findings: one line each, and at a terminal the line they are about with a caret below it.

use std::io::Write as _;

use serde::Serialize;
use stockade_policy::{Finding, Severity};
use stockade_settings::bundle_folder::FolderFile;
use unicode_width::UnicodeWidthChar as _;

use super::{Look, Screen, Tone, counted, visible};

/// A finding as programs read it.
#[derive(Debug, Serialize)]
pub(crate) struct FindingBody<'a> {
    code: &'static str,
    severity: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    fix: &'a str,
}

impl<'a> From<&'a Finding> for FindingBody<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            code: finding.code.as_str(),
            severity: finding.code.severity().as_str(),
            file: &finding.file,
            line: finding.line,
            column: finding.column,
            message: &finding.message,
            fix: &finding.fix,
        }
    }
}

/// Prints findings, how many there are, and what follows from them. `files` are where the
/// offending lines are looked up.
pub(crate) fn print_findings(
    findings: &[Finding],
    files: &[FolderFile],
    consequence: &str,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    list_findings(findings, files, screen)?;
    let count = counted(findings.len(), "finding");
    writeln!(screen, "{}: {consequence}", screen.look().paint(Tone::Bad, &count))?;
    Ok(())
}

/// Prints findings alone.
pub(crate) fn list_findings(
    findings: &[Finding],
    files: &[FolderFile],
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let look = screen.look();
    for finding in findings {
        print_finding(finding, look, screen)?;
        if let (Some(columns), Some(line)) = (look.columns(), offending_line(finding, files)) {
            print_excerpt(finding, line, columns, screen)?;
        }
    }
    Ok(())
}

fn print_finding(finding: &Finding, look: Look, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let Finding { code, file, line, column, message, fix } = finding;
    let place = format!("{}:{line}:{column}:", visible(file));
    let code = format!("[{code}]");
    let (message, fix) = (visible(message), visible(fix));
    writeln!(
        screen,
        "{} {} {}; {}",
        look.paint(Tone::Place, &place),
        look.paint(tone_of(finding.code.severity()), &code),
        look.paint(Tone::Strong, &message),
        look.paint(Tone::Hint, &fix),
    )?;
    Ok(())
}

fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Error => Tone::Bad,
        Severity::Warning => Tone::Hint,
        Severity::Note => Tone::Faint,
    }
}

/// The line a finding is about; nothing where the file is missing, empty there, or no text.
fn offending_line<'f>(finding: &Finding, files: &'f [FolderFile]) -> Option<&'f str> {
    let file = files.iter().find(|file| file.name == finding.file)?;
    let number = usize::try_from(finding.line).ok()?.checked_sub(1)?;
    let line = file.bytes.split(|byte| *byte == b'\n').nth(number)?;
    std::str::from_utf8(line).ok().filter(|line| !line.trim().is_empty())
}

fn print_excerpt(
    finding: &Finding,
    line: &str,
    columns: usize,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let look = screen.look();
    let number = finding.line.to_string();
    let gutter = number.len() + 3;
    let skipped = usize::try_from(finding.column).unwrap_or(1).saturating_sub(1);
    let marked = Marked::of(line, skipped);
    let window = marked.window(columns.saturating_sub(gutter + 1));
    let rule = look.paint(Tone::Faint, "|");
    writeln!(
        screen,
        "{} {rule} {}",
        look.paint(Tone::Faint, &format!("{number:>3}")),
        window.text
    )?;
    let carets = "^".repeat(window.length);
    let carets = look.paint(Tone::Bad, &carets);
    let blank = " ".repeat(number.len().max(3));
    writeln!(screen, "{blank} {rule} {:indent$}{carets}", "", indent = window.indent)?;
    Ok(())
}

/// A line cut in three: before what is wrong, what is wrong, and after it.
#[derive(Debug)]
struct Marked {
    before: String,
    wrong: String,
    after: String,
}

/// As much of a line as fits, and which part of it is marked.
#[derive(Debug, PartialEq, Eq)]
struct Window {
    text: String,
    indent: usize,
    length: usize,
}

impl Marked {
    /// What is wrong begins at a character and ends with its word or its string.
    fn of(line: &str, skipped: usize) -> Self {
        let at = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
        let (before, rest) = line.split_at_checked(at).unwrap_or((line, ""));
        let (wrong, after) = rest.split_at_checked(length_of_wrong(rest)).unwrap_or((rest, ""));
        Self { before: visible(before), wrong: visible(wrong), after: visible(after) }
    }

    /// The part around what is wrong that has at most `columns`; what is cut off is told by `…`.
    fn window(&self, columns: usize) -> Window {
        let wrong = cut_back(&self.wrong, columns.saturating_sub(2));
        let length = width(&wrong).max(1);
        let free = columns.saturating_sub(length);
        let wanted = width(&self.after).min(free / 2);
        let before = cut_front(&self.before, free.saturating_sub(wanted));
        let indent = width(&before);
        let after = cut_back(&self.after, free.saturating_sub(indent));
        Window { text: format!("{before}{wrong}{after}"), indent, length }
    }
}

fn length_of_wrong(rest: &str) -> usize {
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    match quote {
        Some(quote) => rest.char_indices().skip(1).find(|(_, c)| *c == quote).map(|(at, _)| at + 1),
        None => rest.find(|c: char| c.is_whitespace() || ",=[]{}\"'#:".contains(c)),
    }
    .map_or(rest.len(), |at| at.max(rest.chars().next().map_or(0, char::len_utf8)))
}

fn width(text: &str) -> usize {
    text.chars().map(|char| char.width().unwrap_or(0)).sum()
}

fn fitting(chars: impl Iterator<Item = char>, columns: usize) -> String {
    let mut left = columns;
    let fits = |char: &char| {
        let width = char.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    chars.take_while(fits).collect()
}

fn cut_back(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let kept = fitting(text.chars(), columns.saturating_sub(1));
    if columns == 0 { kept } else { format!("{kept}…") }
}

fn cut_front(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let kept = fitting(text.chars().rev(), columns.saturating_sub(1));
    let kept: String = kept.chars().rev().collect();
    if columns == 0 { kept } else { format!("…{kept}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, column: usize, columns: usize, expected: (&str, &str)) {
        let window = Marked::of(line, column - 1).window(columns);
        let carets = format!("{}{}", " ".repeat(window.indent), "^".repeat(window.length));
        assert_eq!((window.text.as_str(), carets.as_str()), expected);
        assert!(width(&window.text) <= columns);
    }

    #[test]
    fn the_caret_stands_under_the_word() {
        check(
            "p, customer, order, create",
            14,
            80,
            ("p, customer, order, create", "             ^^^^^"),
        );
        check("a = \"GET x\"", 5, 80, ("a = \"GET x\"", "    ^^^^^^^"));
        check("g, a, b # so", 9, 80, ("g, a, b # so", "        ^"));
        check("g", 2, 80, ("g", " ^"));
    }

    #[test]
    fn wide_characters_count_as_wide_as_they_are() {
        check("漢字, x", 5, 80, ("漢字, x", "      ^"));
    }

    #[test]
    fn a_long_line_is_shown_around_what_is_wrong() {
        check("0123456789 wrong 0123456789", 12, 15, ("…789 wrong 012…", "     ^^^^^"));
        check("wrong 0123456789", 1, 10, ("wrong 012…", "^^^^^"));
        check("0123456789 wrong", 12, 10, ("…789 wrong", "     ^^^^^"));
        check("averylongwordindeed", 1, 8, ("avery…", "^^^^^^"));
    }
}
