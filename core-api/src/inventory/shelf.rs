//! The shelf: the stock rows of one batch, and the ledger entries the batch adds to them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Movement, StockLevel, Units};
use crate::sku::Sku;

/// Less is available than asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) available: i64,
}

/// Stock rows in memory. Every change is also a ledger entry.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    levels: BTreeMap<Sku, StockLevel>,
    /// The thresholds of those that have one of their own.
    low_at: BTreeMap<Sku, Units>,
    /// The threshold of the others, if there is one.
    low_at_default: Option<Units>,
    changed: BTreeSet<Sku>,
    opened: BTreeSet<Sku>,
    thresholds: BTreeMap<Sku, Option<Units>>,
    movements: Vec<Movement>,
    lowered: usize,
}

impl Shelf {
    pub(crate) fn loaded(levels: BTreeMap<Sku, StockLevel>, low_at: BTreeMap<Sku, Units>) -> Self {
        Self { levels, low_at, ..Self::default() }
    }

    /// From now on, a SKU without a threshold of its own has this one.
    pub(crate) fn presume_low_at(&mut self, units: Option<Units>) {
        self.low_at_default = units;
    }

    /// What there is of a SKU; `None` for one that is not sold.
    pub(crate) fn level(&self, sku: &Sku) -> Option<StockLevel> {
        self.levels.get(sku).copied()
    }

    /// Enters a movement, or refuses one that would break the invariant.
    pub(crate) fn enter(&mut self, movement: Movement) -> Result<StockLevel, Short> {
        let level = self.level(&movement.sku).unwrap_or_default();
        let after = moved(level, &movement).ok_or(Short { available: level.available() })?;
        let low_at = self.low_at(&movement.sku);
        if !level.is_low(low_at) && after.is_low(low_at) {
            self.lowered = self.lowered.saturating_add(1);
        }
        self.levels.insert(movement.sku.clone(), after);
        self.changed.insert(movement.sku.clone());
        self.movements.push(movement);
        Ok(after)
    }

    /// The threshold that counts for a SKU.
    pub(crate) fn low_at(&self, sku: &Sku) -> Option<Units> {
        self.low_at.get(sku).copied().or(self.low_at_default)
    }

    /// Gives a SKU another threshold of its own, or none.
    pub(crate) fn set_low_at(&mut self, sku: &Sku, units: Option<Units>) {
        match units {
            Some(units) => self.low_at.insert(sku.clone(), units),
            None => self.low_at.remove(sku),
        };
        self.thresholds.insert(sku.clone(), units);
    }

    /// How often a movement of the batch left a SKU low that was not.
    pub(crate) fn lowered(&self) -> usize {
        self.lowered
    }

    /// A SKU that is sold from now on, with nothing on hand.
    pub(crate) fn open(&mut self, sku: &Sku) {
        self.levels.entry(sku.clone()).or_default();
        self.changed.insert(sku.clone());
        self.opened.insert(sku.clone());
    }

    /// Whether the batch itself brought the SKU here.
    pub(crate) fn is_opened(&self, sku: &Sku) -> bool {
        self.opened.contains(sku)
    }

    /// Rows the batch changed, as they are now.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (&Sku, StockLevel)> {
        self.changed.iter().filter_map(|sku| Some((sku, self.level(sku)?)))
    }

    /// Thresholds the batch changed.
    pub(crate) fn thresholds(&self) -> impl Iterator<Item = (&Sku, Option<Units>)> {
        self.thresholds.iter().map(|(sku, units)| (sku, *units))
    }

    /// Ledger entries the batch adds.
    pub(crate) fn movements(&self) -> &[Movement] {
        &self.movements
    }
}

/// The level after a movement; `None` if the invariant would not hold.
fn moved(level: StockLevel, movement: &Movement) -> Option<StockLevel> {
    let (on_hand, reserved) = movement.changes();
    let after = StockLevel {
        on_hand: level.on_hand.checked_add(on_hand)?,
        reserved: level.reserved.checked_add(reserved)?,
    };
    (0 <= after.reserved && after.reserved <= after.on_hand).then_some(after)
}
