//! `routes.toml`: in each section the `=` stand below each other, and so do the leading fields of
//! tables that are written on one line.
//!
//! The text is cut into tokens by the lexer of the TOML library itself, and only the blanks
//! between two tokens of a line change; a string, a comment and the end of a line are tokens. A
//! value of several lines keeps its indentation.

use toml_parser::Source;
use toml_parser::lexer::TokenKind;

use super::{joined, width};
use crate::source::BLANKS;

mod section;

use self::section::Section;

/// A token that is no blank.
#[derive(Debug, Clone, Copy)]
struct Token<'t> {
    kind: TokenKind,
    text: &'t str,
    /// Whether a blank stands before it.
    apart: bool,
}

/// The tokens of a line, which is more than one where a string is.
#[derive(Debug)]
struct Line<'t> {
    tokens: Vec<Token<'t>>,
    /// As written.
    text: &'t str,
    /// Whether an earlier line began the value that goes on here.
    continues: bool,
}

pub(super) fn format(text: &str) -> String {
    let (mut lines, mut section) = (Vec::new(), Section::default());
    for line in read(text) {
        if !line.continues && line.is_heading() {
            lines.extend(std::mem::take(&mut section).write());
        }
        section.push(&line);
    }
    lines.extend(section.write());
    joined(lines)
}

fn read(text: &str) -> Vec<Line<'_>> {
    let (mut lines, mut tokens) = (Vec::new(), Vec::new());
    let (mut start, mut apart) = (0, false);
    let (mut depth, mut continues) = (0_usize, false);
    for token in Source::new(text).lex() {
        let (kind, span) = (token.kind(), token.span());
        let token = text.get(span.start()..span.end()).unwrap_or_default();
        match kind {
            TokenKind::Whitespace => {
                apart = true;
                continue;
            }
            TokenKind::Newline | TokenKind::Eof => {
                let text = text.get(start..span.start()).unwrap_or_default();
                lines.push(Line { tokens: std::mem::take(&mut tokens), text, continues });
                (start, continues) = (span.end(), depth > 0);
            }
            TokenKind::LeftSquareBracket | TokenKind::LeftCurlyBracket => depth += 1,
            TokenKind::RightSquareBracket | TokenKind::RightCurlyBracket => {
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        if !matches!(kind, TokenKind::Newline | TokenKind::Eof) {
            tokens.push(Token { kind, text: token, apart });
        }
        apart = false;
    }
    lines
}

impl Line<'_> {
    fn is_heading(&self) -> bool {
        self.tokens.first().is_some_and(|token| token.kind == TokenKind::LeftSquareBracket)
    }
}

/// Tokens in a row, with the blanks that belong between them.
fn join(tokens: &[Token<'_>]) -> String {
    let mut text = String::new();
    let mut before: Option<TokenKind> = None;
    for token in tokens {
        if before.is_some_and(|before| is_apart(before, *token)) {
            text.push(' ');
        }
        text.push_str(token.text);
        before = Some(token.kind);
    }
    text
}

fn is_apart(before: TokenKind, token: Token<'_>) -> bool {
    use TokenKind::{
        Atom, Comma, Dot, Equals, LeftCurlyBracket, LeftSquareBracket, RightCurlyBracket,
        RightSquareBracket,
    };
    match (before, token.kind) {
        (LeftCurlyBracket, RightCurlyBracket) => false,
        (LeftCurlyBracket, _) | (_, RightCurlyBracket) => true,
        (LeftSquareBracket, _) | (_, RightSquareBracket | Comma) => false,
        (Dot, _) | (_, Dot) => false,
        (Comma | Equals, _) | (_, Equals) => true,
        // A date and its time.
        (Atom, Atom) => token.apart,
        (_, TokenKind::Comment) => true,
        _ => token.apart,
    }
}
