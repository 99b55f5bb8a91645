//! The audit trail in PostgreSQL. Each writer has a chain of its own, for as long as its connection
//! lives: a lock of the session keeps others off, also those of other cores.

use sqlx::postgres::PgConnection;
use sqlx::query_scalar;
use stockade_audit::chain::HEADS_MAX;

use super::account_book::LOCK_NUMBER;
use super::compound::Compound;
use crate::store::OpenError;
use crate::store::rows::audit::audit;

/// Takes a chain that nobody has, for the session.
pub(super) const TAKE_CHAIN: &str = "SELECT pg_try_advisory_lock($1, $2)";

/// Tells the locks of chains from any others.
const CHAINS_CLASS: i32 = 0x5354_4b44;

/// Held by whoever makes a checkpoint.
const CHECKPOINTS_NUMBER: i64 = 3;

pub(super) const INSERT: &str = "
    INSERT INTO audit (chain, sequence, at, actor, roles, action, object_kind, object_id, outcome,
                       detail, request, previous, hash)
    SELECT *
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[],
                  $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[],
                  $13::bytea[])";

/// The lowest chain that nobody has.
pub(super) async fn take_chain(connection: &mut PgConnection) -> Result<u32, OpenError> {
    let last = u32::try_from(HEADS_MAX).unwrap_or(u32::MAX);
    for chain in 1..=last {
        let number = i32::try_from(chain).unwrap_or(i32::MAX);
        let take = query_scalar(TAKE_CHAIN).bind(CHAINS_CLASS).bind(number);
        if take.fetch_one(&mut *connection).await? {
            return Ok(chain);
        }
    }
    Err(OpenError::NoChain)
}

async fn lock_checkpoints(connection: &mut PgConnection) -> Result<(), StoreError> {
    query(LOCK_NUMBER).bind(CHECKPOINTS_NUMBER).execute(connection).await?;
    Ok(())
}

/// Writes the acts behind the head, and says where the chain stands then.
pub(super) fn save(
    compound: &mut Compound,
    head: Head,
    trail: &Trail,
    now: Timestamp,
) -> Result<Head, StoreError> {
    let (rows, head) = seal(head, now, trail.acts());
    let numbers = |number: fn(&AuditRow) -> i64| rows.iter().map(number).collect::<Vec<_>>();
    let texts = |text: fn(&AuditRow) -> &str| rows.iter().map(text).collect::<Vec<_>>();
    let hashes = |hash: fn(&AuditRow) -> &Digest| {
        rows.iter().map(|row| hash(row).as_bytes().as_slice()).collect::<Vec<_>>()
    };
    compound
        .part(INSERT, rows.len())
        .bind(numbers(|row| i64::from(row.chain)))?
        .bind(numbers(|row| signed(row.sequence)))?
        .bind(numbers(|row| row.at.micros()))?
        .bind(texts(|row| &row.actor))?
        .bind(texts(|row| &row.roles))?
        .bind(texts(|row| &row.action))?
        .bind(texts(|row| &row.object_kind))?
        .bind(texts(|row| &row.object_id))?
        .bind(texts(|row| &row.outcome))?
        .bind(texts(|row| &row.detail))?
        .bind(texts(|row| &row.request))?
        .bind(hashes(|row| &row.previous))?
        .bind(hashes(|row| &row.hash))?;
    Ok(head)
}

audit!(PgConnection);
