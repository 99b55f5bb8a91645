//! Guard: nobody asks more often than the route's limits allow.
//!
//! Needs:   the matched route and whose quota it is: the client's address before, the principal
//!          after authentication.
//! Grants:  nothing; the standings are told to the client in the RateLimit fields.
//! Refuses: [`Reason::RateLimited`](crate::rejection::Reason::RateLimited), 429 with Retry-After.
//! Fails:   closed. A full table shares one quota among those without a place; an unknown
//!          address shares one with all unknown addresses.
//!
//! A limit in shadow mode is counted like any other, refuses nobody and is told to nobody.

use stockade_policy::{Bundle, Limit, LimitCount, LimitKey, LimitName, Mode, Route};

use crate::limits::{Quota, Standing, Subject};
use crate::rejection::Rejection;
use crate::shared::Shared;

/// Limits that were asked: the name, the quota, and how the subject stands.
pub(crate) type Standings = Vec<(LimitName, Quota, Standing)>;

/// Asks every limit of the route that is kept for subjects like this one. `now` is in
/// microseconds of the steady clock.
///
/// The standings are handed out even where one refuses, so that the client learns all of them.
pub(crate) fn check(
    edge: &Shared,
    bundle: &Bundle,
    route: &Route,
    subject: Subject<'_>,
    now: u64,
) -> (Standings, Result<(), Rejection>) {
    let mut standings = Standings::new();
    let mut refused = None;
    for limit in limits(bundle, route, subject) {
        let quota = Quota::from(limit);
        let standing = match limit.count {
            LimitCount::All => edge.limiter.spend(quota, subject, now),
            LimitCount::Failures => edge.limiter.look(quota, subject, now),
        };
        match limit.mode {
            Mode::Enforce => {
                refused = refused.max(standing.retry_after_secs);
                standings.push((limit.name.clone(), quota, standing));
            }
            Mode::Shadow if standing.retry_after_secs.is_some() => {
                edge.metrics.policy.shadow_limited(limit.name.as_str());
            }
            Mode::Shadow => {}
        }
    }
    (standings, refused.map_or(Ok(()), |after| Err(Rejection::rate_limited(after))))
}

/// Spends what only failures cost, after one.
pub(crate) fn charge_failure(
    edge: &Shared,
    bundle: &Bundle,
    route: &Route,
    subject: Subject<'_>,
    now: u64,
) {
    for limit in limits(bundle, route, subject) {
        if limit.count == LimitCount::Failures {
            edge.limiter.spend(Quota::from(limit), subject, now);
        }
    }
}

fn limits<'b>(
    bundle: &'b Bundle,
    route: &'b Route,
    subject: Subject<'_>,
) -> impl Iterator<Item = &'b Limit> {
    let key = match subject {
        Subject::Address(_) => LimitKey::Address,
        Subject::Principal(_) => LimitKey::Principal,
    };
    let limits = route.limits.iter().filter_map(|limit| bundle.limits().get(*limit));
    limits.filter(move |limit| limit.key == key)
}
