//! Images of products in SQLite.

use sqlx::SqliteConnection;

use crate::store::rows::images::images;

images!(SqliteConnection);
