//! Stock, holds and the ledger.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{catalog, orders, sku};
use crate::clock::Timestamp;
use crate::ids::{Id, MovementId, OrderId, ReservationId};
use crate::inventory::{
    Entry, Hold, Holds, Loser, MovementKind, Quantity, Shelf, StockLevel, Stocked, Units,
};
use crate::money::Money;
use crate::sku::Sku;
use crate::store::StoreError;

/// `$3` is the threshold of those that have none of their own.
pub(in crate::store) const STOCK: &str = "
    SELECT s.sku, s.on_hand, s.reserved, coalesce(k.low_at, $3) AS low_at
      FROM stock AS s
      LEFT JOIN sku AS k ON k.sku = s.sku
     WHERE s.sku > $1
     ORDER BY s.sku
     LIMIT $2";

pub(in crate::store) const LOW_STOCK: &str = "
    SELECT s.sku, s.on_hand, s.reserved, coalesce(k.low_at, $3) AS low_at
      FROM stock AS s
      LEFT JOIN sku AS k ON k.sku = s.sku
     WHERE s.sku > $1
       AND s.on_hand - s.reserved <= coalesce(k.low_at, $3)
     ORDER BY s.sku
     LIMIT $2";

/// Ids of orders rise with time.
pub(in crate::store) const HOLDERS: &str = "
    SELECT r.order_id, o.state, r.quantity, r.expires_at
      FROM reservation AS r
      JOIN orders AS o ON o.id = r.order_id
     WHERE r.sku = $1
       AND r.state = 'pending'
     ORDER BY r.order_id DESC
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
pub(in crate::store) struct StockedRow {
    sku: String,
    on_hand: i64,
    reserved: i64,
    low_at: Option<i64>,
}

pub(in crate::store) fn stocked(row: &StockedRow) -> Result<Stocked, StoreError> {
    Ok(Stocked {
        sku: sku(&row.sku)?,
        level: StockLevel { on_hand: row.on_hand, reserved: row.reserved },
        low_at: row.low_at.map(units).transpose()?,
    })
}

#[derive(Debug, FromRow)]
pub(in crate::store) struct LoserRow {
    order_id: Uuid,
    state: String,
    quantity: i64,
    expires_at: i64,
}

pub(in crate::store) fn loser(row: &LoserRow) -> Result<Loser, StoreError> {
    Ok(Loser {
        order: OrderId::from_uuid(row.order_id),
        state: orders::state(&row.state)?,
        quantity: quantity(row.quantity)?,
        expires_at: Timestamp::from_micros(row.expires_at),
    })
}

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
        quantity: row.quantity,
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

fn units(units: i64) -> Result<Units, StoreError> {
    Units::try_from(units).map_err(|_| StoreError::Unreadable("threshold"))
}

/// Stock of one SKU, and what it costs; the price counts only while it is on sale.
#[derive(Debug, FromRow)]
pub(in crate::store) struct ShelfRow {
    sku: String,
    on_hand: i64,
    reserved: i64,
    price_minor: i64,
    currency: String,
    low_at: Option<i64>,
    on_sale: bool,
}

pub(in crate::store) fn shelf(
    rows: Vec<ShelfRow>,
) -> Result<(Shelf, BTreeMap<Sku, Money>), StoreError> {
    let (mut levels, mut prices, mut low_at) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for row in rows {
        let name = sku(&row.sku)?;
        if row.on_sale {
            prices.insert(name.clone(), catalog::money(row.price_minor, row.currency)?);
        }
        if let Some(threshold) = row.low_at {
            low_at.insert(name.clone(), units(threshold)?);
        }
        levels.insert(name, StockLevel { on_hand: row.on_hand, reserved: row.reserved });
    }
    Ok((Shelf::loaded(levels, low_at), prices))
}
