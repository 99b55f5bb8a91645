//! Stock and its invariant: `0 <= reserved <= on hand`, in code and in the database.
//!
//! | movement | made in | on hand | reserved |
//! |---|---|---|---|
//! | receive | `inventory/record.rs`: what arrived | rises | |
//! | adjust | `inventory/record.rs`: what counting found | rises or falls | |
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
mod movement;
mod record;
mod shelf;
mod sweep;
mod units;

use std::collections::BTreeMap;

pub(crate) use expire::{end, enter, expire};
pub(crate) use movement::{
    ByHand, Cause, Entry, HoldStep, Movement, MovementKind, NOTE_CHARS_MAX, Note,
};
pub(crate) use record::{NewMovement, Receipt, RecordError, record};
pub(crate) use shelf::{Shelf, Short};
pub(crate) use sweep::sweep_forever;
pub(crate) use units::{Delta, NotAQuantity, QUANTITY_MAX, Quantity};

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

/// Stock by SKU.
pub(crate) async fn list(
    app: &App,
    slice: &Slice<Sku>,
) -> Result<BTreeMap<Sku, StockLevel>, StoreError> {
    app.store.stock(slice).await
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
