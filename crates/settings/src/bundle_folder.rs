//! Reads the folder that security teams own: the runtime files of a bundle, and the cases.
//!
//! It returns names, bytes and who else may write them. What they mean, and what is missing, is
//! for the policy engine to say. Reads are bounded, and only regular files are opened, so a
//! pipe or a device in the folder cannot hold anybody up. Links are followed: that is how
//! configuration is swapped in one step.

use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// The files that are read, where they exist.
const FILES: [&str; 4] = ["model.conf", "roles.csv", "policy.csv", "routes.toml"];

/// One byte more than the policy engine takes, so that it can tell a file that is too large.
const READ_BYTES_MAX: u64 = 4 * 1024 * 1024 + 1;

/// The most files of cases that are read.
const CASE_FILES_MAX: usize = 1000;

/// The files of a policy folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFiles {
    /// What was read, by name. A file that does not exist is absent.
    pub files: Vec<FolderFile>,
}

/// One file as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFile {
    /// The name relative to the folder, with `/` between its parts.
    pub name: String,
    /// The content, cut off one byte past 4 MiB.
    pub bytes: Vec<u8>,
    /// Whether the file's group or everybody may write it.
    pub writable_by_others: bool,
}

/// Why a folder could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The folder is missing or is something else.
    #[error("`{}` is no folder that can be read", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file exists but could not be read.
    #[error("`{}` could not be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Something that is not a regular file stands in a file's place.
    #[error("`{}` is not a regular file", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// There are more files of cases than are read.
    #[error("`{}` holds more than {CASE_FILES_MAX} files of cases", path.display())]
    TooManyCases {
        /// The folder of cases.
        path: PathBuf,
    },
}

/// Reads the runtime files of a bundle from `folder`.
pub fn read(folder: &Path) -> Result<FolderFiles, FolderError> {
    fs::read_dir(folder)
        .map_err(|source| FolderError::Folder { path: folder.to_owned(), source })?;
    let files = FILES.iter().filter_map(|name| read_file(folder, (*name).to_owned()).transpose());
    Ok(FolderFiles { files: files.collect::<Result<_, _>>()? })
}

/// Reads `cases/*.yaml` from `folder`, by name. A folder without cases has none.
pub fn read_cases(folder: &Path) -> Result<Vec<FolderFile>, FolderError> {
    let cases = folder.join("cases");
    let entries = match fs::read_dir(&cases) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(FolderError::Folder { path: cases, source }),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| FolderError::Folder { path: cases.clone(), source })?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".yaml") && !name.starts_with('.') {
            names.push(format!("cases/{name}"));
        }
        if names.len() > CASE_FILES_MAX {
            return Err(FolderError::TooManyCases { path: cases });
        }
    }
    names.sort();
    names.into_iter().filter_map(|name| read_file(folder, name).transpose()).collect()
}

fn read_file(folder: &Path, name: String) -> Result<Option<FolderFile>, FolderError> {
    let path = folder.join(&name);
    let failed = |source| FolderError::File { path: path.clone(), source };
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    if !metadata.is_file() {
        return Err(FolderError::NotAFile { path });
    }
    let file = File::open(&path).map_err(failed)?;
    // SECURITY: the rights are those of the file that is open, not of what now has its name.
    let writable_by_others = writable_by_others(&file.metadata().map_err(failed)?);
    let mut bytes = Vec::new();
    file.take(READ_BYTES_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(FolderFile { name, bytes, writable_by_others }))
}

#[cfg(unix)]
fn writable_by_others(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o022 != 0
}

/// Elsewhere rights are lists, which are the administrator's to keep.
#[cfg(not(unix))]
fn writable_by_others(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn folder(files: &[(&str, &str, u32)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cases")).unwrap();
        for (name, text, mode) in files {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        folder
    }

    #[test]
    fn reads_what_is_there_and_who_may_write_it() {
        let folder = folder(&[
            ("roles.csv", "g", 0o644),
            ("policy.csv", "p", 0o664),
            ("model.conf", "m", 0o602),
            ("README.md", "r", 0o644),
        ]);
        let read = read(folder.path()).unwrap();
        let seen: Vec<_> =
            read.files.iter().map(|file| (file.name.as_str(), file.writable_by_others)).collect();
        assert_eq!(seen, [("model.conf", true), ("roles.csv", false), ("policy.csv", true)]);
    }

    #[test]
    fn reads_cases_by_name() {
        let folder = folder(&[
            ("cases/b.yaml", "", 0o644),
            ("cases/a.yaml", "", 0o644),
            ("cases/c", "", 0o644),
        ]);
        let names: Vec<_> =
            read_cases(folder.path()).unwrap().into_iter().map(|file| file.name).collect();
        assert_eq!(names, ["cases/a.yaml", "cases/b.yaml"]);
    }

    #[test]
    fn a_huge_file_is_cut_off() {
        let folder = folder(&[("roles.csv", "", 0o644)]);
        let file =
            fs::OpenOptions::new().write(true).open(folder.path().join("roles.csv")).unwrap();
        file.set_len(READ_BYTES_MAX * 4).unwrap();
        let read = read(folder.path()).unwrap();
        assert_eq!(read.files[0].bytes.len() as u64, READ_BYTES_MAX);
    }

    #[test]
    fn links_are_followed_and_folders_are_no_files() {
        let folder = folder(&[("real", "g", 0o644)]);
        symlink(folder.path().join("real"), folder.path().join("roles.csv")).unwrap();
        assert_eq!(read(folder.path()).unwrap().files[0].bytes, b"g");
        fs::create_dir(folder.path().join("policy.csv")).unwrap();
        assert!(matches!(read(folder.path()), Err(FolderError::NotAFile { .. })));
        let missing = folder.path().join("none");
        assert!(matches!(read(&missing), Err(FolderError::Folder { .. })));
    }
}
