//! Whatever order news comes in, and however often: one final state.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use uuid::Uuid;

use super::*;
use crate::clock::Timestamp;
use crate::ids::{Id, IdSource, RefundId};
use crate::inventory::{Hold, Holds, Quantity, Shelf, StockLevel};
use crate::money::Currency;
use crate::orders::{OrderBook, OrderLine};
use crate::outbox::Job;
use crate::payments::event::ProviderEvent;
use crate::payments::{Ask, PaymentBook, Reference, plan};
use crate::sku::Sku;
use crate::worksheet::Loaded;
use crate::writer::Write;

fn id<I: Id>(number: u128) -> I {
    I::from_uuid(Uuid::from_u128(number))
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

fn lamp() -> Sku {
    Sku::parse("LAMP").unwrap()
}

fn eur(minor: i64) -> Money {
    Money { minor, currency: Currency::EUR }
}

fn order(state: OrderState) -> Order {
    let quantity = Quantity::try_from(2).unwrap();
    Order {
        id: id(1),
        account: id(7),
        state,
        lines: vec![OrderLine { sku: lamp(), quantity, unit_price_minor: 500 }],
        total: eur(1_000),
        created_at: now(),
        expires_at: now().plus(orders::HOLD_LIFE),
    }
}

fn payment(number: u128) -> Payment {
    Payment {
        id: id(number),
        order: id(1),
        reference: Reference::parse(&format!("pi_{number}")),
        state: PaymentState::Open,
        amount: eur(1_000),
        captured_minor: 0,
        refunded_minor: 0,
        created_at: now(),
    }
}

/// An order of two lamps in this state, with two payments, while so many lamps are free.
fn sheet(state: OrderState, free: i64) -> Worksheet {
    let order = order(state);
    let quantity = Quantity::try_from(2).unwrap();
    let hold = Hold { id: id(5), order: order.id, sku: lamp(), quantity, expires_at: now() };
    let is_held = state == OrderState::PendingPayment;
    let holds: Holds = is_held.then_some((hold.id, hold)).into_iter().collect();
    let reserved = if is_held { 2 } else { 0 };
    let level = StockLevel { on_hand: reserved + free, reserved };
    let refund = Refund {
        id: id(9),
        payment: id(10),
        amount: eur(300),
        state: RefundState::Pending,
        reason: RefundReason::Requested,
        account: Some(id(8)),
        created_at: now(),
    };
    let payments = [payment(10), payment(11)].map(|one| (one.id, one)).into();
    let loaded = Loaded {
        shelf: Shelf::loaded([(lamp(), level)].into(), [].into()),
        orders: OrderBook::loaded(
            [(order.id, order.clone())].into(),
            BTreeSet::from([(order.id, Reach::Any)]),
            holds,
        ),
        payments: PaymentBook::loaded(payments, [(refund.id, refund)].into(), BTreeSet::new()),
        ..Loaded::default()
    };
    Worksheet::begin(loaded, now(), IdSource::default())
}

fn event(name: &str, kind: &str, object: &str) -> ProviderEvent {
    let body = format!(r#"{{"id":"{name}","type":"{kind}","data":{{"object":{object}}}}}"#);
    ProviderEvent::parse(body.as_bytes()).unwrap()
}

fn intent(name: &str, kind: &str, payment: u128, status: &str, received: i64) -> ProviderEvent {
    let object = format!(
        r#"{{"id":"pi_{payment}","status":"{status}","currency":"eur","amount":1000,
            "amount_received":{received}}}"#
    );
    event(name, &format!("payment_intent.{kind}"), &object)
}

fn charge(name: &str, kind: &str, refunded: i64) -> ProviderEvent {
    let object = format!(
        r#"{{"id":"ch_1","payment_intent":"pi_10","captured":true,"currency":"eur",
            "amount_captured":1000,"amount_refunded":{refunded}}}"#
    );
    event(name, &format!("charge.{kind}"), &object)
}

fn refund(name: &str, kind: &str, status: &str) -> ProviderEvent {
    let object = format!(
        r#"{{"id":"re_1","payment_intent":"pi_10","status":"{status}",
            "metadata":{{"refund_id":"{}"}}}}"#,
        id::<RefundId>(9)
    );
    event(name, &format!("refund.{kind}"), &object)
}

