//! Promises of `/api/cart`, and of ordering from it.

use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::world::{PRINT, Stock, World, someone};

fn put(world: &World, account: Uuid, sku: &str, quantity: i64) -> Call {
    let path = format!("/api/cart/lines/{sku}");
    world.by(account, "PUT", path).json(&json!({"quantity": quantity}))
}

async fn cart(world: &World, account: Uuid) -> Value {
    world.by(account, "GET", "/api/cart").send().await.body["lines"].clone()
}

async fn order(world: &World, account: Uuid, key: &str) -> Answer {
    let order = world.by(account, "POST", "/api/orders").key(key);
    order.json(&json!({"from_cart": true})).send().await
}

/// Gives a SKU of the demo catalog another price.
async fn price(world: &World, sku: &str, minor: i64) {
    let products = world.call("GET", "/api/products").send().await;
    let products = products.body["items"].as_array().unwrap().clone();
    let sells = |product: &&Value| product["skus"].to_string().contains(sku);
    let product = products.iter().find(sells).unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/api/products/{product}/skus/{sku}");
    let change = world.by(someone(), "PATCH", path).scope(Scope::Any);
    assert_eq!(change.json(&json!({"price_minor": minor})).send().await.status, 200);
}

#[tokio::test]
async fn a_cart_is_its_owners_and_holds_nothing() {
    let world = World::start().await;
    let (ann, bob) = (someone(), someone());
    let line = put(&world, ann, PRINT, 2).send().await;
    assert_eq!(
        line.body,
        json!({"sku": PRINT, "quantity": 2, "unit_price_minor": 12_000, "currency": "EUR"})
    );
    put(&world, ann, "MUG-BLUE", 1).send().await;
    put(&world, ann, PRINT, 3).send().await;
    let lines = cart(&world, ann).await;
    assert_eq!(lines[1]["sku"], PRINT);
    assert_eq!(lines[1]["quantity"], 3);
    assert_eq!(lines[1]["current_unit_price_minor"], 12_000);
    assert_eq!(lines[1]["available"], 10);
    assert_eq!(cart(&world, bob).await, json!([]));
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 0 });

    put(&world, ann, "NOTHING", 1).send().await.refused(404, "not_found");
    for quantity in [0, -1, 1_001] {
        put(&world, ann, PRINT, quantity).send().await.refused(422, "invalid_request");
    }
    for _ in 0..2 {
        let gone = world.by(ann, "DELETE", "/api/cart/lines/MUG-BLUE").send().await;
        assert_eq!(gone.status, 204);
    }
    assert_eq!(cart(&world, ann).await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn ordering_a_cart_empties_it_once() {
    let world = World::start().await;
    let ann = someone();
    order(&world, ann, "k").await.refused(422, "cart_empty");
    put(&world, ann, PRINT, 2).send().await;
    let (first, again) = (order(&world, ann, "k").await, order(&world, ann, "k").await);
    first.created();
    assert_eq!((&again.body, first.body["total_minor"].as_i64()), (&first.body, Some(24_000)));
    assert_eq!(cart(&world, ann).await, json!([]));
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 2 });
    order(&world, ann, "other").await.refused(422, "cart_empty");
    world.intact().await;
}

#[tokio::test]
async fn a_price_that_changed_is_told_and_nothing_is_ordered() {
    let world = World::start().await;
    let ann = someone();
    put(&world, ann, PRINT, 1).send().await;
    price(&world, PRINT, 13_000).await;
    let refused = order(&world, ann, "k").await;
    refused.refused(409, "price_changed");
    let change = json!([
        {"sku": PRINT, "expected_unit_price_minor": 12_000, "unit_price_minor": 13_000}
    ]);
    assert_eq!(refused.body["changes"], change);
    assert_eq!(world.stock(PRINT).await.reserved, 0);
    let lines = cart(&world, ann).await;
    assert_eq!(lines[0]["unit_price_minor"], 12_000);
    assert_eq!(lines[0]["current_unit_price_minor"], 13_000);

    // Putting it again agrees.
    put(&world, ann, PRINT, 1).send().await;
    order(&world, ann, "k").await.created();
}

#[tokio::test]
async fn a_line_may_say_what_it_was_shown() {
    let world = World::start().await;
    let lines = |expected: i64| {
        json!({"lines": [
            {"sku": PRINT, "quantity": 1, "expected_unit_price_minor": expected},
            {"sku": "MUG-BLUE", "quantity": 1},
        ]})
    };
    let call = world.by(someone(), "POST", "/api/orders").key("k");
    let refused = call.clone().json(&lines(11_999)).send().await;
    refused.refused(409, "price_changed");
    assert_eq!(refused.body["detail"], "sku `PRINT-10` costs 12000, not 11999");
    call.clone().json(&lines(12_000)).send().await.created();
    for neither in [
        json!({}),
        json!({"lines": [{"sku": PRINT, "quantity": 1}], "from_cart": true}),
        json!({"lines": [
            {"sku": PRINT, "quantity": 1, "expected_unit_price_minor": 1},
            {"sku": PRINT, "quantity": 1, "expected_unit_price_minor": 2},
        ]}),
    ] {
        call.clone().key("n").json(&neither).send().await.refused(422, "invalid_request");
    }
}
