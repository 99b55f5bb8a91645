//! Payments, refunds and the provider's events in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{catalog, hex, rows};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, OrderId, PaymentId, RefundId};
use crate::outbox::JobBook;
use crate::payments::{
    Payment, PaymentBook, PaymentState, Reference, Refund, RefundReason, RefundState, Statement,
};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};

/// All payments of the orders that a wanted payment, intent, refund or order leads to.
const WANTED: &str = "
    SELECT id, order_id, provider_ref, state, amount_minor, currency, captured_minor,
           refunded_minor, created_at
      FROM payment
     WHERE order_id IN
           (SELECT order_id FROM payment WHERE id IN (SELECT unhex(value) FROM json_each($1))
             UNION
            SELECT order_id FROM payment WHERE provider_ref IN (SELECT value FROM json_each($2))
             UNION
            SELECT p.order_id
              FROM refund AS r
              JOIN payment AS p ON p.id = r.payment_id
             WHERE r.id IN (SELECT unhex(value) FROM json_each($3))
             UNION
            SELECT unhex(value) FROM json_each($4))";

/// The payments of an order, a row for each refund of them and one where there is none.
const OF_ORDER: &str = "
    SELECT p.id, p.order_id, p.provider_ref, p.state, p.amount_minor, p.currency,
           p.captured_minor, p.refunded_minor, p.created_at,
           r.id AS refund_id, r.amount_minor AS refund_minor, r.state AS refund_state,
           r.reason, r.account_id, r.created_at AS refund_created_at
      FROM payment AS p
      LEFT JOIN refund AS r ON r.payment_id = p.id
     WHERE p.order_id = $1
     ORDER BY p.id, r.id";

/// The refunds of these payments.
const REFUNDS: &str = "
    SELECT r.id, r.payment_id, r.amount_minor, p.currency, r.state, r.reason, r.account_id,
           r.created_at
      FROM json_each($1) AS w
     CROSS JOIN refund AS r
     CROSS JOIN payment AS p
     WHERE r.payment_id = unhex(w.value)
       AND p.id = r.payment_id
     ORDER BY r.id";

const EVENTS: &str = "
    SELECT id FROM provider_event WHERE id IN (SELECT value FROM json_each($1))";

