//! Payments, refunds and the provider's events.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;
use uuid::Uuid;

use super::{catalog, hex, listed, listed_if_any};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, OrderId, PaymentId, RefundId};
use crate::outbox::JobBook;
use crate::payments::{
    Payment, PaymentState, Reference, Refund, RefundReason, RefundState, Statement,
};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};

/// The payments of an order, a row for each refund of them and one where there is none.
pub(in crate::store) const OF_ORDER: &str = "
    SELECT p.id, p.order_id, p.provider_ref, p.state, p.amount_minor, p.currency,
           p.captured_minor, p.refunded_minor, p.created_at,
           r.id AS refund_id, r.amount_minor AS refund_minor, r.state AS refund_state,
           r.reason, r.account_id, r.created_at AS refund_created_at
      FROM payment AS p
      LEFT JOIN refund AS r ON r.payment_id = p.id
     WHERE p.order_id = $1
     ORDER BY p.id, r.id";

/// A provider repeats an event for days, not for months.
pub(in crate::store) const DELETE_OLD_EVENTS: &str = "
    DELETE FROM provider_event
     WHERE id IN (SELECT id FROM provider_event WHERE received_at <= $1 LIMIT 10000)";

#[derive(Debug, FromRow)]
pub(in crate::store) struct PaymentRow {
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
pub(in crate::store) struct RefundRow {
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
pub(in crate::store) struct StatementRow {
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

/// The payments of an order, each with its refunds.
pub(in crate::store) fn statements(rows: Vec<StatementRow>) -> Result<Vec<Statement>, StoreError> {
    let mut statements: Vec<Statement> = Vec::new();
    for mut row in rows {
        let of_it = row.refund().map(refund).transpose()?;
        let payment = payment(row.payment)?;
        match statements.last_mut().filter(|last| last.payment.id == payment.id) {
            Some(last) => last.refunds.extend(of_it),
            None => statements.push(Statement { payment, refunds: Vec::from_iter(of_it) }),
        }
    }
    Ok(statements)
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

/// Payments by id.
pub(in crate::store) fn by_id(
    rows: Vec<PaymentRow>,
) -> Result<BTreeMap<PaymentId, Payment>, StoreError> {
    rows.into_iter().map(|row| Ok((PaymentId::from_uuid(row.id), payment(row)?))).collect()
}

/// Refunds by id.
pub(in crate::store) fn refunds(
    rows: Vec<RefundRow>,
) -> Result<BTreeMap<RefundId, Refund>, StoreError> {
    rows.into_iter().map(|row| Ok((RefundId::from_uuid(row.id), refund(row)?))).collect()
}

/// What leads to the wanted payments: payments, intents, refunds and orders, each as rows;
/// `None` where nothing does.
pub(in crate::store) fn leads(
    wanted: &Wanted,
    jobs: &JobBook,
) -> Result<Option<[String; 4]>, StoreError> {
    let mut payments = wanted.payments.clone();
    payments.extend(jobs.all().filter_map(|job| job.payment()));
    let mut refunds = wanted.refunds.clone();
    refunds.extend(jobs.all().filter_map(|job| job.refund()));
    let orders: BTreeSet<_> = wanted.orders.iter().map(|(order, _)| *order).collect();
    let intents = &wanted.intents;
    if payments.is_empty() && refunds.is_empty() && intents.is_empty() && orders.is_empty() {
        return Ok(None);
    }
    Ok(Some([
        listed(payments.into_iter().map(hex))?,
        listed(intents.iter().map(Reference::as_str))?,
        listed(refunds.into_iter().map(hex))?,
        listed(orders.into_iter().map(hex))?,
    ]))
}

/// Payments that the batch adds or changes.
pub(in crate::store) fn changed(sheet: &Worksheet) -> Result<Option<String>, StoreError> {
    listed_if_any(sheet.payments.changed().map(payment_row))
}

/// Refunds that the batch adds or changes.
pub(in crate::store) fn changed_refunds(sheet: &Worksheet) -> Result<Option<String>, StoreError> {
    listed_if_any(sheet.payments.changed_refunds().map(refund_row))
}

/// Events that the batch adds.
pub(in crate::store) fn new_events(sheet: &Worksheet) -> Result<Option<String>, StoreError> {
    listed_if_any(sheet.payments.new_events().map(|(name, kind)| (name.as_str(), kind)))
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

/// Loading and writing: one implementation for both databases, as each has its own type of
/// connection, and its own way to take a list.
macro_rules! payments {
    ($connection:ty) => {
        use std::collections::{BTreeMap, BTreeSet};

        use sqlx::{query, query_as, query_scalar};

        use crate::clock::Timestamp;
        use crate::outbox::JobBook;
        use crate::payments::{PaymentBook, Reference};
        use crate::store::StoreError;
        use crate::store::rows::payments::{self, DELETE_OLD_EVENTS};
        use crate::store::rows::{hex, listed};
        use crate::worksheet::{Wanted, Worksheet};

        /// Payments that are wanted, or that a job here is about, with their neighbours.
        pub(super) async fn load(
            connection: &mut $connection,
            wanted: &Wanted,
            jobs: &JobBook,
        ) -> Result<PaymentBook, StoreError> {
            let events = load_events(connection, &wanted.provider_events).await?;
            let (mut payments, mut refunds) = (BTreeMap::new(), BTreeMap::new());
            if let Some([ids, intents, refund_ids, orders]) = payments::leads(wanted, jobs)? {
                let found = query_as(WANTED).bind(ids).bind(intents).bind(refund_ids).bind(orders);
                payments = payments::by_id(found.fetch_all(&mut *connection).await?)?;
                let ids = listed(payments.keys().copied().map(hex))?;
                let found = query_as(REFUNDS).bind(ids);
                refunds = payments::refunds(found.fetch_all(&mut *connection).await?)?;
            }
            Ok(PaymentBook::loaded(payments, refunds, events))
        }

        async fn load_events(
            connection: &mut $connection,
            wanted: &BTreeSet<Reference>,
        ) -> Result<BTreeSet<Reference>, StoreError> {
            if wanted.is_empty() {
                return Ok(BTreeSet::new());
            }
            let names = listed(wanted.iter().map(Reference::as_str))?;
            let found: Vec<String> = query_scalar(EVENTS).bind(names).fetch_all(connection).await?;
            Ok(found.iter().filter_map(|name| Reference::parse(name)).collect())
        }

        pub(super) async fn save(
            connection: &mut $connection,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            if let Some(payments) = payments::changed(sheet)? {
                query(SAVE_PAYMENTS).bind(payments).execute(&mut *connection).await?;
            }
            if let Some(refunds) = payments::changed_refunds(sheet)? {
                query(SAVE_REFUNDS).bind(refunds).execute(&mut *connection).await?;
            }
            if let Some(events) = payments::new_events(sheet)? {
                let insert = query(INSERT_EVENTS).bind(events).bind(sheet.now.micros());
                insert.execute(&mut *connection).await?;
            }
            Ok(())
        }

        pub(super) async fn remove_old_events(
            connection: &mut $connection,
            before: Timestamp,
        ) -> Result<(), StoreError> {
            query(DELETE_OLD_EVENTS).bind(before.micros()).execute(connection).await?;
            Ok(())
        }
    };
}

pub(in crate::store) use payments;
