//! Files of cases: left as they are, but for blanks behind the last word of a line.

use super::joined;
use crate::finding::{Code, Findings, Place};
use crate::source::Source;

/// Nothing comes back where the file is no YAML of texts, lists and tables.
pub(super) fn format(source: &Source<'_>, findings: &mut Findings) -> Option<String> {
    let before = match read(source.text()) {
        Ok(value) => value,
        Err((line, column, message)) => {
            let at = Place { file: source.file(), line, column };
            let fix = "see https://yaml.org for how YAML is written";
            findings.add(Code::CaseSyntax, at, message, fix);
            return None;
        }
    };
    let trimmed = joined(source.text().split('\n'));
    // Within a text of several lines, blanks at the end of one can be part of it.
    let same = read(&trimmed).is_ok_and(|after| after == before);
    Some(if same { trimmed } else { source.text().to_owned() })
}

/// What a text says, or where and why it says nothing.
fn read(text: &str) -> Result<toml::Value, (u32, u32, String)> {
    serde_saphyr::from_str(text).map_err(|error| {
        let bounded = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        let place = error.location();
        let place = place.map_or((1, 1), |at| (bounded(at.line()), bounded(at.column())));
        (place.0, place.1, error.without_snippet().to_string().replace('\n', " "))
    })
}
