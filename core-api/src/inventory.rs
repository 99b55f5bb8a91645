//! Stock and its invariant: `0 <= reserved <= on hand`, in code and in the database.
//!
//! | movement | made in | on hand | reserved |
//! |---|---|---|---|
//! | receive | `inventory/record.rs`: what arrived | rises | |
//! | adjust | `inventory/record.rs`: what is known to be more or less | rises or falls | |
//! | stocktake | `inventory/record.rs`: what counting found | becomes what was counted | |
//! | reserve | `orders/place.rs` | | rises |
//! | release | `orders/cancel.rs` | | falls |
//! | expire | `inventory/expire.rs` | | falls |
//! | commit | `payments/settle.rs`: what is paid for | falls | falls |
//! | return | `orders/advance.rs`: what came back | rises | |
//!
//! Every change is an entry of a ledger that is only ever added to. For each SKU the sum of
//! the entries' changes of what is on hand is what is on hand, and the sum of their changes of
//! what is reserved is what is reserved; `verify` proves it. Stock changes nowhere but on the
//! [`Shelf`].

mod expire;
mod losers;
mod low;
mod movement;
mod record;
mod shelf;
mod sweep;
mod units;

use std::collections::BTreeMap;

pub(crate) use expire::{end, enter, expire};
pub(crate) use losers::{Loser, Losers};
pub(crate) use low::{Lowering, SetLowAt, ThresholdError, set_low_at};
pub(crate) use movement::{
    ByHand, Cause, Entry, HoldStep, Movement, MovementKind, NOTE_CHARS_MAX, Note,
};
pub(crate) use record::{NewMovement, Receipt, RecordError, record};
pub(crate) use shelf::{Shelf, Short};
pub(crate) use sweep::sweep_forever;
pub(crate) use units::{Delta, NotAQuantity, NotUnits, QUANTITY_MAX, Quantity, UNITS_MAX, Units};

use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{MovementId, OrderId, ReservationId};
use crate::sku::Sku;
use crate::store::{Slice, StoreError};

/// What there is of one SKU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StockLevel {
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
}

impl StockLevel {
    /// What can still be sold.
    pub(crate) fn available(self) -> i64 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// Whether no more is available than its threshold.
    pub(crate) fn is_low(self, low_at: Option<Units>) -> bool {
        low_at.is_some_and(|units| self.available() <= i64::from(units))
    }
}

/// What there is of one SKU, and when that is low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stocked {
    pub(crate) sku: Sku,
    pub(crate) level: StockLevel,
    /// The threshold that counts; without one, it is never low.
    pub(crate) low_at: Option<Units>,
}

/// Stock held for an order, until it expires.
#[derive(Debug, Clone)]
pub(crate) struct Hold {
    pub(crate) id: ReservationId,
    pub(crate) order: OrderId,
    pub(crate) sku: Sku,
    pub(crate) quantity: Quantity,
    pub(crate) expires_at: Timestamp,
}

/// Holds by id.
pub(crate) type Holds = BTreeMap<ReservationId, Hold>;

/// Which stock is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    All,
    /// What is low.
    Low,
}

/// Stock by SKU.
pub(crate) async fn list(
    app: &App,
    listed: Listed,
    slice: &Slice<Sku>,
) -> Result<Vec<Stocked>, StoreError> {
    app.store.stock(listed, app.low_at, slice).await
}

/// The ledger of one SKU, newest first; `None` for one that was never sold here.
pub(crate) async fn history(
    app: &App,
    sku: &Sku,
    slice: &Slice<MovementId>,
) -> Result<Option<Vec<Entry>>, StoreError> {
    if !app.store.is_stocked(sku).await? {
        return Ok(None);
    }
    app.store.movements(sku, slice).await.map(Some)
}
