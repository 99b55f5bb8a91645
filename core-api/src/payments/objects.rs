//! Stripe's objects, as far as they are looked at. Members that are not named are ignored.

use serde::Deserialize;

use super::gateway::{Intent, IntentFacts, IntentStatus, ProviderRefund, Reference, RefundStatus};
use crate::ids::{PaymentId, RefundId};
use crate::money::{Currency, PRICE_MINOR_MAX};

/// Highest amount believed, in minor units.
const AMOUNT_MINOR_MAX: i64 = PRICE_MINOR_MAX * 1_000_000;

/// `payment_intent`.
#[derive(Debug, Deserialize)]
pub(super) struct IntentObject {
    id: String,
    status: String,
    currency: String,
    #[serde(default)]
    amount_received: i64,
    #[serde(default)]
    client_secret: Option<String>,
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    latest_charge: Option<Expandable>,
}

/// What we told the provider about our side.
#[derive(Debug, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    payment_id: Option<String>,
    #[serde(default)]
    refund_id: Option<String>,
}

/// An object or its name alone.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Expandable {
    Whole(ChargeObject),
    Name(#[expect(dead_code, reason = "only told apart from the whole")] String),
}

/// `charge`.
#[derive(Debug, Deserialize)]
pub(super) struct ChargeObject {
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    captured: bool,
    currency: String,
    #[serde(default)]
    amount_captured: i64,
    #[serde(default)]
    amount_refunded: i64,
    #[serde(default)]
    metadata: Metadata,
}

/// `refund`.
#[derive(Debug, Deserialize)]
pub(super) struct RefundObject {
    id: String,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    payment_intent: Option<String>,
    #[serde(default)]
    metadata: Metadata,
}

/// What is answered where something is refused.
#[derive(Debug, Deserialize)]
pub(super) struct ErrorBody {
    error: ErrorObject,
}

#[derive(Debug, Deserialize)]
struct ErrorObject {
    #[serde(default)]
    code: Option<String>,
    #[serde(rename = "type", default)]
    kind: Option<String>,
}

impl ErrorBody {
    pub(super) fn code(self) -> String {
        self.error.code.or(self.error.kind).unwrap_or_default()
    }
}

impl IntentObject {
    /// The intent; `None` if it is none that can be understood.
    pub(super) fn intent(self) -> Option<Intent> {
        let status = match self.status.as_str() {
            "requires_payment_method"
            | "requires_confirmation"
            | "requires_action"
            | "processing" => IntentStatus::Open,
            "requires_capture" => IntentStatus::Authorised,
            "succeeded" => IntentStatus::Captured,
            "canceled" => IntentStatus::Cancelled,
            _ => return None,
        };
        let refunded_minor = match self.latest_charge {
            Some(Expandable::Whole(charge)) => Some(amount(charge.amount_refunded)?),
            Some(Expandable::Name(_)) | None => None,
        };
        let facts = IntentFacts {
            reference: Reference::parse(&self.id)?,
            payment: self.metadata.payment(),
            status,
            currency: currency(&self.currency)?,
            received_minor: amount(self.amount_received)?,
            refunded_minor,
        };
        Some(Intent { facts, client_secret: self.client_secret.map(Into::into) })
    }
}

impl ChargeObject {
    /// Whether it belongs to a payment intent and was taken. A charge that is no payment
    /// intent's was not made by us.
    pub(super) fn is_taken(&self) -> bool {
        self.captured && self.payment_intent.is_some()
    }

    /// What a charge that was taken says about its payment intent; `None` if that cannot be
    /// understood.
    pub(super) fn facts(self) -> Option<IntentFacts> {
        Some(IntentFacts {
            reference: Reference::parse(&self.payment_intent?)?,
            payment: self.metadata.payment(),
            status: IntentStatus::Captured,
            currency: currency(&self.currency)?,
            received_minor: amount(self.amount_captured)?,
            refunded_minor: Some(amount(self.amount_refunded)?),
        })
    }
}

/// A page of refunds, newest first.
#[derive(Debug, Deserialize)]
pub(super) struct RefundList {
    pub(super) data: Vec<RefundObject>,
    pub(super) has_more: bool,
}

impl RefundObject {
    /// Which refund of ours it is.
    pub(super) fn ours(&self) -> Option<RefundId> {
        self.metadata.refund_id.as_deref().and_then(|id| id.parse().ok())
    }

    pub(super) fn refund(self) -> Option<ProviderRefund> {
        let status = match self.status.as_deref() {
            Some("succeeded") => RefundStatus::Succeeded,
            Some("failed" | "canceled") => RefundStatus::Failed,
            Some("pending" | "requires_action") | None => RefundStatus::Pending,
            Some(_) => return None,
        };
        Some(ProviderRefund {
            reference: Reference::parse(&self.id)?,
            refund: self.ours(),
            intent: self.payment_intent.as_deref().and_then(Reference::parse),
            status,
        })
    }
}

impl Metadata {
    fn payment(&self) -> Option<PaymentId> {
        self.payment_id.as_deref().and_then(|id| id.parse().ok())
    }
}

fn amount(minor: i64) -> Option<i64> {
    (0..=AMOUNT_MINOR_MAX).contains(&minor).then_some(minor)
}

fn currency(text: &str) -> Option<Currency> {
    text.to_ascii_uppercase().try_into().ok()
}
