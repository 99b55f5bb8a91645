//! How orders are decided: in memory, first come, first served.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::clock::Timestamp;
use crate::idempotency::{ClaimName, IdempotencyKey, KeyedOperation};
use crate::ids::{Id, IdSource};
use crate::inventory::{ByHand, Holds, Movement, NewMovement, Shelf, StockLevel};
use crate::money::Currency;
use crate::worksheet::Loaded;

const SKUS: [&str; 3] = ["A", "B", "C"];

fn sku(name: &str) -> Sku {
    Sku::parse(name).unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000)
}

fn price(minor: i64, currency: &str) -> Money {
    Money { minor, currency: Currency::try_from(currency.to_owned()).unwrap() }
}

/// A batch that begins with so many units of each SKU, at one cent each.
fn sheet(on_hand: i64, due: Holds) -> Worksheet {
    let reserved = |name: &str| {
        due.values().filter(|hold| hold.sku == sku(name)).map(|hold| hold.quantity.units()).sum()
    };
    let level = |name| (sku(name), StockLevel { on_hand, reserved: reserved(name) });
    let loaded = Loaded {
        shelf: Shelf::loaded(SKUS.map(level).into(), BTreeMap::new()),
        prices: SKUS.map(|name| (sku(name), price(1, "EUR"))).into(),
        due,
        ..Loaded::default()
    };
    Worksheet::begin(loaded, now(), IdSource::default())
}

fn order(account: u128, key: &str, lines: &[(&str, u32)]) -> NewOrder {
    let lines = WantedLines::merge(lines.iter().map(|(name, units)| (sku(name), *units))).unwrap();
    let fingerprint = lines.fingerprint();
    let account = AccountId::from_uuid(uuid::Uuid::from_u128(account));
    let key = IdempotencyKey::parse(key).unwrap();
    let name = ClaimName { account, operation: KeyedOperation::PlaceOrder, key };
    NewOrder::new(account, lines, Claim { name, fingerprint })
}

#[test]
fn the_first_to_come_is_served() {
    let mut sheet = sheet(3, Holds::new());
    assert!(order(1, "k", &[("A", 2)]).decide(&mut sheet).is_ok());
    let refused = order(2, "k", &[("B", 1), ("A", 2)]).decide(&mut sheet).unwrap_err();
    assert_eq!(refused.to_string(), "sku `A` has 1 available, 2 wanted");
    assert_eq!(sheet.shelf.level(&sku("B")).unwrap().reserved, 0);
    assert!(order(3, "k", &[("A", 1)]).decide(&mut sheet).is_ok());
}

#[test]
fn a_key_is_good_for_one_order_within_a_batch_too() {
    let mut sheet = sheet(9, Holds::new());
    let Ok(Placed { answer: Answered::First(first), .. }) =
        order(1, "k", &[("A", 1)]).decide(&mut sheet)
    else {
        panic!("not placed");
    };
    let again = order(1, "k", &[("A", 1)]).decide(&mut sheet).unwrap();
    assert_eq!(again.answer, Answered::Replayed(first));
    let other = order(1, "k", &[("A", 2)]).decide(&mut sheet);
    assert!(matches!(other, Err(PlaceError::Claim(ClaimError::Reused))));
    assert_eq!(sheet.orders.new_orders().len(), 1);
}

#[test]
fn what_cannot_be_added_up_is_refused() {
    let mut sheet = sheet(9, Holds::new());
    sheet.prices.insert(sku("B"), price(1, "USD"));
    sheet.prices.insert(sku("C"), price(i64::MAX, "EUR"));
    let mixed = order(1, "k", &[("A", 1), ("B", 1)]).decide(&mut sheet);
    assert!(matches!(mixed, Err(PlaceError::MixedCurrencies)));
    for lines in [&[("C", 2)][..], &[("A", 1), ("C", 1)]] {
        let large = order(1, "k", lines).decide(&mut sheet);
        assert!(matches!(large, Err(PlaceError::TotalTooLarge)));
    }
    let unknown = order(1, "k", &[("D", 1)]).decide(&mut sheet);
    assert!(matches!(unknown, Err(PlaceError::UnknownSku(_))));
}

