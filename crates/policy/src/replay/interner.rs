//! Small numbers for texts of a log, as many as fit.

use std::collections::HashMap;

use crate::source::is_hidden;

/// The longest text that is kept.
const TEXT_BYTES_MAX: usize = 256;

/// What stands for every text that is not kept.
pub(super) const OTHERS: &str = "(others)";

/// Texts, each with a number.
#[derive(Debug)]
pub(super) struct Interner {
    numbers: HashMap<Box<str>, usize>,
    count_max: usize,
}

impl Interner {
    /// Room for so many texts.
    pub(super) fn of(count_max: usize) -> Self {
        Self { numbers: HashMap::new(), count_max }
    }

    /// The number of a text, counted from zero in the order of arrival; nothing for a long one,
    /// and where there is no more room.
    pub(super) fn number(&mut self, text: &str) -> Option<usize> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        let number = self.numbers.len();
        if number >= self.count_max || text.len() > TEXT_BYTES_MAX {
            return None;
        }
        self.numbers.insert(text.into(), number);
        Some(number)
    }

    /// The texts by their numbers, fit for a terminal.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut texts: Vec<(usize, &str)> =
            self.numbers.iter().map(|(text, number)| (*number, text.as_ref())).collect();
        texts.sort_unstable();
        texts.into_iter().map(|(_, text)| printable(text)).collect()
    }
}

/// A text of a log as it can be shown: bounded, and without what moves a terminal's cursor or
/// reorders what it shows.
pub(super) fn printable(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    let shown = text.get(..end).unwrap_or_default();
    shown.chars().fold(String::new(), |mut safe, c| {
        if c.is_control() || is_hidden(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
        safe
    })
}