const SAVE_PAYMENTS: &str = "
    INSERT INTO payment (id, order_id, provider_ref, state, amount_minor, currency,
                         captured_minor, refunded_minor, created_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4,
           value ->> 5, value ->> 6, value ->> 7, value ->> 8
      FROM json_each($1)
     WHERE true
        ON CONFLICT (id) DO UPDATE
       SET provider_ref = excluded.provider_ref,
           state = excluded.state,
           captured_minor = excluded.captured_minor,
           refunded_minor = excluded.refunded_minor";

const SAVE_REFUNDS: &str = "
    INSERT INTO refund (id, payment_id, amount_minor, state, reason, account_id, created_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4,
           unhex(value ->> 5), value ->> 6
      FROM json_each($1)
     WHERE true
        ON CONFLICT (id) DO UPDATE
       SET state = excluded.state";

const INSERT_EVENTS: &str = "
    INSERT INTO provider_event (id, kind, received_at)
    SELECT value ->> 0, value ->> 1, $2
      FROM json_each($1)";

/// A provider repeats an event for days, not for months.
const DELETE_OLD_EVENTS: &str = "
    DELETE FROM provider_event
     WHERE id IN (SELECT id FROM provider_event WHERE received_at <= $1 LIMIT 10000)";

#[derive(Debug, FromRow)]
struct PaymentRow {
    id: Uuid,
    order_id: Uuid,
    provider_ref: Option<String>,
    state: String,
    amount_minor: i64,
    currency: String,
    captured_minor: i64,
    refunded_minor: i64,
    created_at: i64,
}

#[derive(Debug, FromRow)]
struct RefundRow {
    id: Uuid,
    payment_id: Uuid,
    amount_minor: i64,
    currency: String,
    state: String,
    reason: String,
    account_id: Option<Uuid>,
    created_at: i64,
}

/// A payment together with one refund of it, if it has any.
#[derive(Debug, FromRow)]
struct StatementRow {
    #[sqlx(flatten)]
    payment: PaymentRow,
    refund_id: Option<Uuid>,
    refund_minor: Option<i64>,
    refund_state: Option<String>,
    reason: Option<String>,
    account_id: Option<Uuid>,
    refund_created_at: Option<i64>,
}

impl StatementRow {
    fn refund(&mut self) -> Option<RefundRow> {
        Some(RefundRow {
            id: self.refund_id?,
            payment_id: self.payment.id,
            amount_minor: self.refund_minor?,
            currency: self.payment.currency.clone(),
            state: self.refund_state.take()?,
            reason: self.reason.take()?,
            account_id: self.account_id,
            created_at: self.refund_created_at?,
        })
    }
}

/// The payments of an order, oldest first.
pub(super) async fn of_order(
    readers: &SqlitePool,
    order: OrderId,
) -> Result<Vec<Statement>, StoreError> {
    let found: Vec<StatementRow> =
        sqlx::query_as(OF_ORDER).bind(order.uuid()).fetch_all(readers).await?;
    let mut statements: Vec<Statement> = Vec::new();
    for mut row in found {
        let of_it = row.refund().map(refund).transpose()?;
        let payment = payment(row.payment)?;
        match statements.last_mut().filter(|last| last.payment.id == payment.id) {
            Some(last) => last.refunds.extend(of_it),
            None => statements.push(Statement { payment, refunds: Vec::from_iter(of_it) }),
        }
    }
    Ok(statements)
}

/// Payments that are wanted, or that a job here is about, with their neighbours.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    jobs: &JobBook,
) -> Result<PaymentBook, StoreError> {
    let events = load_events(connection, &wanted.provider_events).await?;
    let mut ids = wanted.payments.clone();
    ids.extend(jobs.all().filter_map(|job| job.payment()));
    let mut refund_ids = wanted.refunds.clone();
    refund_ids.extend(jobs.all().filter_map(|job| job.refund()));
    if ids.is_empty()
        && refund_ids.is_empty()
        && wanted.intents.is_empty()
        && wanted.orders.is_empty()
    {
        return Ok(PaymentBook::loaded(BTreeMap::new(), BTreeMap::new(), events));
    }
    let orders: BTreeSet<_> = wanted.orders.iter().map(|(order, _)| *order).collect();
    let found: Vec<PaymentRow> = sqlx::query_as(WANTED)
        .bind(rows(ids.into_iter().map(hex))?)
        .bind(rows(wanted.intents.iter().map(Reference::as_str))?)
        .bind(rows(refund_ids.into_iter().map(hex))?)
        .bind(rows(orders.into_iter().map(hex))?)
        .fetch_all(&mut *connection)
        .await?;
    let payments = found.into_iter().map(|row| Ok((PaymentId::from_uuid(row.id), payment(row)?)));
    let payments: BTreeMap<_, _> = payments.collect::<Result<_, StoreError>>()?;
    let refunds = refunds(connection, payments.keys().copied()).await?;
    let refunds = refunds.into_iter().map(|refund| (refund.id, refund)).collect();
    Ok(PaymentBook::loaded(payments, refunds, events))
}

async fn load_events(
    connection: &mut SqliteConnection,
    wanted: &BTreeSet<Reference>,
) -> Result<BTreeSet<Reference>, StoreError> {
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names = rows(wanted.iter().map(Reference::as_str))?;
    let found: Vec<String> = sqlx::query_scalar(EVENTS).bind(names).fetch_all(connection).await?;
    Ok(found.iter().filter_map(|name| Reference::parse(name)).collect())
}

async fn refunds(
    connection: &mut SqliteConnection,
    payments: impl Iterator<Item = PaymentId>,
) -> Result<Vec<Refund>, StoreError> {
    let payments = rows(payments.map(hex))?;
    let found: Vec<RefundRow> =
        sqlx::query_as(REFUNDS).bind(payments).fetch_all(connection).await?;
    found.into_iter().map(refund).collect()
}

fn payment(row: PaymentRow) -> Result<Payment, StoreError> {
    let state = PaymentState::ALL.into_iter().find(|state| state.as_str() == row.state);
    let reference = row.provider_ref.map(|text| Reference::parse(&text));
    Ok(Payment {
        id: PaymentId::from_uuid(row.id),
        order: OrderId::from_uuid(row.order_id),
        reference: match reference {
            Some(None) => return Err(StoreError::Unreadable("provider's reference")),
            Some(known) => known,
            None => None,
        },
        state: state.ok_or(StoreError::Unreadable("payment state"))?,
        amount: catalog::money(row.amount_minor, row.currency)?,
        captured_minor: row.captured_minor,
        refunded_minor: row.refunded_minor,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

fn refund(row: RefundRow) -> Result<Refund, StoreError> {
    let state = RefundState::ALL.into_iter().find(|state| state.as_str() == row.state);
    let reason = RefundReason::ALL.into_iter().find(|reason| reason.as_str() == row.reason);
    Ok(Refund {
        id: RefundId::from_uuid(row.id),
        payment: PaymentId::from_uuid(row.payment_id),
        amount: catalog::money(row.amount_minor, row.currency)?,
        state: state.ok_or(StoreError::Unreadable("refund state"))?,
        reason: reason.ok_or(StoreError::Unreadable("refund reason"))?,
        account: row.account_id.map(AccountId::from_uuid),
        created_at: Timestamp::from_micros(row.created_at),
    })
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let mut payments = sheet.payments.changed().peekable();
    if payments.peek().is_some() {
        let payments = rows(payments.map(payment_row))?;
        sqlx::query(SAVE_PAYMENTS).bind(payments).execute(&mut *connection).await?;
    }
    let mut refunds = sheet.payments.changed_refunds().peekable();
    if refunds.peek().is_some() {
        let refunds = rows(refunds.map(refund_row))?;
        sqlx::query(SAVE_REFUNDS).bind(refunds).execute(&mut *connection).await?;
    }
    let mut events = sheet.payments.new_events().peekable();
    if events.peek().is_some() {
        let events = rows(events.map(|(name, kind)| (name.as_str(), kind)))?;
        let insert = sqlx::query(INSERT_EVENTS).bind(events).bind(sheet.now.micros());
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

fn payment_row(payment: &Payment) -> impl serde::Serialize {
    (
        hex(payment.id),
        hex(payment.order),
        payment.reference.as_ref().map(|reference| reference.as_str().to_owned()),
        payment.state.as_str(),
        payment.amount.minor,
        payment.amount.currency,
        payment.captured_minor,
        payment.refunded_minor,
        payment.created_at,
    )
}

fn refund_row(refund: &Refund) -> impl serde::Serialize {
    (
        hex(refund.id),
        hex(refund.payment),
        refund.amount.minor,
        refund.state.as_str(),
        refund.reason.as_str(),
        refund.account.map(hex),
        refund.created_at,
    )
}

pub(super) async fn remove_old_events(
    connection: &mut SqliteConnection,
    before: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_OLD_EVENTS).bind(before.micros()).execute(connection).await?;
    Ok(())
}
