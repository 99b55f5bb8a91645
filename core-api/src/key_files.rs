//! Keys that follow one another: the file that the settings name, and those beside it whose names
//! are the same and a second of 1970 UTC, such as `signing-key.pem.1800000000`, when they were
//! made.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Files beside this one, and when they say they were made. A folder that cannot be read is an
/// error: the first key alone would take the place of those that follow it.
pub(crate) fn followers(file: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Ok(vec![]) };
    let Some(prefix) = name.to_str().map(|name| format!("{name}.")) else { return Ok(vec![]) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let follower = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let made_at = name.to_str()?.strip_prefix(&prefix)?;
        let digits = !made_at.is_empty() && made_at.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| made_at.parse().ok()).flatten().map(|made_at| (entry.path(), made_at))
    };
    Ok(entries.into_iter().filter_map(follower).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_cannot_be_read_is_not_one_without_followers() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key.pem");
        fs::write(&file, "").unwrap();
        assert_eq!(followers(&file).unwrap(), []);
        let next = folder.path().join("key.pem.7");
        fs::write(&next, "").unwrap();
        assert_eq!(followers(&file).unwrap(), [(next, 7)]);
        assert!(followers(&file.join("key.pem")).is_err());
    }
}
