//! The candidate: a whole policy that is tried beside the one in force, and can be promoted.
//!
//! It is the folder named like the policy's own with `.next` behind, or one named by command,
//! which goes first until it is dropped. It is proven like any other bundle.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stockade_contract::control::Answer;
use stockade_contract::control::policy::{CameBy, PolicyChange, PolicyRefusal};
use stockade_policy::RUNTIME_FILES;
use stockade_settings::PolicyWatch;

use super::watcher::Watcher;
use super::{Keeper, LoadFailure, told};
use crate::live_policy::InForce;
use crate::metrics::ReloadResult;
use crate::policy_folder::Signature;
use crate::shadow::Candidate;

/// What the candidate's folder has behind the name of the policy's own.
const NEXT: &str = ".next";

/// The folder in which a candidate is looked for.
#[derive(Debug)]
pub(super) struct NextFolder {
    path: PathBuf,
    watcher: Watcher,
    /// Whether a candidate was named by command, which goes before this folder.
    overruled: bool,
}

impl NextFolder {
    pub(super) fn beside(folder: &Path, watch: PolicyWatch) -> Self {
        let path = next_to(folder);
        let watcher = Watcher::new(watch, Signature::of(&path));
        Self { path, watcher, overruled: false }
    }

    pub(super) fn pause(&self) -> Duration {
        self.watcher.pause()
    }
}

impl Keeper {
    /// Takes the next folder up when it has changed.
    pub(super) fn look_at_next(&mut self) {
        let seen = Signature::of(&self.next.path);
        if self.next.watcher.sees(seen, Instant::now()) {
            self.take_up_next();
        }
    }

    /// Tries what is in the next folder, or nothing where there is none.
    pub(super) fn take_up_next(&mut self) {
        if self.next.overruled {
            return;
        }
        let folder = self.next.path.clone();
        if !folder.exists() {
            self.next.watcher.loaded(Signature::of(&folder));
            self.tell(|status| status.candidate_refused = None);
            return self.set_candidate(None);
        }
        let (signature, loaded) = self.load(&folder);
        match loaded {
            Ok(policy) => {
                self.next.watcher.loaded(signature);
                self.try_policy(policy, folder);
            }
            Err(failure) => {
                // One that is being written is looked at again.
                if told::result(&failure) == ReloadResult::Refused {
                    self.next.watcher.loaded(signature);
                }
                self.set_candidate(None);
                self.refuse_candidate(&failure, &folder);
            }
        }
    }

    /// By command.
    pub(super) fn try_folder(&mut self, folder: &Path) -> Answer {
        let policy = match self.load(folder).1 {
            Ok(policy) => policy,
            Err(failure) => return told::refusal_answer(&failure),
        };
        self.next.overruled = true;
        self.try_policy(policy, folder.to_owned());
        let current = self.shared.policy.current();
        let trial = told::trial(&current);
        let message = match current.candidate() {
            Some(candidate) => {
                format!(
                    "bundle {} is tried and refuses nobody",
                    told::short(&candidate.policy.hash)
                )
            }
            None => format!("bundle {} is in force already", told::short(&current.hash)),
        };
        Answer::PolicyTrial { message, trial }
    }

    /// By command. The next folder is left alone until it changes, or a reload by command.
    pub(super) fn try_nothing(&mut self) -> Answer {
        self.next.overruled = false;
        self.next.watcher.loaded(Signature::of(&self.next.path));
        self.tell(|status| status.candidate_refused = None);
        self.set_candidate(None);
        let trial = told::trial(&self.shared.policy.current());
        let message = match &trial {
            None => "nothing is tried any more",
            Some(_) => {
                "no candidate is tried any more; the files in force try something themselves"
            }
        };
        Answer::PolicyTrial { message: message.to_owned(), trial }
    }

