//! Stock, holds and the ledger in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::compound::Compound;
use crate::clock::Timestamp;
use crate::ids::{Id as _, OrderId};
use crate::inventory::{Hold, HoldStep, Holds, Movement, Shelf};
use crate::money::Money;
use crate::sku::Sku;
use crate::store::StoreError;
use crate::store::rows::inventory::{holds, shelf};
use crate::worksheet::Worksheet;

/// What orders hold.
pub(super) const HELD: &str = "
    SELECT id, order_id, sku, quantity, expires_at
      FROM reservation
     WHERE order_id = ANY ($1)
       AND state IN ('pending', 'committed')
     ORDER BY sku, id";

/// All holds of at most 1000 orders that hold one of these SKUs for too long.
pub(super) const DUE: &str = "
    SELECT id, order_id, sku, quantity, expires_at
      FROM reservation
     WHERE state = 'pending'
       AND order_id IN
           (SELECT order_id
              FROM reservation
             WHERE sku = ANY ($1)
               AND state = 'pending'
               AND expires_at <= $2
             LIMIT 1000)
     ORDER BY sku, expires_at, id";

/// All holds of at most 1000 orders that hold anything for too long.
pub(super) const ALL_DUE: &str = "
    SELECT id, order_id, sku, quantity, expires_at
      FROM reservation
     WHERE state = 'pending'
       AND order_id IN
           (SELECT order_id
              FROM reservation
             WHERE state = 'pending'
               AND expires_at <= $1
             ORDER BY expires_at
             LIMIT 1000)
     ORDER BY sku, expires_at, id";

/// INVARIANT: rows are locked in SKU order, so two writers never wait for each other in a circle.
/// What a SKU costs counts only while its product is on sale.
pub(super) const LOCK_SHELF: &str = "
    SELECT s.sku, s.on_hand, s.reserved, k.price_minor, k.currency, k.low_at,
           p.deleted_at IS NULL AS on_sale
      FROM stock AS s
      JOIN sku AS k ON k.sku = s.sku
      JOIN product AS p ON p.id = k.product_id
     WHERE s.sku = ANY ($1)
     ORDER BY s.sku
       FOR NO KEY UPDATE OF s";

pub(super) const SET_STOCK: &str = "
    UPDATE stock AS s
       SET on_hand = w.on_hand,
           reserved = w.reserved
      FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS w (sku, on_hand, reserved)
     WHERE s.sku = w.sku";

pub(super) const SET_LOW_AT: &str = "
    UPDATE sku
       SET low_at = w.low_at
      FROM unnest($1::text[], $2::bigint[]) AS w (sku, low_at)
     WHERE sku.sku = w.sku";

pub(super) const OPEN_STOCK: &str = "
    INSERT INTO stock (sku, on_hand, reserved)
    SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])";

pub(super) const INSERT_MOVEMENTS: &str = "
    INSERT INTO stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                                reservation_id, account_id, note, reason, created_at)
    SELECT *, $11::bigint
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[],
                  $7::uuid[], $8::uuid[], $9::text[], $10::text[])";

pub(super) const INSERT_HOLDS: &str = "
    INSERT INTO reservation (id, order_id, sku, quantity, expires_at, state)
    SELECT *, 'pending'
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[])";

pub(super) const END_HOLDS: &str = "
    UPDATE reservation
       SET state = $2
     WHERE id = ANY ($1)
       AND state = 'pending'";

/// Due holds of these SKUs' orders.
pub(super) async fn load_due(
    connection: &mut PgConnection,
    skus: &BTreeSet<Sku>,
    now: Timestamp,
) -> Result<Holds, StoreError> {
    if skus.is_empty() {
        return Ok(Holds::new());
    }
    let skus: Vec<_> = skus.iter().map(Sku::as_str).collect();
    holds(sqlx::query_as(DUE).bind(skus).bind(now.micros()).fetch_all(connection).await?)
}

