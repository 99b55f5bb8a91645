//! Stock, holds and the ledger.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{catalog, sku};
use crate::clock::Timestamp;
use crate::ids::{Id, MovementId, OrderId, ReservationId};
use crate::inventory::{Entry, Hold, Holds, MovementKind, Quantity, Shelf, StockLevel};
use crate::money::Money;
use crate::sku::Sku;
use crate::store::StoreError;

pub(in crate::store) const STOCK: &str = "
    SELECT sku, on_hand, reserved
      FROM stock
     WHERE sku > $1
     ORDER BY sku
     LIMIT $2";

pub(in crate::store) const HAS_MOVED: &str = "
    SELECT EXISTS (SELECT 1 FROM stock_movement WHERE sku = $1)";

pub(in crate::store) const IS_STOCKED: &str = "
    SELECT EXISTS (SELECT 1 FROM stock WHERE sku = $1)";

pub(in crate::store) const MOVEMENTS: &str = "
    SELECT m.id, m.kind, m.quantity, m.on_hand_change, m.reserved_change, m.reservation_id,
           r.order_id, m.note, m.reason, m.created_at
      FROM stock_movement AS m
      LEFT JOIN reservation AS r ON r.id = m.reservation_id
     WHERE m.sku = $1
       AND m.id < $2
     ORDER BY m.id DESC
     LIMIT $3";

#[derive(Debug, FromRow)]
pub(in crate::store) struct EntryRow {
    id: Uuid,
    kind: String,
    quantity: i64,
    on_hand_change: i64,
    reserved_change: i64,
    reservation_id: Option<Uuid>,
    order_id: Option<Uuid>,
    note: Option<String>,
    reason: Option<String>,
    created_at: i64,
}

pub(in crate::store) fn entry(row: EntryRow) -> Result<Entry, StoreError> {
    let kind = MovementKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
    Ok(Entry {
        id: MovementId::from_uuid(row.id),
        kind: kind.ok_or(StoreError::Unreadable("movement kind"))?,
        quantity: quantity(row.quantity)?,
        on_hand_change: row.on_hand_change,
        reserved_change: row.reserved_change,
        reservation: row.reservation_id.map(ReservationId::from_uuid),
        order: row.order_id.map(OrderId::from_uuid),
        note: row.note,
        reason: row.reason,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

#[derive(Debug, FromRow)]
pub(in crate::store) struct HoldRow {
    id: Uuid,
    order_id: Uuid,
    sku: String,
    quantity: i64,
    expires_at: i64,
}

pub(in crate::store) fn holds(rows: Vec<HoldRow>) -> Result<Holds, StoreError> {
    let hold = |row: HoldRow| {
        let hold = Hold {
            id: ReservationId::from_uuid(row.id),
            order: OrderId::from_uuid(row.order_id),
            sku: sku(&row.sku)?,
            quantity: quantity(row.quantity)?,
            expires_at: Timestamp::from_micros(row.expires_at),
        };
        Ok((hold.id, hold))
    };
    rows.into_iter().map(hold).collect()
}

pub(in crate::store) fn quantity(units: i64) -> Result<Quantity, StoreError> {
    let units = u32::try_from(units).map_err(|_| StoreError::Unreadable("quantity"))?;
    Quantity::try_from(units).map_err(|_| StoreError::Unreadable("quantity"))
}

/// Stock of one SKU, and what it costs; the price counts only while it is on sale.
#[derive(Debug, FromRow)]
pub(in crate::store) struct ShelfRow {
    sku: String,
    on_hand: i64,
    reserved: i64,
    price_minor: i64,
    currency: String,
    on_sale: bool,
}

pub(in crate::store) fn shelf(
    rows: Vec<ShelfRow>,
) -> Result<(Shelf, BTreeMap<Sku, Money>), StoreError> {
    let (mut levels, mut prices) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let name = sku(&row.sku)?;
        if row.on_sale {
            prices.insert(name.clone(), catalog::money(row.price_minor, row.currency)?);
        }
        levels.insert(name, StockLevel { on_hand: row.on_hand, reserved: row.reserved });
    }
    Ok((Shelf::loaded(levels), prices))
}
