//! A section of a document: the lines from one heading to the next, aligned with each other.

use toml_parser::lexer::TokenKind;

use super::{BLANKS, Line, Token, join, width};

/// The lines of a section.
#[derive(Debug, Default)]
pub(super) struct Section {
    entries: Vec<Entry>,
}

/// A line, taken apart as far as it is aligned with others.
#[derive(Debug)]
enum Entry {
    /// A blank line, a comment, a heading, or what goes on with an earlier line.
    Text(String),
    /// A key, what stands behind its `=`, and a comment.
    Pair { key: String, value: Value, comment: Option<String> },
}

/// What stands behind an `=`.
#[derive(Debug)]
enum Value {
    Text(String),
    /// The fields of a table on one line.
    Table(Vec<Field>),
}

/// `key = value` within a table.
#[derive(Debug)]
struct Field {
    key: String,
    text: String,
    /// Whether the value is a list or a table; what stands behind it is not aligned.
    nested: bool,
    /// Columns of the widest field at this place; none where it is not aligned.
    column: usize,
}

impl Section {
    pub(super) fn push(&mut self, line: &Line<'_>) {
        self.entries.push(Entry::of(line));
    }

    /// The lines, aligned.
    pub(super) fn write(mut self) -> Vec<String> {
        self.align_fields();
        let keys = self.entries.iter().filter_map(|entry| match entry {
            Entry::Pair { key, .. } => Some(width(key)),
            Entry::Text(_) => None,
        });
        let column = keys.max().unwrap_or(0);
        let lines: Vec<_> = self.entries.into_iter().map(|entry| entry.write(column)).collect();
        with_comments(&lines)
    }

    /// Finds the columns of the leading fields: as long as most tables have the same key at the
    /// same place, theirs are aligned.
    fn align_fields(&mut self) {
        let mut tables: Vec<&mut Vec<Field>> = self
            .entries
            .iter_mut()
            .filter_map(|entry| match entry {
                Entry::Pair { value: Value::Table(fields), .. } => Some(fields),
                Entry::Pair { value: Value::Text(_), .. } | Entry::Text(_) => None,
            })
            .collect();
        for place in 0.. {
            let key = most_common(tables.iter().filter_map(|fields| fields.get(place)));
            tables.retain(|fields| {
                fields.get(place).is_some_and(|field| Some(&field.key) == key.as_ref())
            });
            let column = tables.iter().filter_map(|fields| fields.get(place));
            let column = column.filter(|field| !field.nested).map(|field| width(&field.text)).max();
            tables.retain(|fields| fields.get(place).is_some_and(|field| !field.nested));
            let Some(column) = column else { return };
            for field in tables.iter_mut().filter_map(|fields| fields.get_mut(place)) {
                field.column = column;
            }
        }
    }
}

/// The key that most fields have; of several, the first.
fn most_common<'f>(fields: impl Iterator<Item = &'f Field>) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for field in fields {
        match counts.iter_mut().find(|(key, _)| *key == field.key) {
            Some((_, count)) => *count += 1,
            None => counts.push((&field.key, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(key, _)| key.to_owned())
}

impl Entry {
    fn of(line: &Line<'_>) -> Self {
        if line.continues {
            return Self::Text(line.text.to_owned());
        }
        let (tokens, comment) = match line.tokens.as_slice() {
            [tokens @ .., last] if last.kind == TokenKind::Comment => (tokens, Some(last.text)),
            tokens => (tokens, None),
        };
        let equals = tokens.iter().position(|token| token.kind == TokenKind::Equals);
        let pair = equals.and_then(|at| Some((tokens.get(..at)?, tokens.get(at + 1..)?)));
        match pair {
            Some((key, value)) if !line.is_heading() => Self::Pair {
                key: join(key),
                value: Value::of(value),
                comment: comment.map(|text| text.trim_end_matches(BLANKS).to_owned()),
            },
            _ => Self::Text(join(&line.tokens)),
        }
    }

    /// The line, and the comment behind it.
    fn write(self, column: usize) -> (String, Option<String>) {
        match self {
            Self::Text(text) => (text, None),
            Self::Pair { key, value, comment } => {
                let blanks = " ".repeat(column.saturating_sub(width(&key)));
                (format!("{key}{blanks} = {}", value.write()), comment)
            }
        }
    }
}

impl Value {
    fn of(tokens: &[Token<'_>]) -> Self {
        let inner = match tokens {
            [first, inner @ .., last]
                if first.kind == TokenKind::LeftCurlyBracket
                    && last.kind == TokenKind::RightCurlyBracket =>
            {
                inner
            }
            _ => &[],
        };
        let fields: Option<Vec<Field>> = fields(inner).into_iter().map(Field::of).collect();
        fields.map_or_else(|| Self::Text(join(tokens)), Self::Table)
    }

    fn write(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Table(fields) => {
                let mut text = "{ ".to_owned();
                for (number, field) in fields.iter().enumerate() {
                    text.push_str(&field.text);
                    if number + 1 < fields.len() {
                        let blanks = field.column.saturating_sub(width(&field.text)) + 1;
                        text.push(',');
                        text.push_str(&" ".repeat(blanks));
                    }
                }
                text.push_str(" }");
                text
            }
        }
    }
}

/// The tokens between the commas of a table itself, not of what is within it.
fn fields<'t, 'l>(tokens: &'l [Token<'t>]) -> Vec<&'l [Token<'t>]> {
    let mut depth = 0_usize;
    let pieces = tokens.split(|token| {
        match token.kind {
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        depth == 0 && token.kind == TokenKind::Comma
    });
    pieces.collect()
}

impl Field {
    /// Nothing for what is no `key = value`, as behind the last comma of a table.
    fn of(tokens: &[Token<'_>]) -> Option<Self> {
        let equals = tokens.iter().position(|token| token.kind == TokenKind::Equals)?;
        let (key, value) = (tokens.get(..equals)?, tokens.get(equals + 1)?);
        let nested =
            matches!(value.kind, TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket);
        Some(Self { key: join(key), text: join(tokens), nested, column: 0 })
    }
}

/// Comments behind lines that follow each other stand below each other.
fn with_comments(lines: &[(String, Option<String>)]) -> Vec<String> {
    let mut written = Vec::with_capacity(lines.len());
    for run in lines.chunk_by(|one, other| one.1.is_some() && other.1.is_some()) {
        let column = run.iter().map(|(line, _)| width(line)).max().unwrap_or(0);
        written.extend(run.iter().map(|(line, comment)| match comment {
            Some(comment) => {
                let blanks = " ".repeat(column.saturating_sub(width(line)) + 2);
                format!("{line}{blanks}{comment}")
            }
            None => line.clone(),
        }));
    }
    written
}