/// Everything that is told of one payment in its life, and things that mean nothing here.
fn life() -> Vec<ProviderEvent> {
    vec![
        intent("evt_1", "created", 10, "requires_payment_method", 0),
        intent("evt_2", "payment_failed", 10, "requires_payment_method", 0),
        intent("evt_3", "processing", 10, "processing", 0),
        intent("evt_4", "amount_capturable_updated", 10, "requires_capture", 0),
        intent("evt_5", "succeeded", 10, "succeeded", 1_000),
        charge("evt_6", "captured", 0),
        charge("evt_7", "refunded", 300),
        charge("evt_8", "refunded", 450),
        refund("evt_9", "created", "pending"),
        refund("evt_10", "updated", "succeeded"),
        event("evt_11", "customer.created", "{}"),
        intent("evt_12", "succeeded", 99, "succeeded", 7),
    ]
}

/// What can be told apart of the books: order, payment, refund, stock, ledger, new refunds.
fn seen(sheet: &Worksheet) -> String {
    let order = sheet.orders.find(Reach::Any, id(1)).unwrap().state;
    let level = sheet.shelf.level(&lamp()).unwrap();
    let kinds: Vec<_> = sheet.shelf.movements().iter().map(|one| one.kind()).collect();
    let payments: Vec<_> = [10, 11].map(|one| sheet.payments.find(id(one)).unwrap()).into();
    let refund = sheet.payments.refund(id(9)).unwrap().state;
    let made = sheet.payments.changed_refunds().filter(|one| one.id != id(9)).count();
    format!(
        "{order:?} {level:?} {kinds:?} {payments:?} {refund:?} {made} {:?}",
        sheet.orders.moves()
    )
}

/// What the events lead to, in this order.
fn after<'e>(state: OrderState, events: impl Iterator<Item = &'e ProviderEvent>) -> String {
    let mut sheet = sheet(state, 5);
    for event in events {
        event.decide(&mut sheet);
    }
    seen(&sheet)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn every_order_and_number_of_deliveries_ends_alike(
        state in select(vec![OrderState::PendingPayment, OrderState::Expired]),
        events in Just(life()).prop_shuffle(),
        again in prop::collection::vec((any::<Index>(), any::<Index>()), 0..12),
    ) {
        let mut deliveries = events;
        for (which, at) in again {
            let event = which.get(&deliveries).clone();
            deliveries.insert(at.index(deliveries.len() + 1), event);
        }
        prop_assert_eq!(after(state, deliveries.iter()), after(state, life().iter()));
    }
}

#[test]
fn a_life_ends_with_an_order_that_is_paid_for() {
    let mut sheet = sheet(OrderState::PendingPayment, 5);
    for event in life().iter().chain(&life()) {
        event.decide(&mut sheet);
    }
    let paid = sheet.payments.find(id(10)).unwrap();
    assert_eq!((paid.captured_minor, paid.refunded_minor), (1_000, 450));
    assert_eq!(sheet.payments.refund(id(9)).unwrap().state, RefundState::Succeeded);
    assert_eq!(sheet.orders.find(Reach::Any, id(1)).unwrap().state, OrderState::Paid);
    assert_eq!(sheet.shelf.level(&lamp()).unwrap(), StockLevel { on_hand: 5, reserved: 0 });
    // The other payment of the order is given up, and one capture was asked for.
    let jobs: Vec<_> = sheet.outbox.added().map(|job| (job.kind, job.payment().unwrap())).collect();
    assert_eq!(jobs, [(JobKind::Capture, id(10)), (JobKind::Cancel, id(11))]);
}

/// The reason for which the money of payment 10 goes back, if it does.
fn goes_back(sheet: &Worksheet) -> Option<(RefundReason, i64)> {
    let made = sheet.payments.changed_refunds().find(|one| one.id != id(9));
    made.map(|one| (one.reason, one.amount.minor))
}

