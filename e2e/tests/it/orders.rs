//! Stock is sold once, and a repeated order is one order, through the edge as in the core.

use serde_json::{Value, json};
use stockade_test_support::{Answer, Call, Client, Protocol, Stockade};
use tokio::task::JoinSet;

/// A SKU of the demo of which there are ten.
const PRINT: &str = "PRINT-10";
const PRINTS: usize = 10;
const BUYERS: usize = 64;

#[tokio::test]
async fn the_last_units_are_sold_once_each() {
    let stockade = Stockade::start().await;
    let mut buyers = JoinSet::new();
    for number in 0..BUYERS {
        let protocol = Protocol::BOTH[number % 2];
        let buyer = stockade.member("customer").over(protocol);
        buyers.spawn(order(&buyer, PRINT, 1, &format!("buyer-{number}")).send());
    }

    let answers = buyers.join_all().await;

    let (sold, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
    assert_eq!((sold.len(), refused.len()), (PRINTS, BUYERS - PRINTS));
    for refused in refused {
        refused.refused(409, "out_of_stock");
    }
    assert_eq!(stock(&stockade, PRINT).await, (10, 10));
}

#[tokio::test]
async fn a_repeated_key_is_the_same_order() {
    let stockade = Stockade::start().await;
    let customer = stockade.member("customer");

    let first = order(&customer, PRINT, 2, "key-1").send().await;
    let again = order(&customer, PRINT, 2, "key-1").send().await;

    assert_eq!((first.status, again.status), (201, 201), "{first:?} {again:?}");
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.json(), again.json());
    assert_eq!(stock(&stockade, PRINT).await, (10, 2));
}

#[tokio::test]
async fn a_key_stands_for_one_body() {
    let stockade = Stockade::start().await;
    let customer = stockade.member("customer");

    let first = order(&customer, PRINT, 2, "key-1").send().await;
    let other = order(&customer, PRINT, 3, "key-1").send().await;

    assert_eq!((first.status, other.status), (201, 422));
    assert_eq!(stock(&stockade, PRINT).await, (10, 2));
}

#[tokio::test]
async fn copies_of_one_order_sent_at_once_are_one_order() {
    let stockade = Stockade::start().await;
    let customer = stockade.member("customer");
    let mut copies = JoinSet::new();
    for _ in 0..16 {
        copies.spawn(order(&customer, PRINT, 1, "key-1").send());
    }

    let answers = copies.join_all().await;

    let placed: Vec<_> = answers.iter().filter(|answer| answer.status == 201).map(id).collect();
    assert!(placed.iter().all(|id| *id == placed[0]), "{placed:?}");
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)), "{answers:?}");
    assert_eq!(stock(&stockade, PRINT).await, (10, 1));
}

/// An order of one SKU.
pub(crate) fn order(buyer: &Client, sku: &str, quantity: u32, key: &str) -> Call {
    let body = json!({"lines": [{"sku": sku, "quantity": quantity}]});
    buyer.post("/api/orders").key(key).json(&body)
}

/// Units on hand, and how many of them are reserved.
pub(crate) async fn stock(stockade: &Stockade, sku: &str) -> (i64, i64) {
    let list = stockade.member("staff").get("/api/inventory?limit=100").send().await.json();
    let rows = list["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["sku"] == sku).unwrap();
    (row["on_hand"].as_i64().unwrap(), row["reserved"].as_i64().unwrap())
}

fn id(answer: &Answer) -> Value {
    answer.json()["id"].clone()
}