    pub(super) fn promote(&mut self) -> Answer {
        let before = self.shared.policy.current();
        let Some(candidate) = before.candidate().cloned() else {
            return self.nothing_to_promote(&before);
        };
        let after = told::facts(&candidate.policy);
        self.put_in_force(candidate.policy, CameBy::Promote);
        self.next.overruled = false;
        self.next.watcher.loaded(Signature::of(&self.next.path));
        let message = format!(
            "bundle {} is in force, in place of {}, until a restart or a reload. Let the folder \
             follow: {}",
            told::short(&after.hash),
            told::short(&before.hash),
            follow(&candidate.folder, &self.folder),
        );
        tracing::warn!(bundle = %after.hash, before = %before.hash, "{message}");
        let before = before.hash.to_string();
        Answer::PolicyChange {
            change: PolicyChange { message, changed: true, dry_run: false, before, after },
        }
    }

    fn nothing_to_promote(&self, current: &InForce) -> Answer {
        if let Some(refusal) = &self.status.load().candidate_refused {
            return Answer::PolicyRefused { refusal: refusal.clone() };
        }
        let message = if current.trial.is_some() {
            "what is tried is in the files in force: take out the word `shadow`, and reload"
        } else {
            "no candidate is tried; name one with `stockade policy shadow DIR`"
        };
        Answer::Refused { message: message.to_owned() }
    }

    fn try_policy(&mut self, policy: InForce, folder: PathBuf) {
        let in_force = self.shared.policy.current().hash.clone();
        tracing::info!(bundle = %policy.hash, %in_force, folder = %folder.display(), "a candidate is tried");
        self.tell(|status| status.candidate_refused = None);
        self.set_candidate(Some(Candidate { policy, folder }));
    }

    fn refuse_candidate(&self, failure: &LoadFailure, folder: &Path) {
        let refusal = told::refusal(failure);
        let status = self.status.load();
        let told = |known: &PolicyRefusal| {
            (&known.message, &known.findings) == (&refusal.message, &refusal.findings)
        };
        if status.candidate_refused.as_ref().is_some_and(told) {
            return;
        }
        let folder = folder.display();
        tracing::error!(%folder, "the candidate is not tried: {}", refusal.message);
        for finding in &refusal.findings {
            tracing::error!("{finding}");
        }
        self.tell(|status| status.candidate_refused = Some(refusal.clone()));
    }

    fn set_candidate(&mut self, candidate: Option<Candidate>) {
        let current = self.shared.policy.current();
        let same = match (current.candidate(), &candidate) {
            (None, None) => true,
            (Some(old), Some(new)) => old.policy.hash == new.policy.hash,
            (None, Some(_)) | (Some(_), None) => false,
        };
        if !same {
            let mut policy = InForce::clone(&current);
            policy.try_beside(candidate);
            self.shared.policy.replace(policy);
        }
    }
}

/// The path with `.next` behind. One that ends in dots has its name from where it leads.
fn next_to(folder: &Path) -> PathBuf {
    let folder = match folder.file_name() {
        Some(_) => folder.to_owned(),
        None => fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
    };
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(NEXT);
    folder.with_file_name(name)
}

/// What makes the policy's folder hold what the candidate's holds.
fn follow(candidate: &Path, folder: &Path) -> String {
    let (from, to) = (candidate.display(), folder.display());
    if fs::symlink_metadata(folder).is_ok_and(|found| found.is_symlink()) {
        return format!("let the link `{to}` lead to where `{from}` leads");
    }
    let files = RUNTIME_FILES.map(|name| format!("{from}/{name}")).join(" ");
    format!("cp {files} {to}/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_folder_stands_beside_the_policys_own() {
        assert_eq!(next_to(Path::new("policies")), Path::new("policies.next"));
        assert_eq!(
            next_to(Path::new("/etc/stockade/policies/")),
            Path::new("/etc/stockade/policies.next")
        );
        let here = fs::canonicalize(".").unwrap().display().to_string();
        assert_eq!(next_to(Path::new(".")).display().to_string(), here + NEXT);
    }

    #[test]
    fn a_promotion_says_how_the_folder_follows() {
        let place = tempfile::tempdir().unwrap();
        let (folder, link) = (place.path().join("policies"), place.path().join("link"));
        fs::create_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&folder, &link).unwrap();
        let said = follow(Path::new("/next"), &folder);
        assert!(said.starts_with("cp /next/model.conf /next/roles.csv "), "{said}");
        assert!(said.ends_with("/policies/"), "{said}");
        assert!(follow(Path::new("/next"), &link).starts_with("let the link "));
    }
}
