//! The text of one file: what it may be made of, and where its bytes are.

use crate::finding::{Code, Findings, Place};

/// A file's text, with the means to say where in it something stands.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    file: &'a str,
    text: &'a str,
    line_starts: Vec<usize>,
}

impl<'a> Source<'a> {
    /// Takes bytes for text. Nothing comes back only where they are not UTF-8; other flaws are
    /// noted once each and reading goes on.
    pub(crate) fn read(file: &'a str, bytes: &'a [u8], findings: &mut Findings) -> Option<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                note_not_utf8(file, bytes.get(..error.valid_up_to()), findings);
                return None;
            }
        };
        let without_mark = text.strip_prefix('\u{feff}');
        if without_mark.is_some() {
            findings.add(
                Code::ByteOrderMark,
                Place::start_of(file),
                "the file begins with a byte order mark",
                "save it as UTF-8 without a byte order mark",
            );
        }
        let source = Self::of(file, without_mark.unwrap_or(text));
        source.note_carriage_return(findings);
        source.note_hidden_character(findings);
        Some(source)
    }

    fn of(file: &'a str, text: &'a str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let line_starts = std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect();
        Self { file, text, line_starts }
    }

    /// The file's name.
    pub(crate) fn file(&self) -> &'a str {
        self.file
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// The lines that say something, without blanks around them: not empty, not a comment.
    /// With each comes the offset of its first character.
    pub(crate) fn statements(&self) -> impl Iterator<Item = (usize, &'a str)> {
        let text = self.text;
        self.line_starts.iter().filter_map(move |start| {
            let line = text.get(*start..)?.lines().next()?;
            let kept = line.trim_start_matches(BLANKS);
            let at = start + (line.len() - kept.len());
            let kept = kept.trim_end_matches(BLANKS);
            (!kept.is_empty() && !kept.starts_with('#')).then_some((at, kept))
        })
    }

    /// The place of the byte at `offset`.
    pub(crate) fn place(&self, offset: usize) -> Place<'a> {
        let lines_before = self.line_starts.partition_point(|start| *start <= offset);
        let line_start =
            self.line_starts.get(lines_before.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(line_start..offset).unwrap_or_default();
        Place {
            file: self.file,
            line: bounded(lines_before),
            column: bounded(before.chars().count() + 1),
        }
    }

    fn note_carriage_return(&self, findings: &mut Findings) {
        if let Some(at) = self.text.find('\r') {
            findings.add(
                Code::CarriageReturn,
                self.place(at),
                "a line ends with a carriage return",
                "save the file with Unix line ends",
            );
        }
    }

    fn note_hidden_character(&self, findings: &mut Findings) {
        if let Some((at, hidden)) = self.text.char_indices().find(|(_, c)| is_hidden(*c)) {
            findings.add(
                Code::HiddenCharacter,
                self.place(at),
                format!("the character U+{:04X} cannot be seen", u32::from(hidden)),
                "remove it",
            );
        }
    }
}

/// What may stand around a field without being part of it.
pub(crate) const BLANKS: [char; 3] = [' ', '\t', '\r'];

/// Characters a reviewer cannot see: control characters, and those that reorder or join text.
pub(crate) fn is_hidden(c: char) -> bool {
    let allowed = matches!(c, '\n' | '\r' | '\t');
    let invisible = matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
        | '\u{feff}');
    !allowed && (c.is_control() || invisible)
}

fn note_not_utf8(file: &str, valid: Option<&[u8]>, findings: &mut Findings) {
    let valid = std::str::from_utf8(valid.unwrap_or_default()).unwrap_or_default();
    findings.add(
        Code::NotUtf8,
        Source::of(file, valid).place(valid.len()),
        "the file is not valid UTF-8",
        "save it as UTF-8",
    );
}

/// A count as it is printed. Files are bounded at 4 MiB, so nothing is lost.
pub(crate) fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines_from_one() {
        let source = Source::of("f", "é, x\n\n  yz\n");
        for (offset, line, column) in [(0, 1, 1), (2, 1, 2), (4, 1, 4), (6, 2, 1), (9, 3, 3)] {
            let place = source.place(offset);
            assert_eq!((place.line, place.column), (line, column), "offset {offset}");
        }
    }

    #[test]
    fn statements_skip_blank_lines_and_comments() {
        let source = Source::of("f", "# note\n\n  a, b \r\n\t# more\nc");
        assert_eq!(source.statements().collect::<Vec<_>>(), [(10, "a, b"), (25, "c")]);
    }
}
