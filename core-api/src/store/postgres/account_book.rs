//! Accounts, throttles, revocations and messages of one batch, in PostgreSQL.

use sqlx::postgres::PgConnection;

use crate::store::rows::account_book::account_book;

/// Left to others while one hands them over.
pub(super) const DUE: &str = "
    SELECT m.id, m.account_id, k.wrapped, m.message, m.attempts
      FROM mail AS m
      JOIN data_key AS k ON k.account_id = m.account_id
     WHERE m.due_at <= $1
     ORDER BY m.due_at
     LIMIT $2
       FOR UPDATE SKIP LOCKED";

pub(super) const LOCK_ACCOUNT: &str = "
    SELECT id
      FROM account
     WHERE id = $1
       FOR NO KEY UPDATE";

/// A name that has not failed yet has no row to lock.
pub(super) const LOCK_NUMBER: &str = "SELECT pg_advisory_xact_lock($1)";

/// Held by whoever looks at all super-admins.
const SUPER_ADMINS_NUMBER: i64 = 1;

/// Held by whoever tells revocations, so that they are seen in their order.
const REVOCATIONS_NUMBER: i64 = 2;

async fn lock(connection: &mut PgConnection, wanted: &AccountsWanted) -> Result<(), StoreError> {
    if wanted.super_admins {
        query(LOCK_NUMBER).bind(SUPER_ADMINS_NUMBER).execute(&mut *connection).await?;
    }
    for key in &wanted.throttles {
        query(LOCK_NUMBER).bind(number(*key)).execute(&mut *connection).await?;
    }
    for id in wanted.ids.union(&wanted.held) {
        query(LOCK_ACCOUNT).bind(id.uuid()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A digest begins with a number as good as any.
fn number(key: ThrottleKey) -> i64 {
    key.0.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes))
}

async fn tell(connection: &mut PgConnection) -> Result<(), StoreError> {
    query(LOCK_NUMBER).bind(REVOCATIONS_NUMBER).execute(connection).await?;
    Ok(())
}

account_book!(PgConnection);
