//! Stock, holds and the ledger in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use super::{hex, rows};
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::inventory::{Hold, HoldStep, Holds, Movement, Shelf};
use crate::money::Money;
use crate::sku::Sku;
use crate::store::StoreError;
use crate::store::rows::inventory::{holds, shelf};
use crate::worksheet::Worksheet;

/// What is held for orders, or was taken for them.
const HELD: &str = "
    SELECT r.id, r.order_id, r.sku, r.quantity, r.expires_at
      FROM json_each($1) AS w
     CROSS JOIN reservation AS r
     WHERE r.order_id = unhex(w.value)
       AND r.state IN ('pending', 'committed')
     ORDER BY r.sku, r.id";

/// All holds of at most 1000 orders that hold one of these SKUs for too long.
const DUE: &str = "
    SELECT id, order_id, sku, quantity, expires_at
      FROM reservation
     WHERE state = 'pending'
       AND order_id IN
           (SELECT d.order_id
              FROM json_each($1) AS w
             CROSS JOIN reservation AS d
             WHERE d.sku = w.value
               AND d.state = 'pending'
               AND d.expires_at <= $2
             LIMIT 1000)
     ORDER BY sku, expires_at, id";

/// All holds of at most 1000 orders that hold anything for too long.
const ALL_DUE: &str = "
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

/// What a SKU costs counts only while its product is on sale.
const SHELF: &str = "
    SELECT s.sku, s.on_hand, s.reserved, k.price_minor, k.currency, k.low_at,
           p.deleted_at IS NULL AS on_sale
      FROM json_each($1) AS w
     CROSS JOIN stock AS s
     CROSS JOIN sku AS k
     CROSS JOIN product AS p
     WHERE s.sku = w.value
       AND k.sku = s.sku
       AND p.id = k.product_id";

const SET_STOCK: &str = "
    INSERT INTO stock (sku, on_hand, reserved)
    SELECT value ->> 0, value ->> 1, value ->> 2
      FROM json_each($1)
     WHERE true
        ON CONFLICT (sku) DO UPDATE
       SET on_hand = excluded.on_hand,
           reserved = excluded.reserved";

const SET_LOW_AT: &str = "
    UPDATE sku
       SET low_at = w.value ->> 1
      FROM json_each($1) AS w
     WHERE sku.sku = w.value ->> 0";

const INSERT_MOVEMENTS: &str = "
    INSERT INTO stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                                reservation_id, account_id, note, reason, created_at)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5,
           unhex(value ->> 6), unhex(value ->> 7), value ->> 8, value ->> 9, $2
      FROM json_each($1)";

const INSERT_HOLDS: &str = "
    INSERT INTO reservation (id, order_id, sku, quantity, state, expires_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, 'pending',
           value ->> 4
      FROM json_each($1)";

const END_HOLDS: &str = "
    UPDATE reservation
       SET state = $2
     WHERE id IN (SELECT unhex(value) FROM json_each($1))
       AND state = 'pending'";

/// Due holds of these SKUs' orders.
pub(super) async fn load_due(
    connection: &mut SqliteConnection,
    skus: &BTreeSet<Sku>,
    now: Timestamp,
) -> Result<Holds, StoreError> {
    if skus.is_empty() {
        return Ok(Holds::new());
    }
    let found = sqlx::query_as(DUE).bind(rows(skus.iter())?).bind(now.micros());
    holds(found.fetch_all(connection).await?)
}

/// Due holds, of whatever SKU.
pub(super) async fn load_all_due(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<Holds, StoreError> {
    holds(sqlx::query_as(ALL_DUE).bind(now.micros()).fetch_all(connection).await?)
}

/// What is held for these orders, or was taken for them.
pub(super) async fn load_held(
    connection: &mut SqliteConnection,
    orders: impl Iterator<Item = &OrderId>,
) -> Result<Holds, StoreError> {
    let orders = rows(orders.map(|id| hex(*id)))?;
    holds(sqlx::query_as(HELD).bind(orders).fetch_all(connection).await?)
}

/// Stock and price of these SKUs. SQLite locks no rows: the transaction holds the one lock.
pub(super) async fn load_shelf(
    connection: &mut SqliteConnection,
    skus: &BTreeSet<Sku>,
) -> Result<(Shelf, BTreeMap<Sku, Money>), StoreError> {
    if skus.is_empty() {
        return Ok((Shelf::default(), BTreeMap::new()));
    }
    shelf(sqlx::query_as(SHELF).bind(rows(skus.iter())?).fetch_all(connection).await?)
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let thresholds: Vec<_> = sheet.shelf.thresholds().collect();
    if !thresholds.is_empty() {
        let set = sqlx::query(SET_LOW_AT).bind(rows(thresholds.into_iter())?);
        set.execute(&mut *connection).await?;
    }
    let levels: Vec<_> = sheet.shelf.changed().collect();
    if levels.is_empty() {
        return Ok(());
    }
    let levels = rows(levels.into_iter().map(|(sku, level)| (sku, level.on_hand, level.reserved)))?;
    sqlx::query(SET_STOCK).bind(levels).execute(&mut *connection).await?;
    save_movements(connection, sheet).await?;
    save_holds(connection, sheet).await
}

async fn save_movements(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    if sheet.shelf.movements().is_empty() {
        return Ok(());
    }
    let movements = rows(sheet.shelf.movements().iter().map(movement_row))?;
    let insert = sqlx::query(INSERT_MOVEMENTS).bind(movements).bind(sheet.now.micros());
    insert.execute(connection).await?;
    Ok(())
}

fn movement_row(movement: &Movement) -> impl serde::Serialize {
    let (on_hand_change, reserved_change) = movement.changes();
    (
        hex(movement.id),
        movement.sku.clone(),
        movement.kind().as_str(),
        movement.quantity(),
        on_hand_change,
        reserved_change,
        movement.hold().map(hex),
        movement.account.map(hex),
        movement.note().cloned(),
        movement.reason().cloned(),
    )
}

async fn save_holds(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    if !sheet.new.holds.is_empty() {
        let row = |hold: &Hold| {
            (hex(hold.id), hex(hold.order), hold.sku.clone(), hold.quantity, hold.expires_at)
        };
        let holds = rows(sheet.new.holds.iter().map(row))?;
        sqlx::query(INSERT_HOLDS).bind(holds).execute(&mut *connection).await?;
    }
    let ends = [
        (HoldStep::Release, "released"),
        (HoldStep::Expire, "expired"),
        (HoldStep::Commit, "committed"),
    ];
    for (step, state) in ends {
        let ended = sheet.ended.iter().filter(|(_, how)| *how == step);
        let ids: Vec<_> = ended.map(|(id, _)| hex(*id)).collect();
        if !ids.is_empty() {
            let end = sqlx::query(END_HOLDS).bind(rows(ids.into_iter())?).bind(state);
            end.execute(&mut *connection).await?;
        }
    }
    Ok(())
}
