//! Orders in SQLite.

use std::collections::BTreeSet;

use sqlx::SqliteConnection;

use super::{hex, inventory, rows};
use crate::ids::OrderId;
use crate::orders::{Order, OrderBook, OrderMove};
use crate::reach::Reach;
use crate::store::StoreError;
use crate::store::rows::orders::{WantedRow, ends, within_reach};
use crate::worksheet::Worksheet;

/// The wanted orders, each for every reach it was wanted and is within, with their lines.
const WANTED: &str = "
    SELECT o.id, o.account_id, o.state, o.total_minor, o.currency, o.created_at,
           o.expires_at, l.sku, l.quantity, l.unit_price_minor, w.key AS position
      FROM json_each($1) AS w
     CROSS JOIN orders AS o
     CROSS JOIN order_line AS l
     WHERE o.id = unhex(w.value ->> 0)
       AND l.order_id = o.id
       AND CASE w.value ->> 1
           WHEN 'own' THEN o.account_id = unhex(w.value ->> 2)
           WHEN 'others' THEN o.account_id <> unhex(w.value ->> 2)
           WHEN 'any' THEN true
           END
     ORDER BY position, l.sku";

const INSERT_ORDERS: &str = "
    INSERT INTO orders (id, account_id, state, total_minor, currency, created_at, expires_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4,
           value ->> 5, value ->> 6
      FROM json_each($1)";

const INSERT_LINES: &str = "
    INSERT INTO order_line (order_id, sku, quantity, unit_price_minor)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3
      FROM json_each($1)";

/// Only from where the batch found it.
const MOVE: &str = "
    UPDATE orders
       SET state = w.value ->> 2
      FROM json_each($1) AS w
     WHERE orders.id = unhex(w.value ->> 0)
       AND orders.state = w.value ->> 1";

const INSERT_EVENTS: &str = "
    INSERT INTO order_event (order_id, from_state, to_state, account_id, created_at)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), $2
      FROM json_each($1)";

/// Orders that are wanted and within reach, and what they hold.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &BTreeSet<(OrderId, Reach)>,
) -> Result<OrderBook, StoreError> {
    if wanted.is_empty() {
        return Ok(OrderBook::default());
    }
    let names = rows(wanted.iter().map(|(id, reach)| {
        let (word, account) = match reach {
            Reach::Own(me) => ("own", Some(hex(*me))),
            Reach::Others(me) => ("others", Some(hex(*me))),
            Reach::Any => ("any", None),
        };
        (hex(*id), word, account)
    }))?;
    let found: Vec<WantedRow> =
        sqlx::query_as(WANTED).bind(names).fetch_all(&mut *connection).await?;
    let (orders, within) = within_reach(found, wanted)?;
    let holds = inventory::load_held(connection, orders.keys()).await?;
    Ok(OrderBook::loaded(orders, within, holds))
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let new = sheet.orders.new_orders();
    if !new.is_empty() {
        let orders = rows(new.iter().map(order_row))?;
        sqlx::query(INSERT_ORDERS).bind(orders).execute(&mut *connection).await?;
        let lines = rows(new.iter().flat_map(line_rows))?;
        sqlx::query(INSERT_LINES).bind(lines).execute(&mut *connection).await?;
    }
    save_moves(connection, sheet).await
}

async fn save_moves(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let moves = sheet.orders.moves();
    if moves.is_empty() {
        return Ok(());
    }
    let ends = ends(moves);
    let ends = rows(ends.iter().map(|(id, (from, to))| (hex(*id), from.as_str(), to.as_str())))?;
    sqlx::query(MOVE).bind(ends).execute(&mut *connection).await?;
    let row =
        |one: &OrderMove| (hex(one.order), one.from.as_str(), one.to.as_str(), one.actor.map(hex));
    let events = rows(moves.iter().map(row))?;
    let insert = sqlx::query(INSERT_EVENTS).bind(events).bind(sheet.now.micros());
    insert.execute(connection).await?;
    Ok(())
}

fn order_row(order: &Order) -> impl serde::Serialize {
    (
        hex(order.id),
        hex(order.account),
        order.state.as_str(),
        order.total.minor,
        order.total.currency,
        order.created_at,
        order.expires_at,
    )
}

fn line_rows(order: &Order) -> impl Iterator<Item = impl serde::Serialize> {
    let id = hex(order.id);
    order
        .lines
        .iter()
        .map(move |line| (id.clone(), line.sku.clone(), line.quantity, line.unit_price_minor))
}
