//! Which two versions of a policy are compared: `A..B`, `A`, or two folders.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use stockade_policy::Bundle;

use super::git;
use crate::policy::{Refused, load, read};

/// How versions are written, for errors.
pub(super) const GRAMMAR: &str = "name two revisions (`main..HEAD`), one revision to compare the folder with \
                       (`main`), or two folders (`old new`)";

/// The older and the newer version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Versions {
    old: Version,
    new: Version,
}

/// One version.
#[derive(Debug, PartialEq, Eq)]
enum Version {
    Folder(PathBuf),
    /// A revision of git, and the folder within it.
    Revision(String, PathBuf),
}

/// What is in a version: a bundle, or what is wrong with it.
type Loaded = Result<Bundle, Refused>;

impl Versions {
    /// Two folders where both are named; else revisions of `dir`.
    pub(super) fn parse(old: &str, new: Option<&Path>, dir: &Path) -> anyhow::Result<Self> {
        if let Some(new) = new {
            let (old, new) = (Version::Folder(old.into()), Version::Folder(new.to_owned()));
            return Ok(Self { old, new });
        }
        if Path::new(old).is_dir() && (old.contains('/') || old == "." || old == "..") {
            bail!("`{old}` is a folder, and there is no second one; {GRAMMAR}");
        }
        if old.contains("...") {
            bail!("`{old}` has three dots; {GRAMMAR}");
        }
        let revision = |text: &str| {
            // SECURITY: what begins with `-` would be an option of git.
            if text.is_empty() || text.starts_with('-') || text.contains([':', '\0']) {
                bail!("`{text}` is no revision; {GRAMMAR}");
            }
            Ok(Version::Revision(text.to_owned(), dir.to_owned()))
        };
        Ok(match old.split_once("..") {
            Some((old, new)) => Self { old: revision(old)?, new: revision(new)? },
            None => Self { old: revision(old)?, new: Version::Folder(dir.to_owned()) },
        })
    }

    /// Reads, compiles and proves both.
    pub(super) fn load(&self) -> anyhow::Result<(Loaded, Loaded)> {
        Ok((self.old.load()?, self.new.load()?))
    }

    /// What to call them.
    pub(super) fn names(&self) -> [String; 2] {
        [self.old.to_string(), self.new.to_string()]
    }
}

impl Version {
    fn load(&self) -> anyhow::Result<Loaded> {
        let files = match self {
            Self::Folder(folder) => read(folder)?,
            Self::Revision(revision, dir) => git::files(revision, dir)
                .with_context(|| format!("the revision `{revision}` was not read"))?,
        };
        Ok(load(files))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "{}", folder.display()),
            Self::Revision(revision, dir) => write!(f, "{revision}:{}", dir.display()),
        }
    }
}
