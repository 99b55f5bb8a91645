//! The runtime files of a bundle, as their bytes, and the hash over them.
//!
//! Nothing is read here: whoever holds a folder reads it and hands over names and bytes.

use std::collections::BTreeMap;
use std::fmt;

use sha2::{Digest, Sha256};

use crate::finding::{Code, Findings, Place};
use crate::source::Source;

/// The Casbin model.
pub(crate) const MODEL_FILE: &str = "model.conf";
/// Who inherits from whom.
pub(crate) const ROLES_FILE: &str = "roles.csv";
/// Who may do what.
pub(crate) const POLICY_FILE: &str = "policy.csv";
/// Resources, conditions, networks and routes.
pub(crate) const ROUTES_FILE: &str = "routes.toml";

/// The files of a bundle, in the order in which they are hashed.
pub const RUNTIME_FILES: [&str; 4] = [MODEL_FILE, ROLES_FILE, POLICY_FILE, ROUTES_FILE];

/// The largest file that is read.
pub const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The runtime files of a bundle by name, as read from a folder by the caller.
#[derive(Debug, Clone, Default)]
pub struct BundleFiles {
    files: BTreeMap<String, RuntimeFile>,
}

#[derive(Debug, Clone)]
struct RuntimeFile {
    bytes: Vec<u8>,
    writable_by_others: bool,
}

impl BundleFiles {
    /// Files from a trusted place, such as the program itself.
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Self {
        Self::from_folder(files.into_iter().map(|(name, bytes)| (name, bytes, false)))
    }

    /// Files from a folder: name, bytes, and whether group or world may write the file.
    pub fn from_folder(files: impl IntoIterator<Item = (String, Vec<u8>, bool)>) -> Self {
        let files = files.into_iter().map(|(name, bytes, writable_by_others)| {
            (name, RuntimeFile { bytes, writable_by_others })
        });
        Self { files: files.collect() }
    }

    /// SHA-256 over every runtime file's name and bytes, each preceded by its length.
    pub(crate) fn hash(&self) -> BundleHash {
        let mut hasher = Sha256::new();
        for name in RUNTIME_FILES {
            let bytes = self.files.get(name).map_or(&[][..], |file| &file.bytes);
            for part in [name.as_bytes(), bytes] {
                hasher.update((part.len() as u64).to_be_bytes());
                hasher.update(part);
            }
        }
        BundleHash(hasher.finalize().into())
    }

    /// Notes what is wrong with the files as such: missing, unexpected, too large, writable.
    pub(crate) fn inspect(&self, findings: &mut Findings) {
        for name in RUNTIME_FILES.iter().filter(|name| !self.files.contains_key(**name)) {
            findings.add(
                Code::MissingFile,
                Place::start_of(name),
                "the file is missing",
                "create it, or name the right folder",
            );
        }
        for (name, file) in &self.files {
            inspect_file(name, file, findings);
        }
    }

    /// The text of one file. A file that is missing or too large has none.
    pub(crate) fn source(&self, name: &'static str, findings: &mut Findings) -> Option<Source<'_>> {
        let file = self.files.get(name).filter(|file| file.bytes.len() <= FILE_BYTES_MAX)?;
        Source::read(name, &file.bytes, findings)
    }
}

fn inspect_file(name: &str, file: &RuntimeFile, findings: &mut Findings) {
    let at = Place::start_of(name);
    if !RUNTIME_FILES.contains(&name) {
        let fix = format!("a bundle is {}", RUNTIME_FILES.join(", "));
        findings.add(Code::UnexpectedFile, at, "the file is no part of a bundle", fix);
    }
    if file.bytes.len() > FILE_BYTES_MAX {
        let message = "the file is larger than 4 MiB";
        findings.add(Code::FileTooLarge, at, message, "make it smaller");
    }
    if file.writable_by_others {
        let message = "the file may be written by its group or by everybody";
        findings.add(Code::WritableByOthers, at, message, format!("run `chmod go-w {name}`"));
    }
}

/// The identity of a bundle: a SHA-256, shown in lower-case hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct BundleHash([u8; 32]);

impl BundleHash {
    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BundleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for BundleHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundleHash({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(files: &[(&str, &str)]) -> String {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        BundleFiles::new(files.collect()).hash().to_string()
    }

    #[test]
    fn bytes_cannot_move_between_files_unnoticed() {
        let one = hash(&[(ROLES_FILE, "ab"), (POLICY_FILE, "c")]);
        let other = hash(&[(ROLES_FILE, "a"), (POLICY_FILE, "bc")]);
        assert_ne!(one, other);
        assert_eq!(one.len(), 64);
    }

    #[test]
    fn only_runtime_files_are_hashed() {
        assert_eq!(hash(&[("README.md", "new")]), hash(&[]));
    }
}
