//! Carts in PostgreSQL.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;

use crate::cart::CartBook;
use crate::ids::AccountId;
use crate::store::StoreError;
use crate::store::rows::{carts as rows, hex, listed};
use crate::worksheet::Worksheet;

/// A cart is one writer's until its transaction ends, also one with no lines.
const LOCK: &str = "
    SELECT pg_advisory_xact_lock(w.name)
      FROM (SELECT DISTINCT hashtextextended(value, 7) AS name
              FROM jsonb_array_elements_text($1::jsonb) AS value
             ORDER BY name) AS w";

const LOAD: &str = "
    SELECT account_id, sku, quantity, unit_price_minor, currency
      FROM cart_line
     WHERE account_id IN
           (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS value)";

const CLEAR: &str = "
    DELETE FROM cart_line WHERE account_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS value)";

const INSERT: &str = "
    INSERT INTO cart_line (account_id, sku, quantity, unit_price_minor, currency)
    SELECT (value ->> 0)::uuid, value ->> 1, (value ->> 2)::bigint, (value ->> 3)::bigint,
           value ->> 4
      FROM jsonb_array_elements($1::jsonb) AS value";

pub(super) async fn load(
    connection: &mut PgConnection,
    wanted: &BTreeSet<AccountId>,
) -> Result<CartBook, StoreError> {
    if wanted.is_empty() {
        return Ok(CartBook::default());
    }
    let accounts = listed(wanted.iter().copied().map(hex))?;
    sqlx::query(LOCK).bind(&accounts).execute(&mut *connection).await?;
    rows::book(sqlx::query_as(LOAD).bind(accounts).fetch_all(connection).await?)
}

/// A cart that changed is written anew; it is small.
pub(super) async fn save(
    connection: &mut PgConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    if let Some((accounts, lines)) = rows::changed(sheet)? {
        sqlx::query(CLEAR).bind(accounts).execute(&mut *connection).await?;
        sqlx::query(INSERT).bind(lines).execute(connection).await?;
    }
    Ok(())
}
