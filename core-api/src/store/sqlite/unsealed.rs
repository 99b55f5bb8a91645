//! Accounts that an earlier version wrote in the clear, in SQLite.

use sqlx::SqliteConnection;

use crate::store::rows::unsealed::unsealed;

const BEGIN: &str = "BEGIN IMMEDIATE";

const SOME: &str = "
    SELECT account_id, username, email, phone
      FROM unsealed_account
     ORDER BY account_id
     LIMIT $1";

unsealed!(SqliteConnection);
