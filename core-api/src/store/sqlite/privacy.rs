//! Consents, erasures and data keys of one batch, in SQLite.

use sqlx::SqliteConnection;

use crate::store::rows::privacy::privacy;

privacy!(SqliteConnection);
