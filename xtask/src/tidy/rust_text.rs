//! Just enough of Rust's lexical grammar to tell code from comments and literals.
//!
//! A check that looks for a word in code must not stumble over a comment that explains the word,
//! nor over a test that holds it in a string.

/// A file of Rust, taken apart.
#[derive(Debug, Default)]
pub(super) struct RustText {
    /// The text with comments and literals turned to blanks. Lines keep their numbers.
    pub(super) code: String,
    /// The strings, without their quotes and with their escapes as written.
    pub(super) strings: Vec<StringLiteral>,
}

/// A string in the code.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct StringLiteral {
    /// Where it opens. Lines count from one.
    pub(super) line: usize,
    pub(super) content: String,
}

/// What a piece of text is, and how many bytes of it there are.
#[derive(Debug)]
enum Piece {
    Code(usize),
    /// A comment or a character.
    Blank(usize),
    /// Quotes and prefix included; the content begins and ends this far from the ends.
    Text {
        len: usize,
        open: usize,
        close: usize,
    },
}

impl RustText {
    pub(super) fn parse(text: &str) -> Self {
        let mut parsed = Self::default();
        let mut rest = text;
        let mut line = 1;
        while !rest.is_empty() {
            let piece = next_piece(rest);
            let (taken, left) = split(rest, piece.len());
            parsed.take(&piece, taken, line);
            line += taken.matches('\n').count();
            rest = left;
        }
        parsed
    }

    fn take(&mut self, piece: &Piece, taken: &str, line: usize) {
        match piece {
            Piece::Code(_) => self.code.push_str(taken),
            Piece::Blank(_) => self.blank(taken),
            Piece::Text { len, open, close } => {
                let content = taken.get(*open..len.saturating_sub(*close)).unwrap_or_default();
                self.strings.push(StringLiteral { line, content: content.to_owned() });
                self.blank(taken);
            }
        }
    }

    fn blank(&mut self, taken: &str) {
        self.code.extend(taken.chars().map(|letter| if letter == '\n' { '\n' } else { ' ' }));
    }
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Code(len) | Self::Blank(len) | Self::Text { len, .. } => *len,
        }
    }
}

/// The first piece of a text that is not empty.
fn next_piece(text: &str) -> Piece {
    if text.starts_with("//") {
        return Piece::Blank(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Piece::Blank(block_comment(text));
    }
    if text.starts_with('"') {
        let len = quoted(text, '"').unwrap_or(text.len());
        return Piece::Text { len, open: 1, close: 1 };
    }
    if let Some(len) = character(text) {
        return Piece::Blank(len);
    }
    if let Some(raw) = raw_string(text) {
        return raw;
    }
    Piece::Code(word(text))
}

/// A word is taken whole, so that the `r` at its end opens no raw string.
fn word(text: &str) -> usize {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    let prefix = ["br", "cr", "b", "c"].iter().find(|prefix| {
        let after = text.strip_prefix(**prefix);
        after.is_some_and(|after| after.starts_with(['"', '\'']) || raw_string(after).is_some())
    });
    match (prefix, text.find(|letter| !is_part(letter))) {
        (Some(_), _) => 1,
        (None, Some(0)) => text.chars().next().map_or(1, char::len_utf8),
        (None, end) => end.unwrap_or(text.len()),
    }
}

/// Block comments nest.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of what opens and closes with `quote`; `None` where it does not close.
fn quoted(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if !escaped && letter == quote {
            return Some(at + 1);
        }
        escaped = !escaped && letter == '\\';
    }
    None
}

/// The length of a character such as `'a'` or `'\n'`; `None` for a lifetime, and for all else.
fn character(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    if inner.starts_with('\\') {
        return quoted(text, '\'');
    }
    let letter = inner.chars().next()?;
    let len = 1 + letter.len_utf8();
    text.get(len..)?.starts_with('\'').then_some(len + 1)
}

/// `r"…"`, `r#"…"#` and so on.
fn raw_string(text: &str) -> Option<Piece> {
    let hashes = text.strip_prefix('r')?;
    let count = hashes.find(|letter| letter != '#')?;
    let content = hashes.get(count..)?.strip_prefix('"')?;
    let (open, close) = (count + 2, count + 1);
    let end = format!("\"{}", "#".repeat(count));
    let len = content.find(&end).map_or(text.len(), |at| open + at + close);
    Some(Piece::Text { len, open, close })
}

/// Splits where a piece ends; pieces end between characters.
fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, strings: &[(usize, &str)]) {
        let parsed = RustText::parse(text);
        let found: Vec<_> =
            parsed.strings.iter().map(|found| (found.line, found.content.as_str())).collect();
        let words: Vec<_> = parsed.code.split_whitespace().collect();
        assert_eq!(words.join(" "), code);
        assert_eq!(found, strings);
        assert_eq!(parsed.code.lines().count(), text.lines().count(), "lines keep their numbers");
    }

    #[test]
    fn comments_are_no_code() {
        check("a // b\nc", "a c", &[]);
        check("a /* b /* c */ d\n */ e", "a e", &[]);
        check("//! a \"b\"\n/// c's\nd", "d", &[]);
    }

    #[test]
    fn strings_are_kept_with_their_line() {
        check("a(\"b\",\n  \"c \\\" // d\")", "a( , )", &[(1, "b"), (2, "c \\\" // d")]);
        check("let a = \"\n  b\";\nc(\"d\")", "let a = ; c( )", &[(1, "\n  b"), (3, "d")]);
        check(r#"a("\\") b"#, "a( ) b", &[(1, r"\\")]);
    }

    #[test]
    fn raw_strings_end_where_their_hashes_do() {
        check(r###"a(r#"b "c" d"#) e"###, "a( ) e", &[(1, r#"b "c" d"#)]);
        check(r#"a(r"b\") e"#, "a( ) e", &[(1, r"b\")]);
        check(r##"a(br#"b"#, b"c", cr"d")"##, "a(b , b , c )", &[(1, "b"), (1, "c"), (1, "d")]);
    }

    #[test]
    fn a_word_may_end_in_r() {
        check("for r#type in bar { \"a\" }", "for r#type in bar { }", &[(1, "a")]);
    }

    #[test]
    fn characters_and_lifetimes_are_told_apart() {
        check("a('\"', '\\'', '\\u{1F600}', b'x', 'é') b", "a( , , , b , ) b", &[]);
        check(
            "fn a<'b>(c: &'b str, d: &'static str)",
            "fn a<'b>(c: &'b str, d: &'static str)",
            &[],
        );
    }

    #[test]
    fn what_does_not_close_ends_with_the_file() {
        check("a \"b", "a", &[(1, "")]);
        check("a /* b", "a", &[]);
        check("a r#\"b", "a", &[(1, "")]);
    }
}
