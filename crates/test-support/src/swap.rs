//! A link that leads to one policy folder at a time, as deployments swap them.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::edge_alone::PolicyFolder;

/// A place with a link in it.
#[derive(Debug)]
pub struct Swap {
    place: TempDir,
    link: PathBuf,
}

impl Swap {
    /// A link named `name` that leads to this folder.
    pub fn new(name: &str, first: &PolicyFolder) -> Self {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join(name);
        symlink(first.path(), &link).unwrap();
        Self { place, link }
    }

    /// Where the link is.
    pub fn link(&self) -> &Path {
        &self.link
    }

    /// The folder that holds the link.
    pub fn place(&self) -> &Path {
        self.place.path()
    }

    /// Lets the link lead to another folder, in one step.
    pub fn to(&self, next: &PolicyFolder) {
        self.swap(&self.link, next);
    }

    /// Lets another link in the same place lead to a folder.
    pub fn add(&self, name: &str, folder: &PolicyFolder) {
        self.swap(&self.place.path().join(name), folder);
    }

    /// Removes another link in the same place.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.place.path().join(name)).unwrap();
    }

    fn swap(&self, link: &Path, to: &PolicyFolder) {
        let draft = self.place.path().join("draft");
        symlink(to.path(), &draft).unwrap();
        fs::rename(&draft, link).unwrap();
    }
}
