//! `roles.csv` and `policy.csv`: one table for each file, its columns aligned.
//!
//! A comment that looks like a row, such as a heading or a rule that is switched off, stands in
//! the table as well.

use super::{joined, width};
use crate::source::BLANKS;
use crate::table::Scope;

/// The types a row can have.
const ROW_TYPES: [&str; 2] = ["g", "p"];

/// The fewest fields of a row.
const FIELDS_MIN: usize = 3;

/// The column of a rule's scope.
const SCOPE_COLUMN: usize = 4;

enum Line<'t> {
    /// A comment or a blank line.
    Text(&'t str),
    /// The cells of a row; the first of a comment begins with `# `.
    Row(Vec<String>),
}

pub(super) fn format(text: &str) -> String {
    let lines: Vec<Line<'_>> = text.split('\n').map(read).collect();
    let rows = lines.iter().filter_map(|line| match line {
        Line::Row(cells) => Some(cells),
        Line::Text(_) => None,
    });
    let mut widths: Vec<usize> = Vec::new();
    for (column, cell) in rows.flat_map(|cells| cells.iter().enumerate()) {
        match widths.get_mut(column) {
            Some(widest) => *widest = width(cell).max(*widest),
            None => widths.push(width(cell)),
        }
    }
    // Room for any scope, so that a rule that changes its scope moves no other.
    if let Some(widest) = widths.get_mut(SCOPE_COLUMN) {
        *widest = width(Scope::Others.as_str()).max(*widest);
    }
    joined(lines.iter().map(|line| match line {
        Line::Text(text) => (*text).to_owned(),
        Line::Row(cells) => write(cells, &widths),
    }))
}

fn read(line: &str) -> Line<'_> {
    let line = line.trim_matches(BLANKS);
    match line.strip_prefix('#') {
        None if line.is_empty() => Line::Text(line),
        None => Line::Row(split(line).map(str::to_owned).collect()),
        Some(comment) if looks_like_a_row(comment) => {
            let mut cells: Vec<String> = split(comment).map(str::to_owned).collect();
            if let Some(first) = cells.first_mut() {
                first.insert_str(0, "# ");
            }
            Line::Row(cells)
        }
        Some(_) => Line::Text(line),
    }
}

fn split(row: &str) -> impl Iterator<Item = &str> {
    row.split(',').map(|cell| cell.trim_matches(BLANKS))
}

/// A row type, and single words behind it.
fn looks_like_a_row(comment: &str) -> bool {
    let one_word = |cell: &str| !cell.is_empty() && !cell.contains(char::is_whitespace);
    split(comment).next().is_some_and(|first| ROW_TYPES.contains(&first))
        && split(comment).count() >= FIELDS_MIN
        && split(comment).all(one_word)
}

fn write(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (number, (cell, column)) in cells.iter().zip(widths).enumerate() {
        line.push_str(cell);
        if number + 1 < cells.len() {
            let blanks = column.saturating_sub(width(cell)) + 1;
            line.push(',');
            line.push_str(&" ".repeat(blanks));
        }
    }
    line
}
