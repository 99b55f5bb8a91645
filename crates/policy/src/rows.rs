//! The rows of `roles.csv` and `policy.csv`: comma-separated, one type per file, no quoting.
//!
//! This reader exists because lenient ones drop what they do not understand, and a dropped
//! `deny` is an open door. Every line is a comment, blank, or a whole row; else it is a finding.

use crate::finding::{Code, Findings, Place};
use crate::source::{BLANKS, Source, bounded};

/// What a row looks like in one file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape<const N: usize> {
    /// The first field of every row.
    pub(crate) row_type: &'static str,
    /// What the other fields are called.
    pub(crate) fields: [&'static str; N],
    /// A word that may stand behind them.
    pub(crate) mark: Option<&'static str>,
}

/// One row: its fields without the type, and where it stands.
#[derive(Debug)]
pub(crate) struct Row<'a, const N: usize> {
    pub(crate) at: Place<'a>,
    pub(crate) fields: [Field<'a>; N],
    /// Whether the mark stands behind them.
    pub(crate) marked: bool,
}

/// One field, without the blanks around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: Place<'a>,
}

impl<const N: usize> Shape<N> {
    /// Reads every row of `source`; lines that are none are noted.
    pub(crate) fn read<'a>(&self, source: &Source<'a>, findings: &mut Findings) -> Vec<Row<'a, N>> {
        source.statements().filter_map(|(at, line)| self.row(source, at, line, findings)).collect()
    }

    fn row<'a>(
        &self,
        source: &Source<'a>,
        at: usize,
        line: &'a str,
        findings: &mut Findings,
    ) -> Option<Row<'a, N>> {
        if let Some(quote) = line.find(['"', '\'', '`']) {
            let message = "a row has no quotes";
            findings.add(Code::Quote, source.place(at + quote), message, "write the bare word");
            return None;
        }
        if let Some(comment) = line.find('#') {
            let fix = "put the comment on a line of its own";
            let message = "a comment stands behind a row";
            findings.add(Code::InlineComment, source.place(at + comment), message, fix);
            return None;
        }
        let mut fields = split(source.place(at), line);
        let row_type = fields.next()?;
        if row_type.text != self.row_type {
            let message = format!("`{}` is no row type here", row_type.text);
            findings.add(Code::RowType, row_type.at, message, self.fix());
            return None;
        }
        let mut fields: Vec<Field<'a>> = fields.collect();
        let found = fields.len();
        let last = if found == N + 1 { self.mark.and(fields.pop()) } else { None };
        let marked = last.is_some();
        if let Some(last) = last.filter(|last| Some(last.text) != self.mark) {
            note_mark(last, self.mark.unwrap_or_default(), findings);
            return None;
        }
        let fields = fields.try_into().map_err(|_| {
            let message = format!("the row has {} fields, not {}", found + 1, N + 1);
            findings.add(Code::Arity, row_type.at, message, self.fix());
        });
        Some(Row { at: row_type.at, fields: fields.ok()?, marked })
    }

    fn fix(&self) -> String {
        format!("write `{}, {}`", self.row_type, self.fields.join(", "))
    }
}

fn note_mark(found: Field<'_>, mark: &str, findings: &mut Findings) {
    let message = format!("`{}` may not stand behind a rule", found.text);
    let fix = format!("write `{mark}`, or nothing");
    findings.add(Code::UnknownMode, found.at, message, fix);
}

/// The fields of a row that begins at `at`.
fn split<'a>(at: Place<'a>, row: &'a str) -> impl Iterator<Item = Field<'a>> {
    let mut column = at.column;
    row.split(',').map(move |piece| {
        let kept = piece.trim_start_matches(BLANKS);
        let blanks = piece.len() - kept.len();
        let at = Place { column: column + bounded(blanks), ..at };
        column += bounded(piece.chars().count() + 1);
        Field { text: kept.trim_end_matches(BLANKS), at }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape<2> =
        Shape { row_type: "g", fields: ["senior", "junior"], mark: Some("shadow") };

    #[track_caller]
    fn check(text: &str, rows: &[[&str; 2]], problems: &[(Code, u32, u32)]) {
        let mut findings = Findings::default();
        let source = Source::read("roles.csv", text.as_bytes(), &mut findings).unwrap();
        let read = SHAPE.read(&source, &mut findings);
        let read: Vec<_> = read.iter().map(|row| row.fields.map(|field| field.text)).collect();
        assert_eq!(read, rows);
        let found = findings.into_sorted();
        let found: Vec<_> = found.iter().map(|f| (f.code, f.line, f.column)).collect();
        assert_eq!(found, problems);
    }

    #[test]
    fn whole_rows_are_read() {
        check("# who\n\n g ,  staff,customer\n", &[["staff", "customer"]], &[]);
    }

    #[test]
    fn anything_else_is_a_finding() {
        check("p, a, b", &[], &[(Code::RowType, 1, 1)]);
        check("G, a, b", &[], &[(Code::RowType, 1, 1)]);
        check("g, a", &[], &[(Code::Arity, 1, 1)]);
        check("g, a, b,", &[], &[(Code::UnknownMode, 1, 9)]);
        check("g, a, b, Shadow", &[], &[(Code::UnknownMode, 1, 10)]);
        check("g, a, b, shadow, c", &[], &[(Code::Arity, 1, 1)]);
        check("g, a, b # so", &[], &[(Code::InlineComment, 1, 9)]);
        check("g, \"a\", b", &[], &[(Code::Quote, 1, 4)]);
        check("\u{feff}g, a, b", &[["a", "b"]], &[(Code::ByteOrderMark, 1, 1)]);
        check("g, a, b\r\n", &[["a", "b"]], &[(Code::CarriageReturn, 1, 8)]);
        check("g, a,\u{b}b", &[["a", "\u{b}b"]], &[(Code::HiddenCharacter, 1, 6)]);
        check("g, a, b\ng", &[["a", "b"]], &[(Code::Arity, 2, 1)]);
    }
}
