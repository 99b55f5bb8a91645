//! Promises of `/api/inventory`.

use serde_json::json;

use crate::world::{PRINT, Stock, World, someone};

#[tokio::test]
async fn what_arrives_is_on_hand() {
    let world = World::start().await;
    let answer = world.receive(PRINT, 5).send().await;
    answer.created();
    assert_eq!(answer.body["sku"], PRINT);
    assert_eq!(answer.body["kind"], "receive");
    assert_eq!((&answer.body["quantity"], &answer.body["on_hand"]), (&json!(5), &json!(15)));
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 15, reserved: 0 });
}

#[tokio::test]
async fn a_repeated_movement_moves_once() {
    let world = World::start().await;
    let call = world.receive(PRINT, 5);
    let (first, again) = (call.send().await, call.send().await);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(world.stock(PRINT).await.on_hand, 15);

    let other = call.json(&json!({"kind": "receive", "quantity": 6}));
    other.send().await.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn a_movement_that_is_not_one_is_refused() {
    let world = World::start().await;
    let path = format!("/api/inventory/{PRINT}/movements");
    let call = world.by(someone(), "POST", path).key("k");
    for body in [
        json!({"kind": "receive", "quantity": 0}),
        json!({"kind": "receive", "quantity": 1_000_001}),
        json!({"kind": "receive", "quantity": -1}),
        json!({"kind": "receive", "quantity": 1.5}),
        json!({"kind": "reserve", "quantity": 1}),
        json!({"kind": "receive", "quantity": 1, "note": "x".repeat(501)}),
        json!({"kind": "receive"}),
        json!([]),
    ] {
        call.clone().json(&body).send().await.refused(422, "invalid_request");
    }
    world.receive("NOTHING", 1).send().await.refused(404, "not_found");
    world.receive("-a", 1).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn the_ledger_is_only_added_to_and_explains_the_stock() {
    let world = World::start().await;
    world.order(someone(), PRINT, 3).send().await.created();
    world.receive(PRINT, 2).send().await.created();

    let mut database = world.database().await;
    for statement in ["UPDATE stock_movement SET quantity = 1", "DELETE FROM stock_movement"] {
        let error = sqlx::query(statement).execute(&mut database).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
    let unexplained: i64 = sqlx::query_scalar(
        "SELECT count(*)
           FROM stock AS s
          WHERE on_hand <> (SELECT sum(on_hand_change) FROM stock_movement WHERE sku = s.sku)
             OR reserved <> (SELECT sum(reserved_change) FROM stock_movement WHERE sku = s.sku)",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(unexplained, 0);
}
