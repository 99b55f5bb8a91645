//! The keys that sign checkpoints: the file that the settings name, and those that follow it
//! ([`key_files`](crate::key_files)). The newest signs; all of them prove.
//!
//! They are read whenever one is needed, so another takes effect without a restart.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use stockade_audit::chain::{AuditKey, KeyRing, NotAnAuditKey, PublicKey};
use stockade_settings::secret::{self, SECRET_BYTES_MAX, SecretError};
use zeroize::Zeroizing;

use crate::key_files::followers;

/// Most keys at once.
const KEYS_MAX: usize = 64;

/// Why there is no key to sign or to prove with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditKeyError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("cannot read the key `{}`: {why}", .path.display())]
    Unreadable { path: PathBuf, why: io::Error },
    #[error("`{}` is {why}", .path.display())]
    NotAKey { path: PathBuf, why: NotAnAuditKey },
    #[error("there are more than {KEYS_MAX} keys beside `{}`", .path.display())]
    TooMany { path: PathBuf },
    #[error("cannot look for keys beside `{}`: {why}", .path.display())]
    Folder { path: PathBuf, why: io::Error },
}

/// Where the keys are.
#[derive(Debug, Clone)]
pub(crate) struct AuditKeys {
    file: PathBuf,
}

impl AuditKeys {
    pub(crate) fn at(file: &Path) -> Self {
        Self { file: file.to_owned() }
    }

    /// The newest key, which is its owner's alone.
    pub(crate) fn signer(&self) -> Result<AuditKey, AuditKeyError> {
        let newest = self.files()?.into_iter().next_back().unwrap_or_else(|| self.file.clone());
        let pem = Zeroizing::new(secret::read(&newest)?);
        AuditKey::from_pem(&pem).map_err(|why| AuditKeyError::NotAKey { path: newest, why })
    }

    /// Every key; public halves will do.
    pub(crate) fn ring(&self) -> Result<KeyRing, AuditKeyError> {
        let keys = self.files()?.into_iter().map(|path| {
            let pem =
                read(&path).map_err(|why| AuditKeyError::Unreadable { path: path.clone(), why })?;
            PublicKey::from_pem(&pem).map_err(|why| AuditKeyError::NotAKey { path, why })
        });
        Ok(KeyRing::of(keys.collect::<Result<Vec<_>, _>>()?))
    }

    /// In the order in which they were made.
    fn files(&self) -> Result<Vec<PathBuf>, AuditKeyError> {
        let unseen = |why| AuditKeyError::Folder { path: self.file.clone(), why };
        let mut files = followers(&self.file).map_err(unseen)?;
        if files.len() >= KEYS_MAX {
            return Err(AuditKeyError::TooMany { path: self.file.clone() });
        }
        files.sort_by_key(|(_, made_at)| *made_at);
        Ok([self.file.clone()].into_iter().chain(files.into_iter().map(|(path, _)| path)).collect())
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::new());
    fs::File::open(path)?.take(SECRET_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
