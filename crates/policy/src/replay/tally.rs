//! Counts while a replay runs: small numbers instead of texts, and never more than so many.

use std::collections::HashMap;

use crate::judge::Outcome;
use crate::names::RouteId;

use super::callers::{CallerId, Callers};
use super::interner::{Interner, OTHERS};
use super::summary::{Flip, FlipCount, LeftOutCount, Summary};
use super::{Change, LeftOut, Past};

/// The most kinds of flips that are told apart.
const FLIPS_MAX: usize = 10_000;

/// The most ids of routes, as recorded, that are told apart.
const ROUTES_MAX: usize = 4096;

/// One decision beside what it would be now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Compared {
    pub(super) flip: Option<FlipId>,
    /// The record only told which roles were active.
    pub(super) by_active_roles: bool,
    /// The caller holds names that are no role of the bundle.
    pub(super) has_strangers: bool,
}

/// What is different, and for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlipId {
    pub(super) caller: CallerId,
    /// The route that answers now.
    pub(super) route: Option<RouteId>,
    pub(super) before: Outcome,
    pub(super) after: Outcome,
}

#[derive(Debug)]
pub(super) struct Tally {
    judged: u64,
    by_active_roles: u64,
    with_strangers: u64,
    first_and_last_ms: Option<(u64, u64)>,
    changes: [u64; Change::ALL.len()],
    /// The flips, by the route that answered then, too.
    flips: HashMap<(FlipId, Option<usize>), FlipCount>,
    /// Flips for which there was no room.
    beyond: u64,
    /// Ids of routes as recorded.
    routes: Interner,
    left_out: [Option<LeftOutCount>; LeftOut::ALL.len()],
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            judged: 0,
            by_active_roles: 0,
            with_strangers: 0,
            first_and_last_ms: None,
            changes: Default::default(),
            flips: HashMap::new(),
            beyond: 0,
            routes: Interner::of(ROUTES_MAX),
            left_out: Default::default(),
        }
    }
}

impl Tally {
    pub(super) fn judged(&mut self, past: &Past<'_>, compared: Compared) {
        self.judged += 1;
        self.by_active_roles += u64::from(compared.by_active_roles);
        self.with_strangers += u64::from(compared.has_strangers);
        let (first, last) = self.first_and_last_ms.unwrap_or((past.time_ms, past.time_ms));
        self.first_and_last_ms = Some((first.min(past.time_ms), last.max(past.time_ms)));
        if let Some(flip) = compared.flip {
            self.flipped(past, flip);
        }
    }

    fn flipped(&mut self, past: &Past<'_>, flip: FlipId) {
        if let Some(count) = self.changes.get_mut(Change::between(flip.before, flip.after) as usize)
        {
            *count += 1;
        }
        let key = (flip, self.routes.number(past.route));
        let has_room = self.flips.len() < FLIPS_MAX;
        match self.flips.get_mut(&key) {
            Some(count) => count.add(past.time_ms, past.decision_id),
            None if has_room => {
                self.flips.insert(key, FlipCount::of(past.time_ms, past.decision_id));
            }
            None => self.beyond += 1,
        }
    }

    pub(super) fn left_out(
        &mut self,
        reason: LeftOut,
        order: (u64, u64),
        at: impl FnOnce() -> String,
    ) {
        match self.left_out.get_mut(reason as usize) {
            Some(Some(count)) => count.add(order, at),
            Some(none) => *none = Some(LeftOutCount::of(order, at())),
            None => {}
        }
    }

    pub(super) fn summary(self, callers: &Callers) -> Summary {
        let (labels, routes) = (callers.labels(), self.routes.texts());
        let text = |texts: &[String], number: Option<usize>| {
            number
                .and_then(|number| texts.get(number).cloned())
                .unwrap_or_else(|| OTHERS.to_owned())
        };
        let mut summary = Summary {
            judged: self.judged,
            by_active_roles: self.by_active_roles,
            with_unknown_roles: self.with_strangers,
            unknown_roles: callers.strangers().map(str::to_owned).collect(),
            first_and_last_ms: self.first_and_last_ms,
            changes: Change::ALL.into_iter().zip(self.changes).collect(),
            beyond: self.beyond,
            ..Summary::default()
        };
        for ((id, route_before), count) in self.flips {
            let FlipId { caller, route, before, after } = id;
            let flip = Flip {
                change: Change::between(before, after),
                route_before: text(&routes, route_before),
                route,
                roles: text(&labels, Some(caller.index())),
                before,
                after,
            };
            summary.add_flip(flip, count);
        }
        let left_out = LeftOut::ALL.into_iter().zip(self.left_out);
        summary.left_out = left_out.filter_map(|(why, count)| Some((why, count?))).collect();
        summary
    }
}
