//! The bundles that were in force and can be again, the latest first. Bounded.

use std::collections::VecDeque;

use crate::live_policy::InForce;

/// Bundles kept beside the one in force.
const KEPT_MAX: usize = 3;

/// The fewest characters of a hash that name a bundle.
const PREFIX_CHARS_MIN: usize = 4;

/// A bundle that was in force.
#[derive(Debug, Clone)]
pub(super) struct Former {
    pub(super) policy: InForce,
    /// Until when, in seconds since 1970 UTC.
    pub(super) until: u64,
}

/// Bundles of before, each once.
#[derive(Debug, Default)]
pub(super) struct Kept {
    former: VecDeque<Former>,
}

impl Kept {
    /// Keeps a bundle that has left force; what there is no more room for is handed out.
    pub(super) fn keep(&mut self, policy: InForce, until: u64) -> Option<InForce> {
        self.forget(&policy.hash);
        self.former.push_front(Former { policy, until });
        let gone = self.former.len() > KEPT_MAX;
        gone.then(|| self.former.pop_back()).flatten().map(|former| former.policy)
    }

    /// A bundle that is in force again is no former one.
    pub(super) fn forget(&mut self, hash: &str) {
        self.former.retain(|former| &*former.policy.hash != hash);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Former> {
        self.former.iter()
    }

    /// The bundle with this number, from 1, or whose hash begins so; without either, the latest.
    ///
    /// # Errors
    /// A sentence that says why there is no such bundle.
    pub(super) fn find(&self, which: Option<&str>) -> Result<InForce, String> {
        if self.former.is_empty() {
            return Err("no other bundle has been in force since the start".to_owned());
        }
        let which = which.unwrap_or("1");
        let found: Vec<_> = match which.parse::<usize>() {
            Ok(number) if which.len() < PREFIX_CHARS_MIN => {
                number.checked_sub(1).and_then(|at| self.former.get(at)).into_iter().collect()
            }
            Ok(_) | Err(_) => self.beginning_with(which)?,
        };
        match found.as_slice() {
            [one] => Ok(one.policy.clone()),
            [] => {
                Err(format!("no kept bundle is `{which:.64}`; `stockade policy status` lists them"))
            }
            [_, _, ..] => Err(format!("`{which:.64}` begins more than one hash; write more of it")),
        }
    }

    fn beginning_with(&self, prefix: &str) -> Result<Vec<&Former>, String> {
        if prefix.len() < PREFIX_CHARS_MIN {
            return Err(format!(
                "`{prefix}` is neither a number nor {PREFIX_CHARS_MIN} characters of a hash"
            ));
        }
        let prefix = prefix.to_ascii_lowercase();
        Ok(self.former.iter().filter(|former| former.policy.hash.starts_with(&prefix)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    /// Bundles that differ in nothing but their hashes.
    fn bundle(hash: &str) -> InForce {
        InForce { hash: hash.into(), ..samples::policy() }
    }

    fn kept(hashes: &[&str]) -> Kept {
        let mut kept = Kept::default();
        for hash in hashes {
            kept.keep(bundle(hash), 0);
        }
        kept
    }

    #[track_caller]
    fn check(kept: &Kept, which: Option<&str>, expected: Option<&str>) {
        let found = kept.find(which).ok().map(|policy| policy.hash.to_string());
        assert_eq!(found.as_deref(), expected, "{which:?}");
    }

    #[test]
    fn three_are_kept_and_the_oldest_goes() {
        let mut kept = kept(&["aaaa1", "bbbb2", "cccc3"]);
        let gone = kept.keep(bundle("dddd4"), 9).map(|policy| policy.hash.to_string());
        assert_eq!(gone.as_deref(), Some("aaaa1"));
        let hashes: Vec<_> = kept.iter().map(|former| former.policy.hash.to_string()).collect();
        assert_eq!(hashes, ["dddd4", "cccc3", "bbbb2"]);
    }

    #[test]
    fn a_bundle_is_kept_once() {
        let mut kept = kept(&["aaaa1", "bbbb2"]);
        assert!(kept.keep(bundle("aaaa1"), 9).is_none());
        let hashes: Vec<_> = kept.iter().map(|former| former.policy.hash.to_string()).collect();
        assert_eq!(hashes, ["aaaa1", "bbbb2"]);
    }

    #[test]
    fn a_bundle_is_named_by_number_or_by_the_beginning_of_its_hash() {
        let kept = kept(&["aaaa1", "12345", "aaaa2"]);
        check(&kept, None, Some("aaaa2"));
        check(&kept, Some("1"), Some("aaaa2"));
        check(&kept, Some("3"), Some("aaaa1"));
        check(&kept, Some("AAAA1"), Some("aaaa1"));
        check(&kept, Some("1234"), Some("12345"));
        for wrong in ["0", "4", "aaaa", "aaa", "ffff", "", "-1"] {
            check(&kept, Some(wrong), None);
        }
        check(&Kept::default(), None, None);
    }
}
