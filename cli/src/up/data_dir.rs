//! The folder in which `stockade up` keeps what it made: one process at a time, for its owner
//! alone.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// An open data folder. The lock is held as long as this lives.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let advice = "choose another with --data-dir";
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(|| {
            format!("cannot make the data folder `{}`; {advice}", path.display())
        })?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .with_context(|| {
                format!("cannot write to the data folder `{}`; {advice}", path.display())
            })?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "the data folder `{}` is in use by another `stockade up`; stop that one, or {advice}",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                return Err(error).context(format!("cannot lock `{}`", path.display()));
            }
        }
        let data = Self { path: path.to_owned(), _lock: lock };
        data.remove("ready.json");
        Ok(data)
    }

    /// Where `name` is, or would be.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a file of its owner's alone, whole or not at all.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
        let (path, draft) = (self.path(name), self.path(&format!("{name}.draft")));
        let write = || {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&draft)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }

    /// Removes a file; that it is not there is as good.
    pub(super) fn remove(&self, name: &str) {
        drop(fs::remove_file(self.path(name)));
    }
}
