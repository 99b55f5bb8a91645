//! The shadow decision: what a bundle that is only tried would have decided about a request.
//!
//! Asked when the answer is on its way, and of nobody whose policy tries nothing. A pure function
//! over a proven table: it changes no answer, and it cannot fail.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use stockade_policy::{Asker, Bundle, Caller, Denial, Outcome, Scope};

use crate::asking::{self, Asking};
use crate::live_policy::InForce;

/// A whole policy that is tried, and where it came from.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) policy: InForce,
    pub(crate) folder: PathBuf,
}

/// What is tried beside the bundle in force, and what came of it.
#[derive(Debug)]
pub(crate) struct Trial {
    /// A whole candidate; nothing where the files in force try something themselves.
    candidate: Option<Candidate>,
    tally: [AtomicU64; Direction::ALL.len()],
}

/// Whether the bundle that is tried gives more or less than the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// It gives the same scope, or refuses as well.
    Same,
    /// It gives something that is not given now, whatever else it takes.
    Widened,
    /// It takes something, and gives nothing.
    Narrowed,
}

impl Direction {
    pub(crate) const ALL: [Self; 3] = [Self::Same, Self::Widened, Self::Narrowed];

    /// The word in the metric.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Widened => "widened",
            Self::Narrowed => "narrowed",
        }
    }

    fn between(now: Outcome, tried: Outcome) -> Self {
        match (now, tried) {
            (Outcome::Deny(_), Outcome::Deny(_)) => Self::Same,
            (Outcome::Deny(_), Outcome::Allow(_)) => Self::Widened,
            (Outcome::Allow(_), Outcome::Deny(_)) => Self::Narrowed,
            (Outcome::Allow(now), Outcome::Allow(tried)) if now == tried => Self::Same,
            (Outcome::Allow(now), Outcome::Allow(tried)) if now.covers(tried) => Self::Narrowed,
            (Outcome::Allow(_), Outcome::Allow(_)) => Self::Widened,
        }
    }
}

impl Trial {
    /// What is tried beside `bundle`: the candidate, or else what its own files try.
    pub(crate) fn beside(bundle: &Bundle, candidate: Option<Candidate>) -> Option<Arc<Self>> {
        let tries = candidate.is_some() || bundle.shadow().is_some();
        tries.then(|| Arc::new(Self { candidate, tally: Default::default() }))
    }

    pub(crate) fn candidate(&self) -> Option<&Candidate> {
        self.candidate.as_ref()
    }

    /// Decisions so far that went this way.
    pub(crate) fn count(&self, direction: Direction) -> u64 {
        let counts = Direction::ALL.iter().zip(&self.tally);
        counts
            .filter(|(of, _)| **of == direction)
            .map(|(_, count)| count.load(Ordering::Relaxed))
            .sum()
    }

    fn note(&self, direction: Direction) {
        for (of, count) in Direction::ALL.iter().zip(&self.tally) {
            if *of == direction {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// One shadow decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried<'p> {
    /// The hash of the bundle that was tried.
    pub(crate) hash: &'p str,
    /// What it would have decided, as it stands in the record.
    pub(crate) words: &'static str,
    pub(crate) direction: Direction,
}

/// Asks the bundle that is tried, where there is one.
pub(crate) fn decide<'p>(
    policy: &'p InForce,
    asking: &Asking,
    method: &str,
    path: &str,
) -> Option<Tried<'p>> {
    let trial = policy.trial.as_deref()?;
    let (bundle, hash) = match trial.candidate() {
        Some(Candidate { policy, .. }) => (&*policy.bundle, &policy.hash),
        None => (policy.bundle.shadow()?, &policy.hash),
    };
    let now = policy.bundle.judge(&asker(&policy.bundle, asking), method, path);
    let tried = bundle.judge(&asker(bundle, asking), method, path);
    let direction = Direction::between(now, tried);
    trial.note(direction);
    Some(Tried { hash, words: words(tried), direction })
}

/// The same caller, in terms of this bundle.
fn asker(bundle: &Bundle, asking: &Asking) -> Asker {
    let caller = match asking.caller.principal() {
        None => Caller::Anonymous,
        Some(principal) => Caller::Known(bundle.role_set(asking::names(bundle, principal))),
    };
    Asker { caller, at: asking.at }
}

fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow(Scope::Own) => "own",
        Outcome::Allow(Scope::Others) => "others",
        Outcome::Allow(Scope::Any) => "any",
        Outcome::Deny(Denial::Role) => "deny:role",
        Outcome::Deny(Denial::Network) => "deny:network",
        Outcome::Deny(Denial::Mfa) => "deny:mfa",
        Outcome::Deny(Denial::Route) => "deny:route",
        Outcome::Deny(Denial::Method) => "deny:method",
        Outcome::Deny(Denial::Token) => "deny:token",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_addr::ClientAddr;
    use crate::guards::authenticate;
    use crate::samples;
    use crate::token::CacheOutcome;
    use crate::token::samples::principal;

    fn asking(policy: &InForce, roles: Option<&[&str]>) -> Asking {
        let caller = match roles {
            None => authenticate::Caller::Anonymous,
            Some(roles) => authenticate::Caller::Known {
                principal: principal(roles, None).into(),
                cached: CacheOutcome::Miss,
            },
        };
        Asking::settle(&policy.bundle, caller, ClientAddr::Unknown, 0)
    }

    /// What customers would get at `GET /things` by a policy with these rules added.
    #[track_caller]
    fn check(tried: &str, expected: (&str, Direction)) {
        let mut policy = samples::policy();
        let candidate = samples::policy_with(tried, "");
        let hash = candidate.hash.clone();
        policy.try_beside(Some(Candidate { policy: candidate, folder: PathBuf::new() }));
        let asking = asking(&policy, Some(&["customer"]));
        let decided = decide(&policy, &asking, "GET", "/things").unwrap();
        assert_eq!((decided.words, decided.direction), expected, "{tried}");
        assert_eq!(decided.hash, &*hash);
        assert_eq!(policy.trial.unwrap().count(expected.1), 1);
    }

    #[test]
    fn a_candidate_is_asked_about_the_same_caller() {
        check("# nothing new\n", ("any", Direction::Same));
        check("p, customer, things, look, any, deny\n", ("deny:role", Direction::Narrowed));
    }

    #[test]
    fn a_scope_more_or_less_is_a_direction() {
        use Direction::{Narrowed, Same, Widened};
        let (allow, deny) = (Outcome::Allow, Outcome::Deny(Denial::Role));
        let cases = [
            (deny, Outcome::Deny(Denial::Network), Same),
            (deny, allow(Scope::Own), Widened),
            (allow(Scope::Own), deny, Narrowed),
            (allow(Scope::Own), allow(Scope::Own), Same),
            (allow(Scope::Own), allow(Scope::Any), Widened),
            (allow(Scope::Any), allow(Scope::Others), Narrowed),
            (allow(Scope::Own), allow(Scope::Others), Widened),
        ];
        for (now, tried, expected) in cases {
            assert_eq!(Direction::between(now, tried), expected, "{now} to {tried}");
        }
    }

    #[test]
    fn what_the_files_try_is_asked_without_a_candidate() {
        let policy = samples::policy_with("p, anonymous, things, look, any, deny, shadow\n", "");
        let decided = decide(&policy, &asking(&policy, None), "GET", "/things").unwrap();
        assert_eq!((decided.words, decided.direction), ("deny:role", Direction::Narrowed));
        assert_eq!(decided.hash, &*policy.hash);
        let plain = samples::policy();
        assert_eq!(decide(&plain, &asking(&plain, None), "GET", "/things"), None);
    }
}
