//! The audit trail in SQLite. Whoever writes holds the whole database, so there is one chain.

use sqlx::SqliteConnection;

use super::{hex_bytes, rows};
use crate::store::rows::audit::audit;

/// The chain of whoever writes.
pub(super) const CHAIN: u32 = 1;

const INSERT: &str = "
    INSERT INTO audit (chain, sequence, at, actor, roles, action, object_kind, object_id, outcome,
                       detail, request, previous, hash)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
           value ->> 6, value ->> 7, value ->> 8, value ->> 9, value ->> 10,
           unhex(value ->> 11), unhex(value ->> 12)
      FROM json_each($1)";

async fn lock_checkpoints(_: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(())
}

/// Writes the acts behind the head, and says where the chain stands then.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    head: Head,
    trail: &Trail,
    now: Timestamp,
) -> Result<Head, StoreError> {
    let (sealed, head) = seal(head, now, trail.acts());
    let columns = |row: &AuditRow| {
        (
            row.chain,
            row.sequence,
            row.at,
            row.actor.clone(),
            row.roles.clone(),
            row.action.clone(),
            row.object_kind.clone(),
            row.object_id.clone(),
            row.outcome.clone(),
            row.detail.clone(),
            row.request.clone(),
            hex_bytes(row.previous.as_bytes()),
            hex_bytes(row.hash.as_bytes()),
        )
    };
    query(INSERT).bind(rows(sealed.iter().map(columns))?).execute(connection).await?;
    Ok(head)
}

audit!(SqliteConnection);
