//! Carts in SQLite.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use crate::cart::CartBook;
use crate::ids::AccountId;
use crate::store::StoreError;
use crate::store::rows::{carts as rows, hex, listed};
use crate::worksheet::Worksheet;

const LOAD: &str = "
    SELECT c.account_id, c.sku, c.quantity, c.unit_price_minor, c.currency
      FROM json_each($1) AS w
     CROSS JOIN cart_line AS c
     WHERE c.account_id = unhex(w.value)";

const CLEAR: &str = "
    DELETE FROM cart_line WHERE account_id IN (SELECT unhex(value) FROM json_each($1))";

const INSERT: &str = "
    INSERT INTO cart_line (account_id, sku, quantity, unit_price_minor, currency)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4
      FROM json_each($1)";

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &BTreeSet<AccountId>,
) -> Result<CartBook, StoreError> {
    if wanted.is_empty() {
        return Ok(CartBook::default());
    }
    let accounts = listed(wanted.iter().copied().map(hex))?;
    rows::book(sqlx::query_as(LOAD).bind(accounts).fetch_all(connection).await?)
}

/// A cart that changed is written anew; it is small.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    if let Some((accounts, lines)) = rows::changed(sheet)? {
        sqlx::query(CLEAR).bind(accounts).execute(&mut *connection).await?;
        sqlx::query(INSERT).bind(lines).execute(connection).await?;
    }
    Ok(())
}
