//! Replay: what a bundle would have decided about requests that others decided.
//!
//! A [`Replay`] takes [`Past`] decisions one by one, judges each as the edge would, and counts
//! where the two differ: a *flip*. Whatever was not the policy's to decide (a limit, a ban, a bad
//! token), and whatever a record does not say enough about, is counted by its reason and judged
//! by nobody.
//!
//! Millions of decisions have few callers and fewer routes, so an answer that no condition can
//! change is worked out once. Memory does not grow with the number of decisions: callers, routes
//! and flips are kept up to a number, and what comes after is counted together.

use std::net::IpAddr;

use crate::activation::Circumstances;
use crate::bundle::Bundle;
use crate::judge::{Asker, Denial, Outcome};
use crate::route::Route;
use crate::route_table::RouteMatch;

mod callers;
mod cause;
mod change;
mod interner;
mod left_out;
mod past;
mod summary;
mod tally;

pub use self::change::Change;
pub use self::left_out::LeftOut;
pub use self::past::Past;
pub use self::summary::{Flip, FlipCount, LeftOutCount, Summary};

use self::callers::{CallerId, Callers, Verdict};
use self::interner::printable;
use self::past::Who;
use self::tally::{Compared, FlipId, Tally};

/// How an address that is not known stands in a record.
const ADDRESS_UNKNOWN: &str = "unknown";

/// A bundle that judges past decisions, and what came of it so far.
#[derive(Debug)]
pub struct Replay<'b> {
    bundle: &'b Bundle,
    callers: Callers,
    tally: Tally,
}

impl<'b> Replay<'b> {
    /// A replay that has seen nothing.
    pub fn new(bundle: &'b Bundle) -> Self {
        Self { bundle, callers: Callers::of(bundle), tally: Tally::default() }
    }

    /// Judges one decision, and counts it.
    pub fn take(&mut self, past: &Past<'_>) {
        match self.compare(past) {
            Ok(compared) => self.tally.judged(past, compared),
            Err(reason) => self.tally.left_out(reason, (past.time_ms, 0), || {
                format!("decision {}", printable(past.decision_id))
            }),
        }
    }

    /// Counts something that is no decision. `at` says where it stands, for the first of its
    /// kind; `order` tells which one is first.
    pub fn leave_out(&mut self, reason: LeftOut, order: (u64, u64), at: impl FnOnce() -> String) {
        self.tally.left_out(reason, order, at);
    }

    /// What came of it.
    pub fn finish(self) -> Summary {
        self.tally.summary(&self.callers)
    }

    fn compare(&mut self, past: &Past<'_>) -> Result<Compared, LeftOut> {
        let before = past.outcome()?;
        if !past.path.starts_with('/') {
            return Err(LeftOut::NoPath);
        }
        let who = past.who();
        let caller = self.callers.find(self.bundle, who);
        let bundle = self.bundle;
        let (route, after) = match bundle.routes().find(past.method, past.path) {
            RouteMatch::Found(route) => (Some(route), self.judge(past, who, caller, route)?),
            RouteMatch::MethodNotAllowed { .. } => (None, Outcome::Deny(Denial::Method)),
            RouteMatch::NotFound => (None, Outcome::Deny(Denial::Route)),
        };
        let route = route.map(|route| route.index);
        Ok(Compared {
            flip: (before != after).then_some(FlipId { caller, route, before, after }),
            by_active_roles: matches!(who, Who::Active(_)),
            has_strangers: self.callers.has_strangers(caller),
        })
    }

    fn judge(
        &mut self,
        past: &Past<'_>,
        who: Who<'_>,
        caller: CallerId,
        route: &Route,
    ) -> Result<Outcome, LeftOut> {
        match self.callers.verdict(self.bundle, caller, route) {
            Verdict::Always(outcome) => Ok(outcome),
            Verdict::CallerNotRecorded => Err(LeftOut::CallerNotRecorded),
            Verdict::Conditional { caller, address, mfa } => {
                if mfa && who.is_old_record() && past.mfa_secs.is_none() {
                    return Err(LeftOut::SecondFactorNotRecorded);
                }
                let from = match past.client.parse::<IpAddr>() {
                    Ok(from) => Some(from),
                    Err(_) if !address || past.client == ADDRESS_UNKNOWN => None,
                    Err(_) => return Err(LeftOut::AddressNotRecorded),
                };
                let at = Circumstances { from, mfa_age_secs: past.mfa_secs };
                Ok(self.bundle.examine_on(route, &Asker { caller, at }).outcome)
            }
        }
    }
}

#[cfg(test)]
mod tests;
