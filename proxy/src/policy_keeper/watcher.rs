//! When the folder is to be loaded again, by what it looks like from outside.

use std::time::{Duration, Instant};

use stockade_settings::PolicyWatch;

use crate::policy_folder::Signature;

/// How often the folder is looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often, while somebody seems to be writing.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// How long files must have looked the same before they are read.
const QUIET: Duration = Duration::from_millis(300);

/// Compares what is seen with what was last loaded.
#[derive(Debug)]
pub(super) struct Watcher {
    what: PolicyWatch,
    loaded: Signature,
    /// Whether the folder is left alone, since somebody went back to an earlier bundle.
    held: bool,
    /// A change that has not been quiet for long enough.
    settling: Option<(Signature, Instant)>,
}

impl Watcher {
    pub(super) fn new(what: PolicyWatch, loaded: Signature) -> Self {
        Self { what, loaded, held: false, settling: None }
    }

    /// What was loaded: it is not loaded again as long as it looks like this.
    pub(super) fn loaded(&mut self, signature: Signature) {
        self.refused(signature);
        self.held = false;
    }

    /// What was refused: it is not tried again as long as it looks like this.
    pub(super) fn refused(&mut self, signature: Signature) {
        self.loaded = signature;
        self.settling = None;
    }

    /// Leaves the folder alone until it has been loaded by command.
    pub(super) fn hold(&mut self) {
        self.held = true;
        self.settling = None;
    }

    /// Whether what is `seen` now is to be loaded.
    pub(super) fn sees(&mut self, seen: Signature, now: Instant) -> bool {
        if self.held {
            return false;
        }
        match self.what {
            PolicyWatch::Off => false,
            PolicyWatch::Symlink => !seen.leads_where(&self.loaded),
            PolicyWatch::Files if seen == self.loaded => {
                self.settling = None;
                false
            }
            PolicyWatch::Files => match &self.settling {
                Some((before, since)) if *before == seen => now.duration_since(*since) >= QUIET,
                Some(_) | None => {
                    self.settling = Some((seen, now));
                    false
                }
            },
        }
    }

    /// How long to wait before the next look.
    pub(super) fn pause(&self) -> Duration {
        if self.settling.is_some() { LOOK_AGAIN } else { LOOK_EVERY }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A folder, and a way to make it look different.
    fn folder() -> (tempfile::TempDir, impl FnMut() -> Signature) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("roles.csv");
        let path = folder.path().to_owned();
        let mut bytes = String::new();
        let change = move || {
            bytes.push('#');
            fs::write(&file, &bytes).unwrap();
            Signature::of(&path)
        };
        (folder, change)
    }

    #[test]
    fn files_are_loaded_once_they_are_quiet() {
        let (_folder, mut change) = folder();
        let mut watcher = Watcher::new(PolicyWatch::Files, change());
        let (start, ms) = (Instant::now(), Duration::from_millis);
        let one = change();
        assert!(!watcher.sees(one.clone(), start));
        assert!(watcher.pause() < QUIET);
        assert!(!watcher.sees(one, start + ms(299)));
        let other = change();
        assert!(!watcher.sees(other.clone(), start + ms(400)));
        assert!(!watcher.sees(other.clone(), start + ms(699)));
        assert!(watcher.sees(other.clone(), start + ms(700)));
        watcher.loaded(other.clone());
        assert!(!watcher.sees(other, start + ms(2000)));
        assert_eq!(watcher.pause(), LOOK_EVERY);
    }

    #[test]
    fn after_a_rollback_the_folder_is_left_alone_until_it_is_loaded() {
        let (folder, mut change) = folder();
        let gone = || Signature::of(&folder.path().join("gone"));
        let mut watcher = Watcher::new(PolicyWatch::Symlink, change());
        watcher.hold();
        assert!(!watcher.sees(gone(), Instant::now()));
        watcher.refused(change());
        assert!(!watcher.sees(gone(), Instant::now()));
        watcher.loaded(change());
        assert!(watcher.sees(gone(), Instant::now()));
    }

    #[test]
    fn files_are_no_business_of_a_watch_on_links_and_nothing_is_of_none() {
        let (folder, mut change) = folder();
        for what in [PolicyWatch::Symlink, PolicyWatch::Off] {
            let mut watcher = Watcher::new(what, change());
            assert!(!watcher.sees(change(), Instant::now()));
        }
        let mut watcher = Watcher::new(PolicyWatch::Symlink, change());
        assert!(watcher.sees(Signature::of(&folder.path().join("gone")), Instant::now()));
    }
}
