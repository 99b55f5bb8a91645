//! Whether the database was written with the keys at hand, in SQLite.

use sqlx::SqliteConnection;

use crate::store::rows::keys::keys;

keys!(SqliteConnection);
