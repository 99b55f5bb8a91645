//! The payment gateway: what is asked of whoever moves the money.
//!
//! It speaks of payment intents and refunds as Stripe does. Whatever changes something carries
//! an idempotency key, so that asking twice does it once. Of a payment we keep the provider's
//! name for it and its totals; card data never comes near this program.

use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::ids::{Id, JobId, OrderId, PaymentId, RefundId};
use crate::money::{Currency, Money};

/// Longest name a provider may give to something, in characters.
const REFERENCE_CHARS_MAX: usize = 255;

/// Moves money.
#[async_trait]
pub(crate) trait PaymentGateway: fmt::Debug + Send + Sync {
    /// Whether it stands where no provider is set up.
    fn is_off(&self) -> bool {
        false
    }

    /// Makes the payment intent of a payment: once, however often it is asked.
    async fn create(&self, intent: &NewIntent) -> Result<Intent, GatewayError>;

    /// The payment intent as it is now.
    async fn retrieve(&self, intent: &Reference) -> Result<Intent, GatewayError>;

    /// Takes the money that was authorised.
    async fn capture(&self, key: &ProviderKey, intent: &Reference) -> Result<Intent, GatewayError>;

    /// Gives up a payment that was not taken.
    async fn cancel(&self, key: &ProviderKey, intent: &Reference) -> Result<Intent, GatewayError>;

    /// Gives back a part of what was taken, or all of it.
    async fn refund(
        &self,
        key: &ProviderKey,
        refund: &NewRefund,
    ) -> Result<ProviderRefund, GatewayError>;

    /// The same refund, if it was made already, under whatever key.
    async fn find_refund(&self, refund: &NewRefund)
    -> Result<Option<ProviderRefund>, GatewayError>;
}

/// A provider's name for something: 1 to 255 letters, digits and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference(String);

impl Reference {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        // SECURITY: it becomes a segment of a path; nothing in it may mean anything there.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let fits = (1..=REFERENCE_CHARS_MAX).contains(&text.len()) && text.bytes().all(plain);
        fits.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Names one attempt to the provider. It follows from what is attempted, never from when, so
/// that a try after a crash, or after an answer that was lost, is the same attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderKey(String);

impl ProviderKey {
    pub(crate) fn of_job(job: JobId) -> Self {
        Self(format!("job-{}", job.uuid()))
    }

    pub(crate) fn of_payment(payment: PaymentId) -> Self {
        Self(format!("payment-{}", payment.uuid()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A payment intent to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewIntent {
    pub(crate) payment: PaymentId,
    pub(crate) order: OrderId,
    pub(crate) amount: Money,
}

/// A refund to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) refund: RefundId,
    pub(crate) intent: Reference,
    pub(crate) amount_minor: i64,
}

/// A payment intent as the provider tells it.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) facts: IntentFacts,
    /// What lets its holder pay, and nothing else.
    pub(crate) client_secret: Option<ClientSecret>,
}

/// Where a payment intent stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IntentFacts {
    pub(crate) reference: Reference,
    /// Which payment of ours it is, as the provider was told when it was made.
    pub(crate) payment: Option<PaymentId>,
    pub(crate) status: IntentStatus,
    pub(crate) currency: Currency,
    /// All that was taken so far.
    pub(crate) received_minor: i64,
    /// All that was given back so far; `None` where the provider does not say.
    pub(crate) refunded_minor: Option<i64>,
}

/// What can still become of a payment intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IntentStatus {
    /// The customer has not paid.
    Open,
    /// The customer has agreed; the money can be taken.
    Authorised,
    Captured,
    Cancelled,
}

/// A refund as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProviderRefund {
    pub(crate) reference: Reference,
    /// Which refund of ours it is, as the provider was told when it was made.
    pub(crate) refund: Option<RefundId>,
    /// The payment intent it gives back from.
    pub(crate) intent: Option<Reference>,
    pub(crate) status: RefundStatus,
}

/// What has become of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefundStatus {
    Pending,
    Succeeded,
    Failed,
}

/// Lets its holder pay one payment intent. It cannot be printed and is wiped when dropped.
#[derive(Clone)]
pub(crate) struct ClientSecret(Zeroizing<String>);

impl From<String> for ClientSecret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientSecret(..)")
    }
}

impl ClientSecret {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why the provider did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GatewayError {
    #[error("no payment provider is set up")]
    Off,
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("the payment provider is busy or broken (status {0})")]
    Busy(u16),
    #[error("the payment provider does not take our key (status {0})")]
    Key(u16),
    #[error("the payment provider refused with status {status}, code `{code}`")]
    Refused { status: u16, code: String },
    #[error("the payment provider's answer cannot be read: {0}")]
    Unreadable(&'static str),
}

impl GatewayError {
    /// Whether the same may succeed later without anybody changing what is asked.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Off | Self::Unreachable(_) | Self::Busy(_) | Self::Key(_) => true,
            Self::Refused { .. } | Self::Unreadable(_) => false,
        }
    }

    /// Whether the provider said that something broke in it. It keeps such an answer under the
    /// idempotency key and repeats it, so that only another key has it done. What stands before
    /// it answers 502 to 504 and keeps nothing: there the key still protects.
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self, Self::Busy(500))
    }
}

/// Stands where no provider is set up: refuses everything.
#[derive(Debug)]
pub(crate) struct NoGateway;

#[async_trait]
impl PaymentGateway for NoGateway {
    fn is_off(&self) -> bool {
        true
    }

    async fn create(&self, _: &NewIntent) -> Result<Intent, GatewayError> {
        Err(GatewayError::Off)
    }

    async fn retrieve(&self, _: &Reference) -> Result<Intent, GatewayError> {
        Err(GatewayError::Off)
    }

    async fn capture(&self, _: &ProviderKey, _: &Reference) -> Result<Intent, GatewayError> {
        Err(GatewayError::Off)
    }

    async fn cancel(&self, _: &ProviderKey, _: &Reference) -> Result<Intent, GatewayError> {
        Err(GatewayError::Off)
    }

    async fn refund(&self, _: &ProviderKey, _: &NewRefund) -> Result<ProviderRefund, GatewayError> {
        Err(GatewayError::Off)
    }

    async fn find_refund(&self, _: &NewRefund) -> Result<Option<ProviderRefund>, GatewayError> {
        Err(GatewayError::Off)
    }
}
