//! Reads whatever is JSON. Slower, and right.

use serde_json::error::Category;

use super::{Recorded, Unreadable};

pub(super) fn read(line: &[u8]) -> Result<Recorded<'_>, Unreadable> {
    // The library looks at the bytes of a text only where the text is wanted.
    let text = str::from_utf8(line).map_err(|_| Unreadable::NotJson)?;
    serde_json::from_str(text).map_err(|error| match error.classify() {
        Category::Data => Unreadable::OtherShape,
        Category::Syntax | Category::Eof | Category::Io => Unreadable::NotJson,
    })
}