/// Due holds, of whatever SKU.
pub(super) async fn load_all_due(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<Holds, StoreError> {
    holds(sqlx::query_as(ALL_DUE).bind(now.micros()).fetch_all(connection).await?)
}

/// What these orders hold.
pub(super) async fn load_held(
    connection: &mut PgConnection,
    orders: impl Iterator<Item = OrderId>,
) -> Result<Holds, StoreError> {
    let orders: Vec<_> = orders.map(|id| id.uuid()).collect();
    holds(sqlx::query_as(HELD).bind(orders).fetch_all(connection).await?)
}

/// Stock and price of these SKUs; the stock is this transaction's until it ends.
pub(super) async fn lock_shelf(
    connection: &mut PgConnection,
    skus: &BTreeSet<Sku>,
) -> Result<(Shelf, BTreeMap<Sku, Money>), StoreError> {
    if skus.is_empty() {
        return Ok((Shelf::default(), BTreeMap::new()));
    }
    let skus: Vec<_> = skus.iter().map(Sku::as_str).collect();
    shelf(sqlx::query_as(LOCK_SHELF).bind(skus).fetch_all(connection).await?)
}

/// Levels, the ledger and new holds.
pub(super) fn save(compound: &mut Compound, sheet: &Worksheet) -> Result<(), StoreError> {
    save_levels(compound, &sheet.shelf)?;
    save_movements(compound, sheet)?;
    save_new_holds(compound, &sheet.new.holds)
}

fn save_levels(compound: &mut Compound, shelf: &Shelf) -> Result<(), StoreError> {
    let (opened, changed): (Vec<_>, Vec<_>) =
        shelf.changed().partition(|(sku, _)| shelf.is_opened(sku));
    for (statement, levels) in [(OPEN_STOCK, opened), (SET_STOCK, changed)] {
        if levels.is_empty() {
            continue;
        }
        let skus: Vec<_> = levels.iter().map(|(sku, _)| sku.as_str()).collect();
        let on_hand: Vec<_> = levels.iter().map(|(_, level)| level.on_hand).collect();
        let reserved: Vec<_> = levels.iter().map(|(_, level)| level.reserved).collect();
        let part = compound.part(statement, levels.len());
        part.bind(skus)?.bind(on_hand)?.bind(reserved)?;
    }
    Ok(())
}

pub(super) async fn save_thresholds(
    connection: &mut PgConnection,
    shelf: &Shelf,
) -> Result<(), StoreError> {
    let (skus, low_at): (Vec<_>, Vec<Option<i64>>) =
        shelf.thresholds().map(|(sku, units)| (sku.as_str(), units.map(i64::from))).unzip();
    if !skus.is_empty() {
        sqlx::query(SET_LOW_AT).bind(skus).bind(low_at).execute(connection).await?;
    }
    Ok(())
}

fn save_movements(compound: &mut Compound, sheet: &Worksheet) -> Result<(), StoreError> {
    let movements = sheet.shelf.movements();
    if movements.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = movements.iter().map(|one| one.id.uuid()).collect();
    let skus: Vec<_> = movements.iter().map(|one| one.sku.as_str()).collect();
    let kinds: Vec<_> = movements.iter().map(|one| one.kind().as_str()).collect();
    let quantities: Vec<_> = movements.iter().map(Movement::quantity).collect();
    let (on_hand, reserved): (Vec<_>, Vec<_>) = movements.iter().map(Movement::changes).unzip();
    let hold = |one: &Movement| one.hold().map(|id| id.uuid());
    let holds: Vec<Option<Uuid>> = movements.iter().map(hold).collect();
    let account = |one: &Movement| one.account.map(|id| id.uuid());
    let accounts: Vec<Option<Uuid>> = movements.iter().map(account).collect();
    let notes: Vec<Option<&str>> =
        movements.iter().map(|one| one.note().map(|note| note.as_str())).collect();
    let reasons: Vec<Option<&str>> =
        movements.iter().map(|one| one.reason().map(|reason| reason.as_str())).collect();
    let part = compound.part(INSERT_MOVEMENTS, movements.len());
    let part = part.bind(ids)?.bind(skus)?.bind(kinds)?.bind(quantities)?;
    let part = part.bind(on_hand)?.bind(reserved)?.bind(holds)?.bind(accounts)?;
    part.bind(notes)?.bind(reasons)?.bind(sheet.now.micros())?;
    Ok(())
}

fn save_new_holds(compound: &mut Compound, new: &[Hold]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = new.iter().map(|hold| hold.id.uuid()).collect();
    let orders: Vec<_> = new.iter().map(|hold| hold.order.uuid()).collect();
    let skus: Vec<_> = new.iter().map(|hold| hold.sku.as_str()).collect();
    let quantities: Vec<_> = new.iter().map(|hold| hold.quantity.units()).collect();
    let expiries: Vec<_> = new.iter().map(|hold| hold.expires_at.micros()).collect();
    let part = compound.part(INSERT_HOLDS, new.len()).bind(ids)?.bind(orders)?.bind(skus)?;
    part.bind(quantities)?.bind(expiries)?;
    Ok(())
}

pub(super) async fn end_holds(
    connection: &mut PgConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let ends = [
        (HoldStep::Release, "released"),
        (HoldStep::Expire, "expired"),
        (HoldStep::Commit, "committed"),
    ];
    for (step, state) in ends {
        let ended = sheet.ended.iter().filter(|(_, how)| *how == step);
        let ids: Vec<_> = ended.map(|(id, _)| id.uuid()).collect();
        if !ids.is_empty() {
            let end = sqlx::query(END_HOLDS).bind(ids).bind(state);
            end.execute(&mut *connection).await?;
        }
    }
    Ok(())
}
