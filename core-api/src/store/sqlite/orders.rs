//! Orders in SQLite. Whose orders are meant is part of every statement that reads them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{catalog, hex, inventory, rows};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, OrderId};
use crate::orders::{Order, OrderBook, OrderEvent, OrderLine, OrderMove, OrderState};
use crate::reach::Reach;
use crate::store::{Slice, StoreError};
use crate::worksheet::Worksheet;

/// The orders before `$1`, at most `$2`, among those a reach allows, with their lines.
macro_rules! list_where {
    ($reach:literal) => {
        concat!(
            "SELECT o.id, o.account_id, o.state, o.total_minor, o.currency, o.created_at,
                    o.expires_at, l.sku, l.quantity, l.unit_price_minor
               FROM (SELECT *
                       FROM orders
                      WHERE id < $1 AND ",
            $reach,
            " ORDER BY id DESC
                      LIMIT $2) AS o
               JOIN order_line AS l ON l.order_id = o.id
              ORDER BY o.id DESC, l.sku"
        )
    };
}

const LIST_OWN: &str = list_where!("account_id = $3");
const LIST_OTHERS: &str = list_where!("account_id <> $3");
const LIST_ANY: &str = list_where!("true");

/// The order `$1`, if a reach allows it, with its lines.
macro_rules! find_where {
    ($reach:literal) => {
        concat!(
            "SELECT o.id, o.account_id, o.state, o.total_minor, o.currency, o.created_at,
                    o.expires_at, l.sku, l.quantity, l.unit_price_minor
               FROM orders AS o
               JOIN order_line AS l ON l.order_id = o.id
              WHERE o.id = $1 AND ",
            $reach,
            " ORDER BY l.sku"
        )
    };
}

const FIND_OWN: &str = find_where!("o.account_id = $2");
const FIND_OTHERS: &str = find_where!("o.account_id <> $2");
const FIND_ANY: &str = find_where!("true");

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

const EVENTS: &str = "
    SELECT from_state, to_state, account_id, created_at
      FROM order_event
     WHERE order_id = $1";

/// One line together with its order.
#[derive(Debug, FromRow)]
struct LineRow {
    id: Uuid,
    account_id: Uuid,
    state: String,
    total_minor: i64,
    currency: String,
    created_at: i64,
    expires_at: i64,
    sku: String,
    quantity: u32,
    unit_price_minor: i64,
}

/// One line of an order that was wanted, and where it was wanted.
#[derive(Debug, FromRow)]
struct WantedRow {
    #[sqlx(flatten)]
    line: LineRow,
    position: u32,
}

pub(super) async fn list(
    readers: &SqlitePool,
    reach: Reach,
    slice: &Slice<OrderId>,
) -> Result<Vec<Order>, StoreError> {
    let before = slice.after.map_or(Uuid::max(), Id::uuid);
    let list = |statement| sqlx::query_as(statement).bind(before).bind(slice.limit);
    let found = match reach {
        Reach::Own(me) => list(LIST_OWN).bind(me.uuid()),
        Reach::Others(me) => list(LIST_OTHERS).bind(me.uuid()),
        Reach::Any => list(LIST_ANY),
    };
    gather(found.fetch_all(readers).await?)
}

pub(super) async fn find(
    readers: &SqlitePool,
    reach: Reach,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    let find = |statement| sqlx::query_as(statement).bind(id.uuid());
    let found = match reach {
        Reach::Own(me) => find(FIND_OWN).bind(me.uuid()),
        Reach::Others(me) => find(FIND_OTHERS).bind(me.uuid()),
        Reach::Any => find(FIND_ANY),
    };
    Ok(gather(found.fetch_all(readers).await?)?.pop())
}

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
    let wanted: Vec<_> = wanted.iter().copied().collect();
    let within = found
        .iter()
        .filter_map(|row| wanted.get(usize::try_from(row.position).ok()?).copied())
        .collect();
    let found = gather(found.into_iter().map(|row| row.line).collect())?;
    let orders: BTreeMap<_, _> = found.into_iter().map(|order| (order.id, order)).collect();
    let holds = inventory::load_held(connection, orders.keys()).await?;
    Ok(OrderBook::loaded(orders, within, holds))
}

/// Rows of one order follow one another.
fn gather(rows: Vec<LineRow>) -> Result<Vec<Order>, StoreError> {
    let mut orders: Vec<Order> = Vec::new();
    for row in rows {
        let line = OrderLine {
            sku: super::sku(&row.sku)?,
            quantity: inventory::quantity(row.quantity)?,
            unit_price_minor: row.unit_price_minor,
        };
        match orders.last_mut() {
            Some(last) if last.id.uuid() == row.id => last.lines.push(line),
            _ => orders.push(order(row, line)?),
        }
    }
    Ok(orders)
}

fn order(row: LineRow, first: OrderLine) -> Result<Order, StoreError> {
    Ok(Order {
        id: OrderId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        state: state(&row.state)?,
        lines: vec![first],
        total: catalog::money(row.total_minor, row.currency)?,
        created_at: Timestamp::from_micros(row.created_at),
        expires_at: Timestamp::from_micros(row.expires_at),
    })
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
    // An order may move twice in a batch; what counts is where it stood and where it stands.
    let mut ends: BTreeMap<OrderId, (OrderState, OrderState)> = BTreeMap::new();
    for one in moves {
        ends.entry(one.order).or_insert((one.from, one.to)).1 = one.to;
    }
    let ends = rows(ends.iter().map(|(id, (from, to))| (hex(*id), from.as_str(), to.as_str())))?;
    sqlx::query(MOVE).bind(ends).execute(&mut *connection).await?;
    let row =
        |one: &OrderMove| (hex(one.order), one.from.as_str(), one.to.as_str(), one.actor.map(hex));
    let events = rows(moves.iter().map(row))?;
    let insert = sqlx::query(INSERT_EVENTS).bind(events).bind(sheet.now.micros());
    insert.execute(connection).await?;
    Ok(())
}

/// Every move of an order, in its order.
pub(super) async fn events(
    readers: &SqlitePool,
    id: OrderId,
) -> Result<Vec<OrderEvent>, StoreError> {
    let found: Vec<(String, String, Option<Uuid>, i64)> =
        sqlx::query_as(EVENTS).bind(id.uuid()).fetch_all(readers).await?;
    let mut events = Vec::with_capacity(found.len());
    for (from, to, actor, at) in found {
        events.push(OrderEvent {
            from: state(&from)?,
            to: state(&to)?,
            actor: actor.map(AccountId::from_uuid),
            at: Timestamp::from_micros(at),
        });
    }
    Ok(in_order(events))
}

/// Two moves may have one time, but each begins where the one before it ended.
fn in_order(mut events: Vec<OrderEvent>) -> Vec<OrderEvent> {
    let (mut ordered, mut at) = (Vec::with_capacity(events.len()), OrderState::PendingPayment);
    while let Some(next) = events.iter().position(|event| event.from == at) {
        let event = events.swap_remove(next);
        at = event.to;
        ordered.push(event);
    }
    ordered
}

fn state(word: &str) -> Result<OrderState, StoreError> {
    let state = OrderState::ALL.into_iter().find(|state| state.as_str() == word);
    state.ok_or(StoreError::Unreadable("order state"))
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
