//! Orders in PostgreSQL.

use std::collections::BTreeSet;

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::compound::Compound;
use super::inventory;
use crate::ids::{Id as _, OrderId};
use crate::orders::{Order, OrderBook, OrderLine, OrderMove};
use crate::reach::Reach;
use crate::sku::Sku;
use crate::store::StoreError;
use crate::store::rows;
use crate::store::rows::orders::{WantedRow, ends, within_reach};

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

/// Only from where the batch found it.
pub(super) const MOVE: &str = "
    UPDATE orders
       SET state = w.to_state
      FROM unnest($1::uuid[], $2::text[], $3::text[]) AS w (id, from_state, to_state)
     WHERE orders.id = w.id
       AND orders.state = w.from_state";

pub(super) const INSERT_EVENTS: &str = "
    INSERT INTO order_event (order_id, from_state, to_state, account_id, created_at)
    SELECT *, $5::bigint FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])";

/// SKUs of orders.
pub(super) const SKUS: &str = "
    SELECT DISTINCT sku FROM order_line WHERE order_id = ANY ($1)";

/// SKUs of these orders. An order's lines never change.
pub(super) async fn skus(
    connection: &mut PgConnection,
    wanted: &BTreeSet<(OrderId, Reach)>,
) -> Result<BTreeSet<Sku>, StoreError> {
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let ids: Vec<_> = wanted.iter().map(|(id, _)| id.uuid()).collect();
    let found: Vec<String> = sqlx::query_scalar(SKUS).bind(ids).fetch_all(connection).await?;
    found.iter().map(|name| rows::sku(name)).collect()
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

pub(super) fn save_new(compound: &mut Compound, new: &[Order]) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    save_orders(compound, new)?;
    save_lines(compound, new)
}

pub(super) async fn save_moves(
    connection: &mut PgConnection,
    moves: &[OrderMove],
    now: i64,
) -> Result<(), StoreError> {
    if moves.is_empty() {
        return Ok(());
    }
    let ends = ends(moves);
    let ids: Vec<_> = ends.keys().map(|id| id.uuid()).collect();
    let from: Vec<_> = ends.values().map(|(from, _)| from.as_str()).collect();
    let to: Vec<_> = ends.values().map(|(_, to)| to.as_str()).collect();
    let update = sqlx::query(MOVE).bind(ids).bind(from).bind(to);
    update.execute(&mut *connection).await?;
    let ids: Vec<_> = moves.iter().map(|one| one.order.uuid()).collect();
    let from: Vec<_> = moves.iter().map(|one| one.from.as_str()).collect();
    let to: Vec<_> = moves.iter().map(|one| one.to.as_str()).collect();
    let actors: Vec<Option<Uuid>> = moves.iter().map(|one| one.actor.map(|id| id.uuid())).collect();
    let insert = sqlx::query(INSERT_EVENTS).bind(ids).bind(from).bind(to).bind(actors);
    insert.bind(now).execute(connection).await?;
    Ok(())
}

fn save_orders(compound: &mut Compound, new: &[Order]) -> Result<(), StoreError> {
    let ids: Vec<_> = new.iter().map(|order| order.id.uuid()).collect();
    let accounts: Vec<_> = new.iter().map(|order| order.account.uuid()).collect();
    let states: Vec<_> = new.iter().map(|order| order.state.as_str()).collect();
    let totals: Vec<_> = new.iter().map(|order| order.total.minor).collect();
    let currencies: Vec<_> = new.iter().map(|order| order.total.currency.to_string()).collect();
    let created: Vec<_> = new.iter().map(|order| order.created_at.micros()).collect();
    let expiries: Vec<_> = new.iter().map(|order| order.expires_at.micros()).collect();
    let part = compound.part(INSERT_ORDERS, new.len()).bind(ids)?.bind(accounts)?.bind(states)?;
    part.bind(totals)?.bind(currencies)?.bind(created)?.bind(expiries)?;
    Ok(())
}

fn save_lines(compound: &mut Compound, new: &[Order]) -> Result<(), StoreError> {
    let line = |order: &Order, line: &OrderLine| {
        (order.id.uuid(), line.sku.to_string(), line.quantity.units(), line.unit_price_minor)
    };
    let lines = new.iter().flat_map(|order| order.lines.iter().map(move |one| line(order, one)));
    let (ids, skus, quantities, prices): (Vec<_>, Vec<_>, Vec<_>, Vec<_>) = lines.collect();
    let part = compound.part(INSERT_LINES, ids.len());
    part.bind(ids)?.bind(skus)?.bind(quantities)?.bind(prices)?;
    Ok(())
}
