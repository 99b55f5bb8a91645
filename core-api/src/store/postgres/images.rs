//! Images of products in PostgreSQL. Their products are locked by then.

use sqlx::postgres::PgConnection;

use crate::store::rows::images::images;

images!(PgConnection);
