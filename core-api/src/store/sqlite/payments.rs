//! Payments, refunds and the provider's events in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;

use crate::clock::Timestamp;
use crate::outbox::JobBook;
use crate::payments::{PaymentBook, Reference};
use crate::store::StoreError;
use crate::store::rows::{hex, listed, payments as rows};
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

/// Payments that are wanted, or that a job here is about, with their neighbours.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    jobs: &JobBook,
) -> Result<PaymentBook, StoreError> {
    let events = load_events(connection, &wanted.provider_events).await?;
    let (mut payments, mut refunds) = (BTreeMap::new(), BTreeMap::new());
    if let Some([ids, intents, refund_ids, orders]) = rows::leads(wanted, jobs)? {
        let found = sqlx::query_as(WANTED).bind(ids).bind(intents).bind(refund_ids).bind(orders);
        payments = rows::payments(found.fetch_all(&mut *connection).await?)?;
        let ids = listed(payments.keys().copied().map(hex))?;
        let found = sqlx::query_as(REFUNDS).bind(ids);
        refunds = rows::refunds(found.fetch_all(&mut *connection).await?)?;
    }
    Ok(PaymentBook::loaded(payments, refunds, events))
}

async fn load_events(
    connection: &mut SqliteConnection,
    wanted: &BTreeSet<Reference>,
) -> Result<BTreeSet<Reference>, StoreError> {
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names = listed(wanted.iter().map(Reference::as_str))?;
    let found: Vec<String> = sqlx::query_scalar(EVENTS).bind(names).fetch_all(connection).await?;
    Ok(found.iter().filter_map(|name| Reference::parse(name)).collect())
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    if let Some(payments) = rows::changed(sheet)? {
        sqlx::query(SAVE_PAYMENTS).bind(payments).execute(&mut *connection).await?;
    }
    if let Some(refunds) = rows::changed_refunds(sheet)? {
        sqlx::query(SAVE_REFUNDS).bind(refunds).execute(&mut *connection).await?;
    }
    if let Some(events) = rows::new_events(sheet)? {
        let insert = sqlx::query(INSERT_EVENTS).bind(events).bind(sheet.now.micros());
        insert.execute(&mut *connection).await?;
    }
    Ok(())
}

pub(super) async fn remove_old_events(
    connection: &mut SqliteConnection,
    before: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_OLD_EVENTS).bind(before.micros()).execute(connection).await?;
    Ok(())
}
