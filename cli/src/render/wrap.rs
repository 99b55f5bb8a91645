//! Long lines, broken between words where the terminal ends.

use unicode_width::UnicodeWidthStr as _;

/// The text in lines of at most `columns`, without the blanks it is broken at. A longer word has a
/// line of its own; without `columns` there is one line.
pub(crate) fn wrap(text: &str, columns: Option<usize>) -> Vec<String> {
    let columns = columns.unwrap_or(usize::MAX);
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.width() + 1 + word.width() <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter_mut().for_each(|line| line.truncate(line.trim_end().len()));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two  three", Some(8)), ["one two", "three"]);
        assert_eq!(wrap("a longest word", Some(5)), ["a", "longest", "word"]);
        assert_eq!(wrap("one two", None), ["one two"]);
        assert_eq!(wrap("", Some(3)), [""]);
    }
}
