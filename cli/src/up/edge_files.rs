//! What the edge alone needs beside its settings: a certificate, its key and a secret.

use std::path::Path;

use super::data_dir::DataDir;
use super::{certificates, secrets};

/// Makes them in a folder, or finds them there, and keeps all of it out of git.
pub(crate) fn make_edge_files(folder: &Path) -> anyhow::Result<()> {
    let data = DataDir::open(folder)?;
    certificates::for_localhost(&data)?;
    secrets::secret(&data, "assertion-secret")?;
    if !data.path(".gitignore").exists() {
        data.write(".gitignore", b"*\n")?;
    }
    Ok(())
}
