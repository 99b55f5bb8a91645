//! Rows as both databases give them, and what they mean; with the statements that only read,
//! which both databases understand.

pub(super) mod account_book;
pub(super) mod accounts;
pub(super) mod audit;
pub(super) mod carts;
pub(super) mod catalog;
pub(super) mod idempotency;
pub(super) mod images;
pub(super) mod inventory;
pub(super) mod jobs;
pub(super) mod keys;
pub(super) mod orders;
pub(super) mod payments;
pub(super) mod privacy;
pub(super) mod sealing;
pub(super) mod sessions;
pub(super) mod unsealed;

use serde::Serialize;

use super::StoreError;
use crate::ids::Id;
use crate::sku::Sku;

pub(super) const PING: &str = "SELECT 1";

/// The least of each is one look at its index, however many there are.
pub(super) const ANYTHING_DUE: &str = "
    SELECT coalesce((SELECT min(expires_at) FROM reservation WHERE state = 'pending') <= $1, false)
        OR coalesce((SELECT min(expires_at) FROM idempotency_key) <= $1, false)
        OR coalesce((SELECT min(expires_at) FROM session) <= $1, false)
        OR coalesce((SELECT min(expires_at) FROM password_link) <= $1, false)
        OR coalesce((SELECT min(expires_at) FROM login_challenge) <= $1, false)
        OR coalesce((SELECT min(expires_at) FROM email_link) <= $1, false)
        OR coalesce((SELECT min(expires_at) FROM login_throttle) <= $1, false)
        OR coalesce((SELECT min(received_at) FROM provider_event) <= $2, false)";

pub(super) fn sku(text: &str) -> Result<Sku, StoreError> {
    Sku::parse(text).map_err(|_| StoreError::Unreadable("sku"))
}

/// Rows as one parameter in JSON, which both databases take apart again.
pub(super) fn listed(rows: impl Iterator<Item = impl Serialize>) -> Result<String, StoreError> {
    let rows: Vec<_> = rows.collect();
    serde_json::to_string(&rows).map_err(|_| StoreError::Unreadable("row"))
}

/// The same, unless there are none.
pub(super) fn listed_if_any(
    rows: impl Iterator<Item = impl Serialize>,
) -> Result<Option<String>, StoreError> {
    let mut rows = rows.peekable();
    if rows.peek().is_none() { Ok(None) } else { listed(rows).map(Some) }
}

/// An id inside [`listed`] rows.
pub(super) fn hex(id: impl Id) -> String {
    id.uuid().simple().to_string()
}

/// A number that is never negative.
pub(super) fn whole(number: i64, what: &'static str) -> Result<u64, StoreError> {
    number.try_into().map_err(|_| StoreError::Unreadable(what))
}

/// As databases keep whole numbers.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
