//! Orders. Whose orders are meant is part of every statement that reads them.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;
use uuid::Uuid;

use super::{catalog, inventory, sku};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, OrderId};
use crate::orders::{Order, OrderEvent, OrderLine, OrderMove, OrderState};
use crate::reach::Reach;
use crate::store::StoreError;

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

pub(in crate::store) const LIST_OWN: &str = list_where!("account_id = $3");
pub(in crate::store) const LIST_OTHERS: &str = list_where!("account_id <> $3");
pub(in crate::store) const LIST_ANY: &str = list_where!("true");

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

pub(in crate::store) const FIND_OWN: &str = find_where!("o.account_id = $2");
pub(in crate::store) const FIND_OTHERS: &str = find_where!("o.account_id <> $2");
pub(in crate::store) const FIND_ANY: &str = find_where!("true");

pub(in crate::store) const EVENTS: &str = "
    SELECT from_state, to_state, account_id, created_at
      FROM order_event
     WHERE order_id = $1";

/// One line together with its order.
#[derive(Debug, FromRow)]
pub(in crate::store) struct LineRow {
    id: Uuid,
    account_id: Uuid,
    state: String,
    total_minor: i64,
    currency: String,
    created_at: i64,
    expires_at: i64,
    sku: String,
    quantity: i64,
    unit_price_minor: i64,
}

/// One line of an order that was wanted, and where it was wanted.
#[derive(Debug, FromRow)]
pub(in crate::store) struct WantedRow {
    #[sqlx(flatten)]
    line: LineRow,
    position: i64,
}

/// Rows of one order follow one another.
pub(in crate::store) fn gather(rows: Vec<LineRow>) -> Result<Vec<Order>, StoreError> {
    let mut orders: Vec<Order> = Vec::new();
    for row in rows {
        let line = OrderLine {
            sku: sku(&row.sku)?,
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

/// Orders, and for which of the wanted reaches they are within it.
type Within = (BTreeMap<OrderId, Order>, BTreeSet<(OrderId, Reach)>);

/// Orders that were wanted and are within reach, and for which of the wanted reaches.
pub(in crate::store) fn within_reach(
    rows: Vec<WantedRow>,
    wanted: &BTreeSet<(OrderId, Reach)>,
) -> Result<Within, StoreError> {
    let wanted: Vec<_> = wanted.iter().copied().collect();
    let within = rows
        .iter()
        .filter_map(|row| wanted.get(usize::try_from(row.position).ok()?).copied())
        .collect();
    let orders = gather(rows.into_iter().map(|row| row.line).collect())?;
    Ok((orders.into_iter().map(|order| (order.id, order)).collect(), within))
}

/// Where each order stood and where it stands: an order may move twice in a batch.
pub(in crate::store) fn ends(moves: &[OrderMove]) -> BTreeMap<OrderId, (OrderState, OrderState)> {
    let mut ends = BTreeMap::new();
    for one in moves {
        ends.entry(one.order).or_insert((one.from, one.to)).1 = one.to;
    }
    ends
}

/// From where, to where, by whom, when.
pub(in crate::store) type EventRow = (String, String, Option<Uuid>, i64);

/// The moves of one order, in their order.
pub(in crate::store) fn events(rows: Vec<EventRow>) -> Result<Vec<OrderEvent>, StoreError> {
    let mut events = Vec::with_capacity(rows.len());
    for (from, to, actor, at) in rows {
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

pub(in crate::store) fn state(word: &str) -> Result<OrderState, StoreError> {
    let state = OrderState::ALL.into_iter().find(|state| state.as_str() == word);
    state.ok_or(StoreError::Unreadable("order state"))
}
