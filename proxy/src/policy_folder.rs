//! The policy folder: read as one state, proven, or refused with everything that is wrong.
//!
//! Needs a folder; never changes one. A folder that changes while it is read is not loaded: it is
//! read twice, and both must be the same.

mod signature;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use stockade_policy::{Bundle, BundleFiles, Finding};
use stockade_settings::bundle_folder::{self, FolderError, FolderFiles};

pub(crate) use self::signature::Signature;

/// How long a proof goes on before it pauses for as long.
const SLICE: Duration = Duration::from_millis(2);

/// Longest pause within a proof.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// Why a policy folder is not served.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// It is being written.
    #[error("`{}` changed while it was read; try again when it is whole", .0.display())]
    Changing(PathBuf),
    /// It is wrong; each finding has its place and its fix.
    #[error("{}", listed(folder, findings))]
    Refused {
        /// The folder.
        folder: PathBuf,
        /// All that is wrong.
        findings: Vec<Finding>,
    },
}

fn listed(folder: &Path, findings: &[Finding]) -> String {
    let line = |finding: &Finding| format!("{}{finding}", folder.join("").display());
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// How fast a bundle is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As fast as can be: nobody is served yet.
    Fast,
    /// With pauses, so that requests being served lose at most half a processor.
    Gentle,
}

/// A proven policy and the folder it came from.
#[derive(Debug)]
pub struct LoadedPolicy {
    pub(crate) folder: PathBuf,
    pub(crate) bundle: Bundle,
    /// What the folder looked like just before it was read.
    pub(crate) signature: Signature,
}

impl LoadedPolicy {
    /// Reads and proves the policy in a folder.
    ///
    /// # Errors
    /// [`PolicyError`], with everything that is wrong.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        Self::load_at(folder, Pace::Fast)
    }

    pub(crate) fn load_at(folder: &Path, pace: Pace) -> Result<Self, PolicyError> {
        let signature = Signature::of(folder);
        let files = read_whole(folder)?;
        let files = files.files.into_iter();
        let files = files.map(|file| (file.name, file.bytes, file.writable_by_others));
        match prove(&BundleFiles::from_folder(files), pace) {
            Ok(bundle) => Ok(Self { folder: folder.to_owned(), bundle, signature }),
            Err(findings) => Err(PolicyError::Refused { folder: folder.to_owned(), findings }),
        }
    }
}

fn read_whole(folder: &Path) -> Result<FolderFiles, PolicyError> {
    let files = bundle_folder::read(folder)?;
    if bundle_folder::read(folder)? == files {
        Ok(files)
    } else {
        Err(PolicyError::Changing(folder.to_owned()))
    }
}

fn prove(files: &BundleFiles, pace: Pace) -> Result<Bundle, Vec<Finding>> {
    let unproven = Bundle::compile(files)?;
    match pace {
        Pace::Fast => unproven.prove(&mut || ()),
        Pace::Gentle => {
            let mut began = Instant::now();
            unproven.prove(&mut || {
                let worked = began.elapsed();
                if worked >= SLICE {
                    thread::park_timeout(worked.min(PAUSE_MAX));
                    began = Instant::now();
                }
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_told_with_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let error = LoadedPolicy::load(folder.path()).unwrap_err().to_string();
        assert_eq!(error.lines().count(), 4, "{error}");
        assert!(error.starts_with(&format!("{}/model.conf:1:1: ", folder.path().display())));
    }

    #[test]
    fn a_missing_folder_is_no_empty_one() {
        let error = LoadedPolicy::load(Path::new("/nowhere")).unwrap_err();
        assert!(matches!(error, PolicyError::Folder(_)), "{error}");
    }
}
