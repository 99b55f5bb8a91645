//! Keys that follow one another: the file that the settings name, and those beside it whose names
//! are the same and a second of 1970 UTC, such as `signing-key.pem.1800000000`, when they were
//! made.

use std::fs;
use std::path::{Path, PathBuf};

/// Files beside this one, and when they say they were made.
pub(crate) fn followers(file: &Path) -> Vec<(PathBuf, u64)> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Vec::new() };
    let Some(prefix) = name.to_str().map(|name| format!("{name}.")) else { return Vec::new() };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let follower = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let made_at = name.to_str()?.strip_prefix(&prefix)?;
        let digits = !made_at.is_empty() && made_at.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| made_at.parse().ok()).flatten().map(|made_at| (entry.path(), made_at))
    };
    entries.filter_map(follower).collect()
}
