//! Orders and their states.
//!
//! An order exists before it is paid: placing it holds its stock for [`HOLD_LIFE`]. A hold
//! that runs out is given back and the order is `expired`; one that is not wanted any more is
//! given back at once and the order is `cancelled`. What is paid for leaves the stock, and the
//! order is prepared, sent and delivered; what comes back is `returned`. `state` has every
//! move; each is kept as an event, with its time and whoever made it.

mod advance;
mod book;
mod cancel;
mod place;
mod read;
mod state;

use std::time::Duration;

pub(crate) use advance::{AdvanceError, AdvanceOrder, Goods, Step, advance};
pub(crate) use book::{OrderBook, OrderMove};
pub(crate) use cancel::{CancelError, CancelOrder, cancel};
pub(crate) use place::{
    LINE_UNITS_MAX, LINES_MAX, NewOrder, PlaceError, PriceChange, WantedLines, hold, place,
};
pub(crate) use read::{find, history, list};
use serde::{Deserialize, Serialize};
pub(crate) use state::OrderState;

use crate::clock::Timestamp;
use crate::ids::{AccountId, OrderId};
use crate::inventory::Quantity;
use crate::money::Money;
use crate::sku::Sku;

/// How long stock is held for an order that is not paid.
pub(crate) const HOLD_LIFE: Duration = Duration::from_mins(15);

/// An order. Also kept, as it was first answered, under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) state: OrderState,
    /// By SKU, each once.
    pub(crate) lines: Vec<OrderLine>,
    pub(crate) total: Money,
    pub(crate) created_at: Timestamp,
    /// When its stock is given back unless it is paid.
    pub(crate) expires_at: Timestamp,
}

/// So many units of one SKU, at the price of the moment of placing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderLine {
    pub(crate) sku: Sku,
    pub(crate) quantity: Quantity,
    pub(crate) unit_price_minor: i64,
}

/// One move of an order, as it was kept.
#[derive(Debug, Clone)]
pub(crate) struct OrderEvent {
    pub(crate) from: OrderState,
    pub(crate) to: OrderState,
    /// Who moved it; `None` for the core itself.
    pub(crate) actor: Option<AccountId>,
    pub(crate) at: Timestamp,
}
