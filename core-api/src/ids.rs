//! Identifiers: UUIDv7, one type for each kind of thing.
//!
//! A UUIDv7 begins with the time it was made, so ids sort as things happened and a list by id
//! is a list by age. Databases keep them as 16 bytes, clients see the usual text.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use uuid::{ContextV7, Uuid};

use crate::clock::Timestamp;

/// An identifier that an [`IdSource`] can make.
pub(crate) trait Id: Sized {
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

macro_rules! id {
    ($(#[doc = $doc:literal] $name:ident;)+) => {$(
        #[doc = $doc]
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(transparent)]
        pub(crate) struct $name(Uuid);

        impl Id for $name {
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                parse(text).map(Self)
            }
        }
    )+};
}

id! {
    /// Names an account: the `sub` of its tokens.
    AccountId;
    /// Names a session: the `sid` of its tokens.
    SessionId;
    /// Names one access token: its `jti`.
    TokenId;
    /// Names a message that waits to be sent.
    LetterId;
    /// Names a product.
    ProductId;
    /// Names a category of products.
    CategoryId;
    /// Names an order.
    OrderId;
    /// Names a hold on stock.
    ReservationId;
    /// Names one entry of the stock ledger.
    MovementId;
    /// Names a payment.
    PaymentId;
    /// Names a refund.
    RefundId;
    /// Names a job of the outbox.
    JobId;
}

/// The text is not an id as this program writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub(crate) struct NotAnId;

/// One spelling only: lower case with hyphens.
fn parse(text: &str) -> Result<Uuid, NotAnId> {
    let uuid = Uuid::try_parse(text).map_err(|_| NotAnId)?;
    let mut spelled = Uuid::encode_buffer();
    if uuid.hyphenated().encode_lower(&mut spelled) == text { Ok(uuid) } else { Err(NotAnId) }
}

/// Makes ids that rise within one process, even within one millisecond.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdSource(Arc<Mutex<ContextV7>>);

impl IdSource {
    /// A new id, made at `now`.
    pub(crate) fn next<I: Id>(&self, now: Timestamp) -> I {
        let secs = now.secs();
        let micros = u32::try_from(now.micros().rem_euclid(1_000_000)).unwrap_or_default();
        let context = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = uuid::Timestamp::from_unix(&*context, secs, micros.saturating_mul(1_000));
        I::from_uuid(Uuid::new_v7(moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_while_the_clock_stands() {
        let (source, now) = (IdSource::default(), Timestamp::from_micros(1_800_000_000_000_000));
        let ids: Vec<OrderId> = (0..1000).map(|_| source.next(now)).collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = OrderId(Uuid::from_u128(0x018f_abcd_0000_7000_8000_0000_0000_00ef));
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in ["", "x", &id.uuid().simple().to_string(), &id.to_string().to_uppercase()] {
            assert_eq!(other.parse::<OrderId>(), Err(NotAnId), "{other}");
        }
    }
}
