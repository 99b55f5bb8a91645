//! The shelf: the stock rows of one batch, and the ledger entries the batch adds to them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Movement, StockLevel};
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
    changed: BTreeSet<Sku>,
    opened: BTreeSet<Sku>,
    movements: Vec<Movement>,
}

impl Shelf {
    pub(crate) fn loaded(levels: BTreeMap<Sku, StockLevel>) -> Self {
        Self { levels, ..Self::default() }
    }

    /// What there is of a SKU; `None` for one that is not sold.
    pub(crate) fn level(&self, sku: &Sku) -> Option<StockLevel> {
        self.levels.get(sku).copied()
    }

    /// Enters a movement, or refuses one that would break the invariant.
    pub(crate) fn enter(&mut self, movement: Movement) -> Result<StockLevel, Short> {
        let level = self.level(&movement.sku).unwrap_or_default();
        let after = moved(level, &movement).ok_or(Short { available: level.available() })?;
        self.levels.insert(movement.sku.clone(), after);
        self.changed.insert(movement.sku.clone());
        self.movements.push(movement);
        Ok(after)
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