#[test]
fn lines_are_merged_and_bounded() {
    let merge = |lines: &[(&str, u32)]| {
        WantedLines::merge(lines.iter().map(|(name, units)| (sku(name), *units)))
    };
    assert_eq!(merge(&[("A", 1), ("B", 1), ("A", 2)]).unwrap().units.len(), 2);
    assert_eq!(merge(&[]).unwrap_err(), NotAnOrder::Lines);
    assert_eq!(merge(&[("A", 1); LINES_MAX + 1]).unwrap_err(), NotAnOrder::Lines);
    assert_eq!(merge(&[("A", 0)]).unwrap_err(), NotAnOrder::Units);
    assert_eq!(merge(&[("A", 600), ("A", 401)]).unwrap_err(), NotAnOrder::Units);
}

fn holds(units: &[(usize, u32)]) -> Holds {
    let ids = IdSource::default();
    let hold = |(at, units): &(usize, u32)| Hold {
        id: ids.next(now()),
        order: ids.next(now()),
        sku: sku(SKUS[*at]),
        quantity: Quantity::try_from(*units).unwrap(),
        expires_at: now(),
    };
    units.iter().map(hold).map(|hold| (hold.id, hold)).collect()
}

proptest! {
    /// Whatever a batch holds, no unit is made, lost or sold twice, and the ledger explains
    /// every change.
    #[test]
    fn stock_is_conserved(
        on_hand in 12_i64..60,
        due in vec((0_usize..3, 1_u32..4), 0..4),
        wanted in vec((vec((0_usize..3, 1_u32..9), 1..4), any::<bool>()), 1..40),
    ) {
        let due = holds(&due);
        let held: BTreeMap<Sku, i64> = due.values().fold(BTreeMap::new(), |mut held, hold| {
            *held.entry(hold.sku.clone()).or_default() += hold.quantity.units();
            held
        });
        let mut sheet = sheet(on_hand, due);
        let mut sold: BTreeMap<Sku, i64> = BTreeMap::new();
        let mut received: BTreeMap<Sku, i64> = BTreeMap::new();
        for (at, (lines, receive)) in wanted.iter().enumerate() {
            let lines: Vec<_> = lines.iter().map(|(at, units)| (SKUS[*at], *units)).collect();
            if *receive {
                for (name, units) in lines {
                    let quantity = Quantity::try_from(units).unwrap();
                    let change = ByHand::Receive { quantity, note: None };
                    let arrived =
                        NewMovement { sku: sku(name), change, account: None, claim: None };
                    arrived.decide(&mut sheet).unwrap();
                    *received.entry(sku(name)).or_default() += quantity.units();
                }
            } else if let Ok(Placed { answer: Answered::First(order), .. }) =
                order(1, &format!("k{at}"), &lines).decide(&mut sheet)
            {
                for line in order.lines {
                    *sold.entry(line.sku).or_default() += line.quantity.units();
                }
            }
        }
        for name in SKUS.map(sku) {
            let count = |counts: &BTreeMap<Sku, i64>| counts.get(&name).copied().unwrap_or(0);
            let level = sheet.shelf.level(&name).unwrap();
            prop_assert!(0 <= level.reserved && level.reserved <= level.on_hand);
            prop_assert_eq!(level.on_hand, on_hand + count(&received));
            prop_assert_eq!(level.reserved, count(&sold));
            let moved = sheet.shelf.movements().iter().filter(|movement| movement.sku == name);
            let (on_hand_moved, reserved_moved) = moved.map(Movement::changes)
                .fold((0, 0), |sum, change| (sum.0 + change.0, sum.1 + change.1));
            prop_assert_eq!(on_hand_moved, count(&received));
            prop_assert_eq!(reserved_moved, count(&sold) - count(&held));
        }
    }
}
