//! Receive an event of the provider's: its row and its effect are one transaction.

use super::event::{News, NotAnEvent, ProviderEvent};
use super::settle::{Misfit, settle, settle_refund};
use super::signature::{Unsigned, verify};
use crate::app::App;
use crate::ids::PaymentId;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why an event was not received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    #[error(transparent)]
    NotAnEvent(#[from] NotAnEvent),
    #[error("could not receive the event")]
    Write(#[from] WriteError),
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// Its effect is in the books.
    Applied,
    /// It was there before.
    Duplicate,
    /// It is of a type, or about a payment, that is nothing to us.
    Ignored,
    /// Its object is not one of its type, or contradicts what we know.
    Unreadable,
}

impl Received {
    /// The stable word in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Receives a body as it came, if one of the active secrets signed it.
pub(crate) async fn receive(
    app: &App,
    signature: &str,
    body: &[u8],
) -> Result<Received, ReceiveError> {
    // SECURITY: nothing of the body is looked at before its signature is believed.
    verify(&app.provider.webhook_secrets, signature, body, app.clock.now())?;
    let event = ProviderEvent::parse(body)?;
    let received = app.writer.submit(event).await?;
    app.outbox.wake();
    Ok(received)
}

impl Write for ProviderEvent {
    type Answer = Received;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.provider_events.insert(self.id.clone());
        match &self.news {
            News::Intent(facts) => {
                wanted.intents.insert(facts.reference.clone());
                wanted.payments.extend(facts.payment);
            }
            News::Refund(told) => wanted.refunds.extend(told.refund),
            News::Nothing | News::Unreadable => {}
        }
    }

    fn decide(&self, sheet: &mut Worksheet) -> Received {
        if let News::Unreadable = self.news {
            tracing::warn!(kind = self.kind, "an event's object cannot be read");
            // Not noted, so that whoever understands it later can be told again.
            return Received::Unreadable;
        }
        if !sheet.payments.note(&self.id, &self.kind) {
            return Received::Duplicate;
        }
        match &self.news {
            News::Intent(facts) => {
                let known = sheet.payments.by_reference(&facts.reference);
                let told = facts.payment.filter(|id| sheet.payments.find(*id).is_some());
                match known.or(told) {
                    Some(payment) => settled(settle(sheet, payment, facts), payment),
                    None => Received::Ignored,
                }
            }
            News::Refund(told) => {
                let is_ours = told.refund.is_some_and(|id| sheet.payments.refund(id).is_some());
                settle_refund(sheet, told);
                if is_ours { Received::Applied } else { Received::Ignored }
            }
            News::Nothing | News::Unreadable => Received::Ignored,
        }
    }
}

fn settled(result: Result<(), Misfit>, payment: PaymentId) -> Received {
    match result {
        Ok(()) => Received::Applied,
        Err(error) => {
            tracing::error!(payment.id = %payment, %error, "an event does not fit");
            Received::Unreadable
        }
    }
}
