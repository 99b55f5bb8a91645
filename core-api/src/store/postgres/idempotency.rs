//! Answers kept under idempotency keys in PostgreSQL.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;

use super::compound::Compound;
use crate::clock::Timestamp;
use crate::idempotency::{ClaimName, Claims};
use crate::ids::Id as _;
use crate::store::StoreError;
use crate::store::rows::idempotency::claims;
use crate::worksheet::Worksheet;

/// A plan that was made on an empty table must not go through all keys by their age: the sum has no
/// index.
pub(super) const LOAD: &str = "
    SELECT k.account_id, k.operation, k.key, k.fingerprint, k.answer, k.expires_at
      FROM unnest($1::uuid[], $2::text[], $3::text[]) AS w (account_id, operation, key)
      JOIN idempotency_key AS k
        ON (k.account_id, k.operation, k.key) = (w.account_id, w.operation, w.key)
     WHERE k.expires_at + 0 > $4";

/// A key that has expired but was not swept yet makes room. Whoever else keeps the same key at
/// this moment is waited for; keys are kept in their order, so nobody waits in a circle.
pub(super) const KEEP: &str = "
    INSERT INTO idempotency_key (account_id, operation, key, fingerprint, answer, expires_at)
    SELECT account_id, operation, key, fingerprint, answer, expires_at
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::bigint[])
        AS w (account_id, operation, key, fingerprint, answer, expires_at)
     ORDER BY account_id, operation COLLATE \"C\", key COLLATE \"C\"
        ON CONFLICT (account_id, operation, key) DO UPDATE
       SET fingerprint = excluded.fingerprint,
           answer = excluded.answer,
           expires_at = excluded.expires_at
     WHERE idempotency_key.expires_at <= $7";

/// What another core removes at this moment is left to it.
pub(super) const DELETE_EXPIRED: &str = "
    DELETE FROM idempotency_key
     WHERE (account_id, operation, key) IN
           (SELECT account_id, operation, key
              FROM idempotency_key
             WHERE expires_at <= $1
             LIMIT 10000
               FOR UPDATE SKIP LOCKED)";

pub(super) async fn load(
    connection: &mut PgConnection,
    names: &BTreeSet<ClaimName>,
    now: Timestamp,
) -> Result<Claims, StoreError> {
    if names.is_empty() {
        return Ok(Claims::default());
    }
    let accounts: Vec<_> = names.iter().map(|name| name.account.uuid()).collect();
    let operations: Vec<_> = names.iter().map(|name| name.operation.as_str()).collect();
    let keys: Vec<_> = names.iter().map(|name| name.key.as_str()).collect();
    let found = sqlx::query_as(LOAD).bind(accounts).bind(operations).bind(keys).bind(now.micros());
    claims(found.fetch_all(connection).await?)
}

/// Where another writer kept one of these keys first, the batch is run again, and finds its answer.
pub(super) fn save(compound: &mut Compound, sheet: &Worksheet) -> Result<(), StoreError> {
    let fresh: Vec<_> = sheet.claims.fresh().collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let accounts: Vec<_> = fresh.iter().map(|(name, _)| name.account.uuid()).collect();
    let operations: Vec<_> = fresh.iter().map(|(name, _)| name.operation.as_str()).collect();
    let keys: Vec<_> = fresh.iter().map(|(name, _)| name.key.as_str()).collect();
    let fingerprints: Vec<_> =
        fresh.iter().map(|(_, kept)| kept.fingerprint.0.as_slice()).collect();
    let answers: Vec<_> = fresh.iter().map(|(_, kept)| kept.answer.as_str()).collect();
    let expiries: Vec<_> = fresh.iter().map(|(_, kept)| kept.expires_at.micros()).collect();
    let part = compound.part(KEEP, fresh.len()).bind(accounts)?.bind(operations)?.bind(keys)?;
    part.bind(fingerprints)?.bind(answers)?.bind(expiries)?.bind(sheet.now.micros())?;
    Ok(())
}

pub(super) async fn remove_expired(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_EXPIRED).bind(now.micros()).execute(connection).await?;
    Ok(())
}
