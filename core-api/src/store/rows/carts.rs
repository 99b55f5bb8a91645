//! Carts. Whose cart is meant is part of every statement.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{catalog, hex, inventory, listed, sku};
use crate::cart::{Cart, CartBook, CartLine, ShownLine};
use crate::ids::{AccountId, Id};
use crate::store::StoreError;
use crate::worksheet::Worksheet;

/// A cart's lines with what they cost now, if they are still on sale.
pub(in crate::store) const SHOWN: &str = "
    SELECT c.account_id, c.sku, c.quantity, c.unit_price_minor, c.currency,
           k.price_minor AS price_now_minor, k.currency AS currency_now,
           p.deleted_at IS NULL AS on_sale, s.on_hand - s.reserved AS available
      FROM cart_line AS c
      JOIN sku AS k ON k.sku = c.sku
      JOIN product AS p ON p.id = k.product_id
      JOIN stock AS s ON s.sku = c.sku
     WHERE c.account_id = $1
     ORDER BY c.sku";

#[derive(Debug, FromRow)]
pub(in crate::store) struct LineRow {
    account_id: Uuid,
    sku: String,
    quantity: i64,
    unit_price_minor: i64,
    currency: String,
}

#[derive(Debug, FromRow)]
pub(in crate::store) struct ShownRow {
    #[sqlx(flatten)]
    line: LineRow,
    price_now_minor: i64,
    currency_now: String,
    on_sale: bool,
    available: i64,
}

pub(in crate::store) fn shown(row: ShownRow) -> Result<ShownLine, StoreError> {
    let price_now = catalog::money(row.price_now_minor, row.currency_now)?;
    Ok(ShownLine {
        sku: sku(&row.line.sku)?,
        line: line(row.line)?,
        price_now: row.on_sale.then_some(price_now),
        available: row.available,
    })
}

pub(in crate::store) fn book(rows: Vec<LineRow>) -> Result<CartBook, StoreError> {
    let mut carts: BTreeMap<AccountId, Cart> = BTreeMap::new();
    for row in rows {
        let cart = carts.entry(AccountId::from_uuid(row.account_id)).or_default();
        cart.insert(sku(&row.sku)?, line(row)?);
    }
    Ok(CartBook::loaded(carts))
}

fn line(row: LineRow) -> Result<CartLine, StoreError> {
    Ok(CartLine {
        quantity: inventory::quantity(row.quantity)?,
        price: catalog::money(row.unit_price_minor, row.currency)?,
    })
}

/// Whose carts changed, and all their lines, each as rows; `None` where none did.
pub(in crate::store) fn changed(sheet: &Worksheet) -> Result<Option<(String, String)>, StoreError> {
    let changed: Vec<_> = sheet.carts.changed().collect();
    if changed.is_empty() {
        return Ok(None);
    }
    let accounts = listed(changed.iter().map(|(account, _)| hex(*account)))?;
    let lines = changed.into_iter().flat_map(|(account, cart)| {
        cart.iter().map(move |(sku, line)| {
            (hex(account), sku, line.quantity, line.price.minor, line.price.currency)
        })
    });
    Ok(Some((accounts, listed(lines)?)))
}
