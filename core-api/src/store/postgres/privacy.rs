//! Consents, erasures and data keys of one batch, in PostgreSQL.

use sqlx::postgres::PgConnection;

use crate::store::rows::privacy::privacy;

privacy!(PgConnection);
