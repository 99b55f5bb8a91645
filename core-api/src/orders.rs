//! Orders and their states.
//!
//! An order exists before it is paid: placing it holds its stock for [`HOLD_LIFE`]. A hold
//! that runs out is given back and the order is `expired`; one that is not wanted any more is
//! given back at once and the order is `cancelled`.

mod book;
mod cancel;
mod place;
mod read;

use std::time::Duration;

pub(crate) use book::OrderBook;
pub(crate) use cancel::{CancelError, CancelOrder, cancel};
pub(crate) use place::{NewOrder, PlaceError, WantedLines, place};
pub(crate) use read::{find, list};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{AccountId, OrderId};
use crate::inventory::Quantity;
use crate::money::Money;
use crate::sku::Sku;

/// How long stock is held for an order that is not paid.
pub(crate) const HOLD_LIFE: Duration = Duration::from_mins(15);

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderState {
    PendingPayment,
    Cancelled,
    Expired,
}

impl OrderState {
    pub(crate) const ALL: [Self; 3] = [Self::PendingPayment, Self::Cancelled, Self::Expired];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PendingPayment => "pending_payment",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

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
