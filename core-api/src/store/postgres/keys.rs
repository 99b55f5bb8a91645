//! Whether the database was written with the keys at hand, in PostgreSQL.

use sqlx::postgres::PgConnection;

use crate::store::rows::keys::keys;

keys!(PgConnection);
