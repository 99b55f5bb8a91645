//! The policy files of a revision, as git has them. Nothing is checked out.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use stockade_policy::{FILE_BYTES_MAX, RUNTIME_FILES};
use stockade_settings::bundle_folder::FolderFile;

use super::versions::GRAMMAR;

/// One byte more than a bundle takes, so that it can tell a file that is too large.
const READ_BYTES_MAX: u64 = FILE_BYTES_MAX as u64 + 1;

/// The runtime files of a bundle, as `dir` holds them in a revision.
pub(super) fn files(revision: &str, dir: &Path) -> anyhow::Result<Vec<FolderFile>> {
    if !dir.is_dir() {
        bail!("`{}` is no folder", dir.display());
    }
    if run(dir, &["rev-parse", "--is-inside-work-tree"])?.is_none() {
        bail!("`{}` is in no git repository", dir.display());
    }
    let commit = format!("{revision}^{{commit}}");
    let found = run(dir, &["rev-parse", "--verify", "--quiet", "--end-of-options", &commit])?;
    let Some(hash) = found.map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()) else {
        bail!("git knows no revision `{revision}`; {GRAMMAR}");
    };
    let mut list = vec!["ls-tree", "-z", &hash, "--"];
    list.extend(RUNTIME_FILES);
    let listing = run(dir, &list)?.context("git could not list its files")?;
    let listing = String::from_utf8_lossy(&listing).into_owned();
    let entries = listing.split('\0').filter(|entry| !entry.is_empty());
    let files: Vec<_> = entries.map(|entry| file(dir, entry)).collect::<anyhow::Result<_>>()?;
    if files.is_empty() {
        bail!("it holds no policy in `{}`", dir.display());
    }
    Ok(files)
}

/// The file of an entry of `git ls-tree`: mode, kind and object, a tab, and the name.
fn file(dir: &Path, entry: &str) -> anyhow::Result<FolderFile> {
    let (object, name) = entry.split_once('\t').context("git lists files in an unknown way")?;
    let words: Vec<&str> = object.split(' ').collect();
    let ["100644" | "100755", "blob", hash] = words.as_slice() else {
        bail!("`{name}` is not a regular file there");
    };
    // `cat-file` runs no filters, which a repository could choose.
    let bytes = run(dir, &["cat-file", "blob", hash])?;
    let bytes = bytes.with_context(|| format!("git could not read `{name}`"))?;
    // Git keeps no more of a file's mode than whether it is a program.
    Ok(FolderFile { name: name.to_owned(), bytes, writable_by_others: false })
}

/// What git prints, cut off one byte past the largest file; nothing where it fails.
fn run(dir: &Path, args: &[&str]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut git = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args(args)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("the program `git` could not be started, and revisions are read with it")?;
    let mut bytes = Vec::new();
    if let Some(stdout) = git.stdout.take() {
        stdout.take(READ_BYTES_MAX).read_to_end(&mut bytes)?;
    }
    let is_cut = u64::try_from(bytes.len()).is_ok_and(|len| len >= READ_BYTES_MAX);
    // Its end of the pipe is closed by now, so a longer answer ends git.
    let status = git.wait().context("git did not end")?;
    Ok((status.success() || is_cut).then_some(bytes))
}
