//! Payments: money that comes for orders and goes back.
//!
//! | file | does |
//! |---|---|
//! | `open` | opens a payment: a row first, then the provider's payment intent |
//! | `receive` | takes the provider's events, each once |
//! | `settle` | brings the books up to what the provider says; the only place that does |
//! | `refund` | gives money back |
//! | `tasks` | what the outbox asks of the provider, and what comes of it |
//!
//! Totals are the provider's: they are set, never added to, and only rise; so do a payment's
//! ranks. Whatever order news comes in, and however often, the same is known in the end. Of a
//! payment the provider's name and totals are kept; card data never comes here.

mod book;
mod event;
mod gateway;
mod mock;
mod objects;
mod open;
mod receive;
mod refund;
mod settle;
mod signature;
mod stripe;
mod tasks;
mod wire;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use book::PaymentBook;
pub(crate) use gateway::{GatewayError, NoGateway, PaymentGateway, Reference};
use gateway::{IntentFacts, ProviderRefund};
pub use mock::{MockError, PaymentMock};
pub(crate) use open::{OpenError, OpenPayment, open};
pub(crate) use receive::{ReceiveError, receive};
pub(crate) use refund::{NewRefund, RefundError, refund};
use serde::{Deserialize, Serialize};
pub(crate) use settle::give_up;
pub(crate) use signature::{WeakSecret, WebhookSecret};
pub(crate) use stripe::{SetupError, Stripe};
pub(crate) use tasks::{Ask, TaskResult, carry_out, conclude, plan};

use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{AccountId, OrderId, PaymentId, RefundId};
use crate::money::Money;
use crate::reach::Reach;
use crate::store::StoreError;

/// The one provider there is, as webhooks and answers name it.
pub(crate) const PROVIDER: &str = "stripe";

/// How long an event's name is kept: far longer than a provider repeats it, and a signature is
/// good for minutes.
pub(crate) const EVENT_LIFE: Duration = Duration::from_hours(90 * 24);

/// Who moves the money, and whom to believe about it.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) gateway: Arc<dyn PaymentGateway>,
    /// Every active one: while a secret is replaced there are two.
    pub(crate) webhook_secrets: Vec<WebhookSecret>,
}

/// Where a payment stands. Ranks only rise, and money that was taken outranks everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PaymentState {
    /// The customer has not paid yet.
    Open,
    /// The customer has agreed; the money is about to be taken.
    Authorised,
    Cancelled,
    Captured,
}

impl PaymentState {
    pub(crate) const ALL: [Self; 4] =
        [Self::Open, Self::Authorised, Self::Cancelled, Self::Captured];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Authorised => "authorised",
            Self::Cancelled => "cancelled",
            Self::Captured => "captured",
        }
    }

    /// Whether nothing was decided yet.
    fn is_undecided(self) -> bool {
        self < Self::Cancelled
    }
}

/// A payment for an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Payment {
    pub(crate) id: PaymentId,
    pub(crate) order: OrderId,
    /// The provider's name for it; `None` until the provider has answered.
    pub(crate) reference: Option<Reference>,
    pub(crate) state: PaymentState,
    /// What is asked for.
    pub(crate) amount: Money,
    /// The provider's total of what was taken.
    pub(crate) captured_minor: i64,
    /// The provider's total of what was given back.
    pub(crate) refunded_minor: i64,
    pub(crate) created_at: Timestamp,
}

/// Where a refund stands. Ranks only rise; a refund can fail after it seemed to succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundState {
    Pending,
    Succeeded,
    Failed,
}

impl RefundState {
    pub(crate) const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }
}

/// Why money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RefundReason {
    /// Somebody asked for it.
    Requested,
    /// It came for an order that is cancelled, or expired and sold out.
    Late,
    /// The order was paid already.
    Double,
    /// It was less than the order costs.
    Short,
}

impl RefundReason {
    pub(crate) const ALL: [Self; 4] = [Self::Requested, Self::Late, Self::Double, Self::Short];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Late => "late",
            Self::Double => "double",
            Self::Short => "short",
        }
    }
}

/// Money on its way back. Also kept, as it was first answered, under its idempotency key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) id: RefundId,
    pub(crate) payment: PaymentId,
    pub(crate) amount: Money,
    pub(crate) state: RefundState,
    pub(crate) reason: RefundReason,
    /// Who asked for it; `None` for the core itself.
    pub(crate) account: Option<AccountId>,
    pub(crate) created_at: Timestamp,
}

/// A payment and what went back of it.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) payment: Payment,
    /// Oldest first.
    pub(crate) refunds: Vec<Refund>,
}

/// The payments of an order, oldest first; `None` when there is no such order within reach.
pub(crate) async fn list(
    app: &App,
    reach: Reach,
    order: OrderId,
) -> Result<Option<Vec<Statement>>, StoreError> {
    match app.store.order(reach, order).await? {
        Some(_) => app.store.payments(order).await.map(Some),
        None => Ok(None),
    }
}
