//! Tokens that are not to be believed any more before they end, as the core tells them.
//!
//! The core keeps them in order; the edge asks for what is new, and once in a while for all of
//! them, so that it forgets what the core does not tell any more. What is known is in memory and
//! looked at on every request that shows a token.
//!
//! Fails closed: while nothing was heard for [`STALE_AFTER`], roles with conditions are refused.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use stockade_contract::internal;
use stockade_contract::revocation::{self as told, BATCH_MAX, Revoked};
use tokio::sync::watch;

use crate::clock;
use crate::metrics::EdgeMetrics;
use crate::token::Principal;
use crate::upstream::Upstream;

/// How often the core is asked for what is new.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// How many questions for what is new come between two for everything: an hour.
const ROUNDS: u32 = 7_200;

/// How long the last answer may be ago.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// The most that is kept.
const KEPT_MAX: usize = 1_000_000;

/// Which tokens are not believed any more.
#[derive(Debug)]
pub(crate) struct Revocations {
    known: RwLock<Known>,
    /// When the core last answered, in microseconds of the steady clock; nothing where nobody is
    /// asked.
    heard_at: Option<AtomicU64>,
}

#[derive(Debug, Default)]
struct Known {
    sessions: HashSet<String>,
    /// From which second on a subject's tokens are believed.
    subjects: HashMap<String, u64>,
    /// The last sequence number.
    seq: u64,
}

impl Revocations {
    /// For issuers that revoke nothing.
    pub(crate) fn none() -> Self {
        Self { known: RwLock::default(), heard_at: None }
    }

    /// For an upstream that tells its revocations; stale until it has.
    pub(crate) fn to_follow() -> Self {
        Self { known: RwLock::default(), heard_at: Some(AtomicU64::new(0)) }
    }

    /// Whether what a token says is not believed any more.
    pub(crate) fn hold(&self, principal: &Principal) -> bool {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.sessions.contains(principal.session())
            || known
                .subjects
                .get(principal.subject())
                .is_some_and(|not_before| principal.issued_at() < *not_before)
    }

    /// Whether too little is known: nothing was heard for too long. `now` is in microseconds of
    /// the steady clock.
    pub(crate) fn are_stale(&self, now: u64) -> bool {
        let Some(heard_at) = &self.heard_at else { return false };
        match heard_at.load(Ordering::Acquire) {
            0 => true,
            heard_at => u128::from(now.saturating_sub(heard_at)) > STALE_AFTER.as_micros(),
        }
    }

    /// Asks the core until the edge stops. `heard` is true from the first answer on.
    pub(crate) async fn follow(
        &self,
        upstream: &Upstream,
        metrics: &EdgeMetrics,
        heard: watch::Sender<bool>,
        mut stop: watch::Receiver<bool>,
    ) {
        let mut failing = false;
        for round in (0..ROUNDS).cycle() {
            let answer = self.ask(upstream, round == 0 || failing).await;
            metrics.revocations_fetched(answer.is_ok());
            match answer {
                Ok(()) => {
                    failing = false;
                    heard.send_replace(true);
                }
                Err(error) => {
                    if !failing {
                        tracing::warn!(%error, "cannot fetch the upstream's revocations; trying again");
                    }
                    failing = true;
                }
            }
            if tokio::time::timeout(ASK_EVERY, stop.wait_for(|&stop| stop)).await.is_ok() {
                return;
            }
        }
    }

    /// Asks for what is new, or for everything.
    async fn ask(&self, upstream: &Upstream, for_everything: bool) -> Result<(), String> {
        let asked_at = clock::steady_micros();
        let mut fresh = for_everything.then(Known::default);
        loop {
            let after = fresh.as_ref().map_or_else(|| self.seq(), |known| known.seq);
            let path = format!("{}?after={after}", internal::REVOCATIONS);
            let bytes = upstream.ask(&path).await.map_err(|error| error.to_string())?;
            let answer: told::Revocations =
                serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
            let more = answer.items.len() >= usize::try_from(BATCH_MAX).unwrap_or(usize::MAX);
            match &mut fresh {
                Some(known) => known.learn(answer)?,
                None => self.write().learn(answer)?,
            }
            if !more {
                break;
            }
        }
        if let Some(known) = fresh {
            *self.write() = known;
        }
        if let Some(heard_at) = &self.heard_at {
            heard_at.store(asked_at.max(1), Ordering::Release);
        }
        Ok(())
    }

    fn seq(&self) -> u64 {
        self.known.read().unwrap_or_else(PoisonError::into_inner).seq
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Takes one answer in.
    ///
    /// # Errors
    /// When the order is not kept, or there are too many.
    fn learn(&mut self, answer: told::Revocations) -> Result<(), String> {
        for told::Revocation { seq, revoked } in answer.items {
            if seq <= self.seq {
                return Err(format!("revocation {seq} comes after {}", self.seq));
            }
            if self.sessions.len() + self.subjects.len() >= KEPT_MAX {
                return Err(format!("there are more than {KEPT_MAX} revocations"));
            }
            match revoked {
                Revoked::Session { id } => drop(self.sessions.insert(id)),
                Revoked::Subject { id, not_before } => {
                    let from = self.subjects.entry(id).or_default();
                    *from = not_before.max(*from);
                }
            }
            self.seq = seq;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::samples::principal_of;

    fn answer(items: &[(u64, Revoked)]) -> told::Revocations {
        let item = |(seq, revoked): &(u64, Revoked)| told::Revocation {
            seq: *seq,
            revoked: revoked.clone(),
        };
        told::Revocations { items: items.iter().map(item).collect() }
    }

    fn session(id: &str) -> Revoked {
        Revoked::Session { id: id.to_owned() }
    }

    fn subject(id: &str, not_before: u64) -> Revoked {
        Revoked::Subject { id: id.to_owned(), not_before }
    }

    #[test]
    fn sessions_end_and_subjects_begin_again() {
        let revocations = Revocations::to_follow();
        let told = [(1, session("s-1")), (4, subject("a-2", 100)), (5, subject("a-2", 50))];
        revocations.write().learn(answer(&told)).unwrap();
        assert_eq!(revocations.seq(), 5);
        for (subject, session, issued_at, held) in [
            ("a-1", "s-1", 1_000, true),
            ("a-1", "s-2", 1_000, false),
            ("a-2", "s-2", 99, true),
            ("a-2", "s-2", 100, false),
            ("a-2", "", 0, true),
        ] {
            let principal = principal_of(subject, session, issued_at);
            assert_eq!(revocations.hold(&principal), held, "{subject} {session} {issued_at}");
        }
    }

    #[test]
    fn an_answer_out_of_order_is_an_error() {
        let mut known = Known::default();
        known.learn(answer(&[(7, session("s-1"))])).unwrap();
        assert!(known.learn(answer(&[(7, session("s-2"))])).is_err());
        assert!(known.learn(answer(&[])).is_ok());
    }

    #[test]
    fn what_was_never_heard_or_long_ago_is_stale() {
        let minute = 60_000_000;
        let revocations = Revocations::to_follow();
        assert!(revocations.are_stale(minute));
        revocations.heard_at.as_ref().unwrap().store(minute, Ordering::Release);
        assert!(!revocations.are_stale(minute + minute / 2));
        assert!(revocations.are_stale(minute + minute / 2 + 1));
        assert!(!Revocations::none().are_stale(minute));
    }
}
