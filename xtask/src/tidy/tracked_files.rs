//! What git keeps, it keeps forever: no key, no certificate with one, no database.

use std::path::Path;
use std::process::Command;

use super::findings::Findings;
use super::{Check, Scene};

/// How names of files end that are never committed.
const SECRET_ENDINGS: &[&str] = &[".pem", ".key", ".db", ".sqlite"];

pub(super) const CHECKS: &[Check] = &[git_holds_no_secrets];

/// Sources without a history hold nothing that git could keep.
fn git_holds_no_secrets(scene: &Scene<'_>, findings: &mut Findings) {
    let root = &scene.workspace.root;
    if !root.join(".git").exists() {
        eprintln!("these sources have no git history, so no tracked file was looked at");
        return;
    }
    match tracked(root) {
        Some(listing) => report_secrets(&listing, findings),
        None => findings.add(".git", 1, "git does not list the files that it tracks"),
    }
}

/// The paths, each ended by a zero byte.
fn tracked(root: &Path) -> Option<String> {
    let trust = format!("safe.directory={}", root.display());
    let mut git = Command::new("git");
    git.current_dir(root).args(["-c", &trust, "ls-files", "-z"]);
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn report_secrets(listing: &str, findings: &mut Findings) {
    for path in listing.split_terminator('\0') {
        if SECRET_ENDINGS.iter().any(|ending| path.ends_with(ending)) {
            findings.add(path, 1, "keys and databases are never committed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_databases_are_found() {
        let mut findings = Findings::default();
        report_secrets("certs/README.md\0certs/ca.pem\0shop.sqlite\0src/key.rs\0", &mut findings);

        assert_eq!(
            findings.lines(),
            [
                "certs/ca.pem:1: keys and databases are never committed",
                "shop.sqlite:1: keys and databases are never committed",
            ]
        );
    }

    #[test]
    fn nothing_tracked_is_nothing_found() {
        let mut findings = Findings::default();
        report_secrets("", &mut findings);

        assert_eq!(findings.count(), 0);
    }
}
