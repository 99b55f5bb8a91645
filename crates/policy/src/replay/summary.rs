//! What came of a replay.

use std::collections::{BTreeMap, BTreeSet};

use crate::judge::Outcome;
use crate::names::RouteId;

use super::interner::printable;
use super::{Change, LeftOut};

/// What came of a replay, or of several parts of one. Its texts are fit for a terminal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Summary {
    /// Decisions that were judged again.
    pub judged: u64,
    /// Of these, the ones whose record only told which roles were active.
    pub by_active_roles: u64,
    /// Of these, the ones whose caller holds a name that is no role of the bundle; such a name
    /// holds nothing.
    pub with_unknown_roles: u64,
    /// Some of these names.
    pub unknown_roles: BTreeSet<String>,
    /// The earliest and the latest decision judged, in milliseconds since 1970 UTC.
    pub first_and_last_ms: Option<(u64, u64)>,
    /// Flips by what they do.
    pub changes: BTreeMap<Change, u64>,
    /// Flips that are counted in `changes` alone, because there were too many kinds.
    pub beyond: u64,
    /// What was not judged, by its reason.
    pub left_out: BTreeMap<LeftOut, LeftOutCount>,
    pub(super) flips: BTreeMap<Flip, FlipCount>,
}

/// A kind of flip.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flip {
    /// What it does.
    pub change: Change,
    /// The id of the route that answered then; `-` where none did.
    pub route_before: String,
    /// The route that answers now.
    pub route: Option<RouteId>,
    /// The roles the caller holds, or what stands for them.
    pub roles: String,
    /// What was decided.
    pub before: Outcome,
    /// What the bundle decides.
    pub after: Outcome,
}

/// How often a kind of flip was seen, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlipCount {
    /// How often.
    pub count: u64,
    /// The first time, in milliseconds since 1970 UTC.
    pub first_ms: u64,
    /// The last time.
    pub last_ms: u64,
    /// Names the first such decision.
    pub example: String,
}

/// How often something was left out, and where first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOutCount {
    /// How often.
    pub count: u64,
    /// Where the first one stands.
    pub first: String,
    order: (u64, u64),
}

impl Summary {
    /// Adds what came of another part of the same replay.
    pub fn absorb(&mut self, other: Self) {
        self.judged += other.judged;
        self.by_active_roles += other.by_active_roles;
        self.with_unknown_roles += other.with_unknown_roles;
        self.unknown_roles.extend(other.unknown_roles);
        self.first_and_last_ms = match (self.first_and_last_ms, other.first_and_last_ms) {
            (Some((first, last)), Some(others)) => Some((first.min(others.0), last.max(others.1))),
            (one, another) => one.or(another),
        };
        for (change, count) in other.changes {
            *self.changes.entry(change).or_default() += count;
        }
        self.beyond += other.beyond;
        for (flip, count) in other.flips {
            self.add_flip(flip, count);
        }
        for (reason, count) in other.left_out {
            match self.left_out.get_mut(&reason) {
                Some(sum) => sum.absorb(count),
                None => drop(self.left_out.insert(reason, count)),
            }
        }
    }

    /// The kinds of flips, the most frequent first.
    pub fn flips(&self) -> Vec<(&Flip, &FlipCount)> {
        let mut flips: Vec<_> = self.flips.iter().collect();
        flips.sort_by_key(|(_, count)| std::cmp::Reverse(count.count));
        flips
    }

    /// How many decisions differ.
    pub fn flipped(&self) -> u64 {
        self.changes.values().sum()
    }

    /// How many of them let somebody reach more.
    pub fn widened(&self) -> u64 {
        self.changes.iter().filter(|(change, _)| change.widens()).map(|(_, count)| count).sum()
    }

    pub(super) fn add_flip(&mut self, flip: Flip, count: FlipCount) {
        match self.flips.get_mut(&flip) {
            Some(sum) => sum.absorb(count),
            None => drop(self.flips.insert(flip, count)),
        }
    }
}

impl FlipCount {
    pub(super) fn of(time_ms: u64, decision_id: &str) -> Self {
        let example = printable(decision_id);
        Self { count: 1, first_ms: time_ms, last_ms: time_ms, example }
    }

    pub(super) fn add(&mut self, time_ms: u64, decision_id: &str) {
        self.count += 1;
        self.last_ms = self.last_ms.max(time_ms);
        if (time_ms, decision_id) < (self.first_ms, self.example.as_str()) {
            (self.first_ms, self.example) = (time_ms, printable(decision_id));
        }
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.last_ms = self.last_ms.max(other.last_ms);
        if (other.first_ms, &other.example) < (self.first_ms, &self.example) {
            (self.first_ms, self.example) = (other.first_ms, other.example);
        }
    }
}

impl LeftOutCount {
    pub(super) fn of(order: (u64, u64), first: String) -> Self {
        Self { count: 1, first, order }
    }

    pub(super) fn add(&mut self, order: (u64, u64), at: impl FnOnce() -> String) {
        self.count += 1;
        if order <= self.order {
            self.first_of(order, at());
        }
    }

    fn absorb(&mut self, other: Self) {
        self.count += other.count;
        self.first_of(other.order, other.first);
    }

    fn first_of(&mut self, order: (u64, u64), first: String) {
        if (order, &first) < (self.order, &self.first) {
            (self.order, self.first) = (order, first);
        }
    }
}
