//! Open a payment: a row first, then the provider's payment intent, then both are joined.
//!
//! Whenever this is cut short, the same key goes on where it was: the intent is made under the
//! payment's own name, once. The client secret is passed through and kept nowhere.

use super::gateway::{ClientSecret, GatewayError, Intent, IntentFacts, NewIntent};
use super::settle::settle;
use super::{Payment, PaymentState};
use crate::app::App;
use crate::audit::Action;
use crate::idempotency::{Claim, ClaimError};
use crate::ids::{AccountId, OrderId, PaymentId};
use crate::orders::OrderState;
use crate::reach::Reach;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Most payments of one order that are undecided at once.
const UNDECIDED_MAX: usize = 5;

/// Most payments of one order, whatever became of them: they are listed and loaded whole.
const PAYMENTS_MAX: usize = 20;

/// Why no payment was opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("there is no such order within reach")]
    NotFound,
    #[error("the order is `{}` and cannot be paid", .0.as_str())]
    State(OrderState),
    #[error("the order has {UNDECIDED_MAX} payments that are undecided; pay one of them")]
    TooManyUndecided,
    #[error("the order has {PAYMENTS_MAX} payments; order anew")]
    TooMany,
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("the payment provider did not open the payment")]
    Gateway(#[from] GatewayError),
    #[error("could not open the payment")]
    Write(#[from] WriteError),
}

/// A payment to be opened, by whoever owns the order.
#[derive(Debug, Clone)]
pub(crate) struct OpenPayment {
    pub(crate) order: OrderId,
    pub(crate) account: AccountId,
    pub(crate) claim: Claim,
}

/// An open payment, and what lets its owner pay.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) payment: Payment,
    pub(crate) client_secret: Option<ClientSecret>,
    /// Whether it was there before.
    pub(crate) is_replay: bool,
}

/// Opens a payment; a repeated key finds the same one, as it is by then.
pub(crate) async fn open(app: &App, wanted: OpenPayment) -> Result<Opened, OpenError> {
    let (payment, is_replay) = app.writer.submit(wanted).await??;
    let intent = intent_of(app, &payment).await?;
    let joined = app.writer.submit(Join { payment: payment.id, facts: intent.facts }).await?;
    app.outbox.wake();
    let payment = joined.unwrap_or(payment);
    Ok(Opened { payment, client_secret: intent.client_secret, is_replay })
}

async fn intent_of(app: &App, payment: &Payment) -> Result<Intent, GatewayError> {
    if let Some(reference) = &payment.reference {
        return app.provider.gateway.retrieve(reference).await;
    }
    let Payment { id, order, amount, .. } = *payment;
    app.provider.gateway.create(&NewIntent { payment: id, order, amount }).await
}

impl Write for OpenPayment {
    type Answer = Result<(Payment, bool), OpenError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.claims.insert(self.claim.name.clone());
        wanted.orders.insert((self.order, Reach::Own(self.account)));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let order = sheet.orders.find(Reach::Own(self.account), self.order);
        let order = order.ok_or(OpenError::NotFound)?.clone();
        if let Some(id) = sheet.claims.find::<PaymentId>(&self.claim)? {
            let payment = sheet.payments.find(id).ok_or(OpenError::NotFound)?;
            return Ok((payment.clone(), true));
        }
        if order.state != OrderState::PendingPayment {
            return Err(OpenError::State(order.state));
        }
        // Its time is over, even where nobody has swept it yet.
        if order.expires_at <= sheet.now {
            return Err(OpenError::State(OrderState::Expired));
        }
        if sheet.payments.of_order(order.id).count() >= PAYMENTS_MAX {
            return Err(OpenError::TooMany);
        }
        let of_order = sheet.payments.of_order(order.id);
        if of_order.filter(|one| one.state.is_undecided()).count() >= UNDECIDED_MAX {
            return Err(OpenError::TooManyUndecided);
        }
        let payment = Payment {
            id: sheet.ids.next(sheet.now),
            order: order.id,
            reference: None,
            state: PaymentState::Open,
            amount: order.total,
            captured_minor: 0,
            refunded_minor: 0,
            created_at: sheet.now,
        };
        sheet.claims.keep(&self.claim, &payment.id, sheet.now)?;
        sheet.payments.set(payment.clone());
        sheet.audit(Action::PaymentOpened, payment.id);
        Ok((payment, false))
    }
}

/// Joins a payment with its intent, as the provider told it.
#[derive(Debug, Clone)]
struct Join {
    payment: PaymentId,
    facts: IntentFacts,
}

impl Write for Join {
    type Answer = Option<Payment>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.payments.insert(self.payment);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        if let Err(error) = settle(sheet, self.payment, &self.facts) {
            tracing::error!(payment.id = %self.payment, %error, "an intent does not fit");
        }
        sheet.payments.find(self.payment).cloned()
    }
}
