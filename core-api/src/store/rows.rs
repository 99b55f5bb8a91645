//! Rows as both databases give them, and what they mean; with the statements that only read,
//! which both databases understand.

pub(super) mod account_book;
pub(super) mod accounts;
pub(super) mod catalog;
pub(super) mod idempotency;
pub(super) mod inventory;
pub(super) mod orders;
pub(super) mod privacy;
pub(super) mod sealing;
pub(super) mod sessions;
pub(super) mod unsealed;

use super::StoreError;
use crate::sku::Sku;

pub(super) const PING: &str = "SELECT 1";

pub(super) const ANYTHING_DUE: &str = "
    SELECT EXISTS (SELECT 1 FROM reservation WHERE state = 'pending' AND expires_at <= $1)
        OR EXISTS (SELECT 1 FROM idempotency_key WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM session WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM password_link WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM login_challenge WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM email_link WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM login_throttle WHERE expires_at <= $1)";

pub(super) fn sku(text: &str) -> Result<Sku, StoreError> {
    Sku::parse(text).map_err(|_| StoreError::Unreadable("sku"))
}

/// A number that is never negative.
pub(super) fn whole(number: i64, what: &'static str) -> Result<u64, StoreError> {
    number.try_into().map_err(|_| StoreError::Unreadable(what))
}

/// As databases keep whole numbers.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
