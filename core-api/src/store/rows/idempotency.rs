//! Answers kept under idempotency keys.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::idempotency::{
    ClaimName, Claims, Fingerprint, IdempotencyKey, KeptAnswer, KeyedOperation,
};
use crate::ids::{AccountId, Id};
use crate::store::StoreError;

#[derive(Debug, FromRow)]
pub(in crate::store) struct KeyRow {
    account_id: Uuid,
    operation: String,
    key: String,
    fingerprint: Vec<u8>,
    answer: String,
    expires_at: i64,
}

pub(in crate::store) fn claims(rows: Vec<KeyRow>) -> Result<Claims, StoreError> {
    let kept: Option<BTreeMap<_, _>> = rows.into_iter().map(kept).collect();
    kept.map(Claims::loaded).ok_or(StoreError::Unreadable("idempotency key"))
}

fn kept(row: KeyRow) -> Option<(ClaimName, KeptAnswer)> {
    let operation = KeyedOperation::ALL.into_iter().find(|one| one.as_str() == row.operation)?;
    let key = IdempotencyKey::parse(&row.key).ok()?;
    let name = ClaimName { account: AccountId::from_uuid(row.account_id), operation, key };
    let fingerprint = Fingerprint(row.fingerprint.try_into().ok()?);
    let expires_at = Timestamp::from_micros(row.expires_at);
    Some((name, KeptAnswer { fingerprint, answer: row.answer, expires_at }))
}
