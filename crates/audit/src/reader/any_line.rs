//! Reads whatever is JSON. Slower, and right.

use serde_json::error::Category;

use super::{Recorded, Unreadable};

pub(super) fn read(line: &[u8]) -> Result<Recorded<'_>, Unreadable> {
    serde_json::from_slice(line).map_err(|error| match error.classify() {
        Category::Data => Unreadable::OtherShape,
        Category::Syntax | Category::Eof | Category::Io => Unreadable::NotJson,
    })
}
