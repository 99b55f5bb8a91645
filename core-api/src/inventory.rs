//! Stock and its invariant: `0 <= reserved <= on hand`, in code and in the database.
//!
//! | operation | file | changes |
//! |---|---|---|
//! | receive | `inventory/receive.rs` | on hand rises |
//! | reserve | `orders/place.rs`, through the [`Shelf`] | reserved rises |
//! | expire | `inventory/expire.rs` | reserved falls again |
//!
//! Every change is an entry of a ledger that is only ever added to; the sums of a SKU's
//! entries are its stock. Stock changes nowhere but on the [`Shelf`].

mod expire;
mod receive;
mod shelf;
mod sweep;

use std::collections::BTreeMap;

pub(crate) use expire::expire;
pub(crate) use receive::{NewReceipt, Receipt, ReceiveError, receive};
use serde::{Deserialize, Serialize};
pub(crate) use shelf::{Shelf, Short};
pub(crate) use sweep::sweep_forever;

use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{AccountId, MovementId, OrderId, ReservationId};
use crate::sku::Sku;
use crate::store::{Slice, StoreError};

/// Most units in one movement.
pub(crate) const QUANTITY_MAX: u32 = 1_000_000;

/// A number of units: 1 to [`QUANTITY_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Quantity(u32);

/// Not a number of units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a quantity is 1 to {QUANTITY_MAX}")]
pub(crate) struct NotAQuantity;

impl TryFrom<u32> for Quantity {
    type Error = NotAQuantity;

    fn try_from(units: u32) -> Result<Self, NotAQuantity> {
        if (1..=QUANTITY_MAX).contains(&units) { Ok(Self(units)) } else { Err(NotAQuantity) }
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl Quantity {
    pub(crate) fn units(self) -> i64 {
        i64::from(self.0)
    }
}

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

/// Why stock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MovementKind {
    Receive,
    Reserve,
    Expire,
}

impl MovementKind {
    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Reserve => "reserve",
            Self::Expire => "expire",
        }
    }
}

/// One entry of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) id: MovementId,
    pub(crate) sku: Sku,
    pub(crate) kind: MovementKind,
    pub(crate) quantity: Quantity,
    /// The hold it takes or gives back.
    pub(crate) reservation: Option<ReservationId>,
    /// Who moved it, where a person did.
    pub(crate) account: Option<AccountId>,
    pub(crate) note: Option<String>,
}

impl Movement {
    /// How it changes what is on hand, and what is reserved.
    pub(crate) fn changes(&self) -> (i64, i64) {
        match self.kind {
            MovementKind::Receive => (self.quantity.units(), 0),
            MovementKind::Reserve => (0, self.quantity.units()),
            MovementKind::Expire => (0, -self.quantity.units()),
        }
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

/// Holds whose time is over.
pub(crate) type DueHolds = BTreeMap<ReservationId, Hold>;

/// Stock by SKU.
pub(crate) async fn list(
    app: &App,
    slice: &Slice<Sku>,
) -> Result<BTreeMap<Sku, StockLevel>, StoreError> {
    app.store.stock(slice).await
}
