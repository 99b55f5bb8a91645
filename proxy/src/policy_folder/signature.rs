//! What a policy folder looks like from outside: enough to see that it changed, without reading.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use stockade_policy::RUNTIME_FILES;

/// The link within a folder by which Kubernetes swaps all of its files at once.
const SWAPPED_LINK: &str = "..data";

/// What a folder resolves to, and what its files look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    links: [Option<Target>; 2],
    files: [Option<FileMark>; RUNTIME_FILES.len()],
}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// A file without its content. The time of change cannot be set back, as that of writing can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileMark {
    device: u64,
    inode: u64,
    bytes: u64,
    written: (i64, i64),
    changed: (i64, i64),
}

impl Signature {
    /// What is missing or cannot be looked at has no mark, which is a mark, too.
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            links: [folder.to_owned(), folder.join(SWAPPED_LINK)].map(|path| target(&path)),
            files: RUNTIME_FILES.map(|name| Some(mark(&fs::metadata(folder.join(name)).ok()?))),
        }
    }

    /// Whether a folder still resolves to the same place, whatever is in it.
    pub(crate) fn leads_where(&self, other: &Self) -> bool {
        self.links == other.links
    }
}

fn target(path: &Path) -> Option<Target> {
    let path = fs::canonicalize(path).ok()?;
    let found = fs::metadata(&path).ok()?;
    Some(Target { path, device: found.dev(), inode: found.ino() })
}

fn mark(found: &Metadata) -> FileMark {
    FileMark {
        device: found.dev(),
        inode: found.ino(),
        bytes: found.size(),
        written: (found.mtime(), found.mtime_nsec()),
        changed: (found.ctime(), found.ctime_nsec()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn folder_with(text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("roles.csv"), text).unwrap();
        folder
    }

    #[test]
    fn a_link_that_is_swapped_leads_elsewhere() {
        let (one, other, place) =
            (folder_with("g"), folder_with("g"), tempfile::tempdir().unwrap());
        let link = place.path().join("policies");
        symlink(one.path(), &link).unwrap();
        let before = Signature::of(&link);
        assert!(before.leads_where(&Signature::of(&link)));

        let draft = place.path().join("draft");
        symlink(other.path(), &draft).unwrap();
        fs::rename(&draft, &link).unwrap();
        assert!(!before.leads_where(&Signature::of(&link)));
        fs::remove_file(&link).unwrap();
        assert!(!before.leads_where(&Signature::of(&link)));
    }

    #[test]
    fn the_link_of_kubernetes_counts() {
        let (one, other, place) =
            (folder_with("g"), folder_with("g"), tempfile::tempdir().unwrap());
        let data = place.path().join("..data");
        symlink(one.path(), &data).unwrap();
        symlink("..data/roles.csv", place.path().join("roles.csv")).unwrap();
        let before = Signature::of(place.path());
        fs::remove_file(&data).unwrap();
        symlink(other.path(), &data).unwrap();
        assert!(!before.leads_where(&Signature::of(place.path())));
    }

    #[test]
    fn a_file_that_is_written_changes_the_files_and_not_the_links() {
        let folder = folder_with("g");
        let before = Signature::of(folder.path());
        assert_eq!(before, Signature::of(folder.path()));
        fs::write(folder.path().join("roles.csv"), "other").unwrap();
        let after = Signature::of(folder.path());
        assert_ne!(before, after);
        assert!(before.leads_where(&after));
        fs::write(folder.path().join("README.md"), "no part of it").unwrap();
        assert_eq!(after, Signature::of(folder.path()));
    }
}
