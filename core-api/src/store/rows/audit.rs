//! The audit trail: its rows, its heads and its checkpoints.

use sqlx::FromRow;
use stockade_audit::chain::{Digest, Head};

use super::whole;
use crate::audit::AuditRow;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// The last row of a chain.
pub(in crate::store) const HEAD: &str = "
    SELECT chain, sequence, hash
      FROM audit
     WHERE chain = $1
     ORDER BY sequence DESC
     LIMIT 1";

/// The last row of every chain; looks at no more rows than there are chains.
pub(in crate::store) const HEADS: &str = "
    WITH RECURSIVE known (chain) AS (
        SELECT min(chain) FROM audit
         UNION ALL
        SELECT (SELECT min(chain) FROM audit WHERE chain > known.chain)
          FROM known
         WHERE known.chain IS NOT NULL
    )
    SELECT a.chain, a.sequence, a.hash
      FROM known
      JOIN audit AS a
        ON a.chain = known.chain
       AND a.sequence = (SELECT max(sequence) FROM audit WHERE chain = known.chain)
     ORDER BY a.chain";

/// Rows of a chain, in their order.
pub(in crate::store) const ROWS: &str = "
    SELECT chain, sequence, at, actor, roles, action, object_kind, object_id, outcome, detail,
           request, previous, hash
      FROM audit
     WHERE chain = $1
       AND sequence > $2
     ORDER BY sequence
     LIMIT $3";

pub(in crate::store) const HASH: &str = "SELECT hash FROM audit WHERE chain = $1 AND sequence = $2";

pub(in crate::store) const CHECKPOINTS: &str = "
    SELECT number, line
      FROM audit_checkpoint
     WHERE number > $1
     ORDER BY number
     LIMIT $2";

pub(in crate::store) const LAST_CHECKPOINT: &str = "
    SELECT number, line
      FROM audit_checkpoint
     ORDER BY number DESC
     LIMIT 1";

pub(in crate::store) const INSERT_CHECKPOINT: &str =
    "INSERT INTO audit_checkpoint (number, line) VALUES ($1, $2)";

/// A list, newest first: what follows `$1`, `$2`, `$3` and fits; an empty text fits everything.
macro_rules! list {
    ($narrowed:literal) => {
        concat!(
            "SELECT chain, sequence, at, actor, roles, action, object_kind, object_id, outcome,
                    detail, request, previous, hash
               FROM audit
              WHERE (at, chain, sequence) < ($1, $2, $3)
                AND at >= $5
                AND ($6 = '' OR action = $6)
                AND ",
            $narrowed,
            " ORDER BY at DESC, chain DESC, sequence DESC LIMIT $4"
        )
    };
}

pub(in crate::store) const LIST: &str = list!("$7 = '' AND $8 = ''");
pub(in crate::store) const LIST_OF_ACTOR: &str = list!("actor = $7 AND $8 = ''");
pub(in crate::store) const LIST_OF_OBJECT: &str =
    list!("($7 = '' OR actor = $7) AND object_id = $8");

#[derive(Debug, FromRow)]
pub(in crate::store) struct StoredAct {
    chain: i64,
    sequence: i64,
    at: i64,
    actor: String,
    roles: String,
    action: String,
    object_kind: String,
    object_id: String,
    outcome: String,
    detail: String,
    request: String,
    previous: Vec<u8>,
    hash: Vec<u8>,
}

pub(in crate::store) fn row(stored: StoredAct) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        chain: chain(stored.chain)?,
        sequence: whole(stored.sequence, "place in a chain")?,
        at: Timestamp::from_micros(stored.at),
        actor: stored.actor,
        roles: stored.roles,
        action: stored.action,
        object_kind: stored.object_kind,
        object_id: stored.object_id,
        outcome: stored.outcome,
        detail: stored.detail,
        request: stored.request,
        previous: digest(&stored.previous)?,
        hash: digest(&stored.hash)?,
    })
}

pub(in crate::store) fn head(
    (number, sequence, hash): (i64, i64, Vec<u8>),
) -> Result<Head, StoreError> {
    let sequence = whole(sequence, "place in a chain")?;
    Ok(Head { chain: chain(number)?, sequence, hash: digest(&hash)? })
}

pub(in crate::store) fn checkpoint(
    (number, line): (i64, String),
) -> Result<(u64, String), StoreError> {
    Ok((whole(number, "number of a checkpoint")?, line))
}

pub(in crate::store) fn digest(bytes: &[u8]) -> Result<Digest, StoreError> {
    Digest::from_slice(bytes).map_err(|_| StoreError::Unreadable("hash"))
}

fn chain(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Unreadable("chain"))
}

/// Writing: one implementation for both databases, as each has its own type of connection. They
/// differ in how they lock, whose chain it is, and how many rows are one statement.
macro_rules! audit {
    ($connection:ty) => {
        use sqlx::{query, query_as};

        use stockade_audit::chain::{Digest, Head};

        use crate::audit::{AuditRow, CheckpointBasis, Trail, seal};
        use crate::clock::Timestamp;
        use crate::store::StoreError;
        use crate::store::rows::audit::{self, HEAD, HEADS, INSERT_CHECKPOINT, LAST_CHECKPOINT};
        use crate::store::rows::signed;

        /// What a checkpoint is made of, locked against others who make one.
        pub(super) async fn load_basis(
            connection: &mut $connection,
            wanted: bool,
        ) -> Result<Option<CheckpointBasis>, StoreError> {
            if !wanted {
                return Ok(None);
            }
            lock_checkpoints(connection).await?;
            let last: Option<(i64, String)> =
                query_as(LAST_CHECKPOINT).fetch_optional(&mut *connection).await?;
            let last = last.map(audit::checkpoint).transpose()?.map(|(_, line)| line);
            let heads = query_as(HEADS).fetch_all(connection).await?;
            let heads = heads.into_iter().map(audit::head).collect::<Result<_, _>>()?;
            Ok(Some(CheckpointBasis { last, heads }))
        }

        /// Where the chain stands.
        pub(super) async fn head(
            connection: &mut $connection,
            chain: u32,
        ) -> Result<Head, StoreError> {
            let found = query_as(HEAD).bind(i64::from(chain)).fetch_optional(connection).await?;
            let new = Head { chain, sequence: 0, hash: Digest::ZERO };
            found.map_or(Ok(new), audit::head)
        }

        pub(super) async fn save_checkpoint(
            connection: &mut $connection,
            checkpoint: Option<&stockade_audit::chain::Checkpoint>,
        ) -> Result<(), StoreError> {
            if let Some(checkpoint) = checkpoint {
                let insert = query(INSERT_CHECKPOINT).bind(signed(checkpoint.number()));
                insert.bind(checkpoint.to_line()).execute(connection).await?;
            }
            Ok(())
        }
    };
}

pub(in crate::store) use audit;
