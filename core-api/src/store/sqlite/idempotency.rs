//! Answers kept under idempotency keys in SQLite.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::{hex, hex_bytes, rows};
use crate::clock::Timestamp;
use crate::idempotency::{ClaimName, Claims};
use crate::store::StoreError;
use crate::store::rows::idempotency::claims;
use crate::worksheet::Worksheet;

const LOAD: &str = "
    SELECT k.account_id, k.operation, k.key, k.fingerprint, k.answer, k.expires_at
      FROM json_each($1) AS w
     CROSS JOIN idempotency_key AS k
     WHERE k.account_id = unhex(w.value ->> 0)
       AND k.operation = w.value ->> 1
       AND k.key = w.value ->> 2
       AND k.expires_at > $2";

/// A key that has expired but was not swept yet makes room.
const KEEP: &str = "
    INSERT INTO idempotency_key (account_id, operation, key, fingerprint, answer, expires_at)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3),
           value ->> 4, value ->> 5
      FROM json_each($1)
     WHERE true
        ON CONFLICT (account_id, operation, key) DO UPDATE
       SET fingerprint = excluded.fingerprint,
           answer = excluded.answer,
           expires_at = excluded.expires_at
     WHERE idempotency_key.expires_at <= $2";

const DELETE_EXPIRED: &str = "
    DELETE FROM idempotency_key
     WHERE (account_id, operation, key) IN
           (SELECT account_id, operation, key
              FROM idempotency_key
             WHERE expires_at <= $1
             LIMIT 10000)";

pub(super) async fn load(
    connection: &mut SqliteConnection,
    names: &BTreeSet<ClaimName>,
    now: Timestamp,
) -> Result<Claims, StoreError> {
    if names.is_empty() {
        return Ok(Claims::default());
    }
    let wanted = rows(
        names.iter().map(|name| (hex(name.account), name.operation.as_str(), name.key.as_str())),
    )?;
    let found = sqlx::query_as(LOAD).bind(wanted).bind(now.micros());
    claims(found.fetch_all(connection).await?)
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let mut fresh = sheet.claims.fresh().peekable();
    if fresh.peek().is_none() {
        return Ok(());
    }
    let fresh = rows(fresh.map(|(name, kept)| {
        (
            hex(name.account),
            name.operation.as_str(),
            name.key.as_str(),
            hex_bytes(&kept.fingerprint.0),
            kept.answer.as_str(),
            kept.expires_at,
        )
    }))?;
    sqlx::query(KEEP).bind(fresh).bind(sheet.now.micros()).execute(connection).await?;
    Ok(())
}

pub(super) async fn remove_expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_EXPIRED).bind(now.micros()).execute(connection).await?;
    Ok(())
}
