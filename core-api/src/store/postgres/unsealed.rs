//! Accounts that an earlier version wrote in the clear, in PostgreSQL. Several cores may start at
//! once: each seals what the others leave.

use sqlx::postgres::PgConnection;

use crate::store::rows::unsealed::unsealed;

const BEGIN: &str = "BEGIN";

/// Whoever waits here finds fewer rows, or none, afterwards.
const SOME: &str = "
    SELECT account_id, username, email, phone
      FROM unsealed_account
     ORDER BY account_id
     LIMIT $1
       FOR UPDATE";

unsealed!(PgConnection);
