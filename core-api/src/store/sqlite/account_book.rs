//! Accounts, throttles, revocations and messages of one batch, in SQLite. Its one writer holds the
//! whole database, so nothing is locked besides.

use sqlx::SqliteConnection;

use crate::store::rows::account_book::account_book;

const DUE: &str = "
    SELECT m.id, m.account_id, k.wrapped, m.message, m.attempts
      FROM mail AS m
      JOIN data_key AS k ON k.account_id = m.account_id
     WHERE m.due_at <= $1
     ORDER BY m.due_at
     LIMIT $2";

async fn lock(_: &mut SqliteConnection, _: &AccountsWanted) -> Result<(), StoreError> {
    Ok(())
}

async fn tell(_: &mut SqliteConnection) -> Result<(), StoreError> {
    Ok(())
}

account_book!(SqliteConnection);
