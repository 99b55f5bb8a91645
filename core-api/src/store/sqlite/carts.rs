//! Carts in SQLite. Whose cart is meant is part of every statement.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{catalog, hex, inventory, rows};
use crate::cart::{Cart, CartBook, CartLine, ShownLine};
use crate::ids::{AccountId, Id};
use crate::store::StoreError;
use crate::worksheet::Worksheet;

/// A cart's lines with what they cost now, if they are still on sale.
const SHOWN: &str = "
    SELECT c.account_id, c.sku, c.quantity, c.unit_price_minor, c.currency,
           k.price_minor AS price_now_minor, k.currency AS currency_now,
           p.deleted_at IS NULL AS on_sale, s.on_hand - s.reserved AS available
      FROM cart_line AS c
      JOIN sku AS k ON k.sku = c.sku
      JOIN product AS p ON p.id = k.product_id
      JOIN stock AS s ON s.sku = c.sku
     WHERE c.account_id = $1
     ORDER BY c.sku";

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

#[derive(Debug, FromRow)]
struct LineRow {
    account_id: Uuid,
    sku: String,
    quantity: u32,
    unit_price_minor: i64,
    currency: String,
}

#[derive(Debug, FromRow)]
struct ShownRow {
    #[sqlx(flatten)]
    line: LineRow,
    price_now_minor: i64,
    currency_now: String,
    on_sale: bool,
    available: i64,
}

/// An account's cart as it is shown, by SKU.
pub(super) async fn shown(
    readers: &SqlitePool,
    account: AccountId,
) -> Result<Vec<ShownLine>, StoreError> {
    let found: Vec<ShownRow> =
        sqlx::query_as(SHOWN).bind(account.uuid()).fetch_all(readers).await?;
    let shown = |row: ShownRow| {
        let price_now = catalog::money(row.price_now_minor, row.currency_now)?;
        Ok(ShownLine {
            sku: super::sku(&row.line.sku)?,
            line: line(row.line)?,
            price_now: row.on_sale.then_some(price_now),
            available: row.available,
        })
    };
    found.into_iter().map(shown).collect()
}

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &BTreeSet<AccountId>,
) -> Result<CartBook, StoreError> {
    if wanted.is_empty() {
        return Ok(CartBook::default());
    }
    let accounts = rows(wanted.iter().copied().map(hex))?;
    let found: Vec<LineRow> = sqlx::query_as(LOAD).bind(accounts).fetch_all(connection).await?;
    let mut carts: BTreeMap<AccountId, Cart> = BTreeMap::new();
    for row in found {
        let cart = carts.entry(AccountId::from_uuid(row.account_id)).or_default();
        cart.insert(super::sku(&row.sku)?, line(row)?);
    }
    Ok(CartBook::loaded(carts))
}

fn line(row: LineRow) -> Result<CartLine, StoreError> {
    Ok(CartLine {
        quantity: inventory::quantity(row.quantity)?,
        price: catalog::money(row.unit_price_minor, row.currency)?,
    })
}

/// A cart that changed is written anew; it is small.
pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let changed: Vec<_> = sheet.carts.changed().collect();
    if changed.is_empty() {
        return Ok(());
    }
    let accounts = rows(changed.iter().map(|(account, _)| hex(*account)))?;
    sqlx::query(CLEAR).bind(accounts).execute(&mut *connection).await?;
    let lines = changed.into_iter().flat_map(|(account, cart)| {
        cart.iter().map(move |(sku, line)| {
            (hex(account), sku, line.quantity, line.price.minor, line.price.currency)
        })
    });
    sqlx::query(INSERT).bind(rows(lines)?).execute(connection).await?;
    Ok(())
}