#[test]
fn money_that_cannot_be_kept_goes_back() {
    use OrderState::{Cancelled, Expired, Paid, PendingPayment};
    for (state, free, taken, expected) in [
        (PendingPayment, 0, 1_000, None),
        (Expired, 2, 1_000, None),
        (Expired, 1, 1_000, Some(RefundReason::Late)),
        (Cancelled, 9, 1_000, Some(RefundReason::Late)),
        (Paid, 9, 1_000, Some(RefundReason::Double)),
        (PendingPayment, 9, 999, Some(RefundReason::Short)),
    ] {
        let mut sheet = sheet(state, free);
        // 300 of it go back already, because somebody asked for that.
        intent("evt_1", "succeeded", 10, "succeeded", taken).decide(&mut sheet);
        let back = goes_back(&sheet);
        assert_eq!(back, expected.map(|reason| (reason, taken - 300)), "{state:?} {free}");
        let order = sheet.orders.find(Reach::Any, id(1)).unwrap().state;
        assert_eq!(order, if expected.is_none() { Paid } else { state });
        let is_asked_for = sheet.outbox.added().any(|job| job.kind == JobKind::Refund);
        assert_eq!(is_asked_for, expected.is_some());
    }
}

#[test]
fn what_is_authorised_is_taken_only_where_it_can_be_kept() {
    use OrderState::{Cancelled, Expired, Paid, PendingPayment};
    for (state, free, kind) in [
        (PendingPayment, 0, JobKind::Capture),
        (Expired, 2, JobKind::Capture),
        (Expired, 1, JobKind::Cancel),
        (Cancelled, 9, JobKind::Cancel),
        (Paid, 9, JobKind::Cancel),
    ] {
        let mut sheet = sheet(state, free);
        let kind_of = "amount_capturable_updated";
        intent("evt_1", kind_of, 10, "requires_capture", 0).decide(&mut sheet);
        let asked: Vec<_> = sheet.outbox.added().map(|job| job.kind).collect();
        assert_eq!(asked, [kind], "{state:?} {free}");
    }
}

#[test]
fn of_two_that_are_authorised_at_once_the_first_is_taken() {
    let mut sheet = sheet(OrderState::PendingPayment, 0);
    for (name, payment) in [("evt_1", 10), ("evt_2", 11)] {
        intent(name, "amount_capturable_updated", payment, "requires_capture", 0)
            .decide(&mut sheet);
    }
    let jobs: Vec<_> = sheet.outbox.added().cloned().collect();
    let asked = |jobs: &[Job]| -> Vec<_> {
        jobs.iter().map(|job| (job.kind, job.payment().unwrap())).collect()
    };
    assert_eq!(asked(&jobs), [(JobKind::Capture, id(10)), (JobKind::Cancel, id(11))]);
    // That the other is authorised, too, by the time it is asked for changes nothing.
    let plans: Vec<_> = jobs.iter().map(|job| plan(&mut sheet, job)).collect();
    assert!(
        matches!(&plans[..], [Some(Ask::Capture(first)), Some(Ask::Cancel(second))]
        if first.as_str() == "pi_10" && second.as_str() == "pi_11"),
        "{plans:?}"
    );
    let jobs: Vec<_> = sheet.outbox.added().cloned().collect();
    assert_eq!(asked(&jobs), [(JobKind::Capture, id(10)), (JobKind::Cancel, id(11))]);
}

#[test]
fn what_another_payment_has_paid_is_not_taken_again() {
    let mut sheet = sheet(OrderState::PendingPayment, 0);
    let authorised = intent("evt_1", "amount_capturable_updated", 10, "requires_capture", 0);
    authorised.decide(&mut sheet);
    let [job] = sheet.outbox.added().cloned().collect::<Vec<_>>().try_into().unwrap();
    intent("evt_2", "succeeded", 11, "succeeded", 1_000).decide(&mut sheet);
    assert!(plan(&mut sheet, &job).is_none());
    assert!(sheet.outbox.added().any(|job| job.kind == JobKind::Cancel));
}

#[test]
fn news_of_another_intent_or_currency_changes_nothing() {
    let mut sheet = sheet(OrderState::PendingPayment, 5);
    let before = seen(&sheet);
    let other = r#"{"id":"pi_other","status":"succeeded","currency":"eur","amount_received":1000,
        "metadata":{"payment_id":"00000000-0000-0000-0000-00000000000a"}}"#;
    event("evt_1", "payment_intent.succeeded", other).decide(&mut sheet);
    let dollars = r#"{"id":"pi_10","status":"succeeded","currency":"usd","amount_received":1000}"#;
    event("evt_2", "payment_intent.succeeded", dollars).decide(&mut sheet);
    assert_eq!(seen(&sheet), before);
}
