//! Orders in PostgreSQL.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::inventory;
use crate::ids::{Id as _, OrderId};
use crate::orders::{Order, OrderBook, OrderLine, OrderState};
use crate::reach::Reach;
use crate::sku::Sku;
use crate::store::StoreError;
use crate::store::rows::orders::{WantedRow, within_reach};
use crate::worksheet::Worksheet;

/// The wanted orders, each for every reach it was wanted and is within, with their lines.
pub(super) const WANTED: &str = "
    SELECT o.id, o.account_id, o.state, o.total_minor, o.currency, o.created_at,
           o.expires_at, l.sku, l.quantity, l.unit_price_minor, w.place - 1 AS position
      FROM unnest($1::uuid[], $2::text[], $3::uuid[])
           WITH ORDINALITY AS w (id, reach, account_id, place)
      JOIN orders AS o ON o.id = w.id
      JOIN order_line AS l ON l.order_id = o.id
     WHERE CASE w.reach
           WHEN 'own' THEN o.account_id = w.account_id
           WHEN 'others' THEN o.account_id <> w.account_id
           WHEN 'any' THEN true
           END
     ORDER BY w.place, l.sku";

pub(super) const INSERT_ORDERS: &str = "
    INSERT INTO orders (id, account_id, state, total_minor, currency, created_at, expires_at)
    SELECT *
      FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[],
                  $7::bigint[])";

pub(super) const INSERT_LINES: &str = "
    INSERT INTO order_line (order_id, sku, quantity, unit_price_minor)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])";

pub(super) const END: &str = "
    UPDATE orders
       SET state = $2
     WHERE id = ANY ($1)
       AND state = 'pending_payment'";

/// SKUs that these orders hold, as it was before anything is locked.
pub(super) async fn held_skus(
    connection: &mut PgConnection,
    wanted: &BTreeSet<(OrderId, Reach)>,
) -> Result<BTreeSet<Sku>, StoreError> {
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let held = inventory::load_held(connection, wanted.iter().map(|(id, _)| *id)).await?;
    Ok(held.into_values().map(|hold| hold.sku).collect())
}

/// Orders that are wanted and within reach, and what they hold.
pub(super) async fn load(
    connection: &mut PgConnection,
    wanted: &BTreeSet<(OrderId, Reach)>,
) -> Result<OrderBook, StoreError> {
    if wanted.is_empty() {
        return Ok(OrderBook::default());
    }
    let ids: Vec<_> = wanted.iter().map(|(id, _)| id.uuid()).collect();
    let (words, accounts): (Vec<&str>, Vec<Option<Uuid>>) = wanted
        .iter()
        .map(|(_, reach)| match reach {
            Reach::Own(me) => ("own", Some(me.uuid())),
            Reach::Others(me) => ("others", Some(me.uuid())),
            Reach::Any => ("any", None),
        })
        .unzip();
    let found = sqlx::query_as(WANTED).bind(ids).bind(words).bind(accounts);
    let found: Vec<WantedRow> = found.fetch_all(&mut *connection).await?;
    let (orders, within) = within_reach(found, wanted)?;
    let holds = inventory::load_held(connection, orders.keys().copied()).await?;
    Ok(OrderBook::loaded(orders, within, holds))
}

pub(super) async fn save(
    connection: &mut PgConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let new = sheet.orders.new_orders();
    if !new.is_empty() {
        save_new(connection, new).await?;
        save_lines(connection, new).await?;
    }
    for state in [OrderState::Cancelled, OrderState::Expired] {
        let ended = sheet.orders.changed().filter(|(_, now)| *now == state);
        let ended: Vec<_> = ended.map(|(id, _)| id.uuid()).collect();
        if !ended.is_empty() {
            let end = sqlx::query(END).bind(ended).bind(state.as_str());
            end.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

async fn save_new(connection: &mut PgConnection, new: &[Order]) -> Result<(), StoreError> {
    let ids: Vec<_> = new.iter().map(|order| order.id.uuid()).collect();
    let accounts: Vec<_> = new.iter().map(|order| order.account.uuid()).collect();
    let states: Vec<_> = new.iter().map(|order| order.state.as_str()).collect();
    let totals: Vec<_> = new.iter().map(|order| order.total.minor).collect();
    let currencies: Vec<_> = new.iter().map(|order| order.total.currency.to_string()).collect();
    let created: Vec<_> = new.iter().map(|order| order.created_at.micros()).collect();
    let expiries: Vec<_> = new.iter().map(|order| order.expires_at.micros()).collect();
    let insert = sqlx::query(INSERT_ORDERS).bind(ids).bind(accounts).bind(states).bind(totals);
    insert.bind(currencies).bind(created).bind(expiries).execute(connection).await?;
    Ok(())
}

async fn save_lines(connection: &mut PgConnection, new: &[Order]) -> Result<(), StoreError> {
    let line = |order: &Order, line: &OrderLine| {
        (order.id.uuid(), line.sku.to_string(), line.quantity.units(), line.unit_price_minor)
    };
    let lines = new.iter().flat_map(|order| order.lines.iter().map(move |one| line(order, one)));
    let (ids, skus, quantities, prices): (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = lines.collect();
    let insert = sqlx::query(INSERT_LINES).bind(ids).bind(skus).bind(quantities).bind(prices);
    insert.execute(connection).await?;
    Ok(())
}
