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
        json!({"kind": "receive", "quantity": 1, "reason": "none is needed"}),
        json!({"kind": "receive"}),
        json!({"quantity": 1}),
        json!({"kind": "adjust", "delta": 0, "reason": "nothing"}),
        json!({"kind": "adjust", "delta": 1_000_001, "reason": "too many"}),
        json!({"kind": "adjust", "delta": 1.5, "reason": "half"}),
        json!({"kind": "adjust", "delta": 1, "reason": " "}),
        json!({"kind": "adjust", "delta": 1, "reason": "a\u{0}b"}),
        json!({"kind": "adjust", "delta": 1}),
        json!({"kind": "adjust", "quantity": 1, "reason": "which way?"}),
        json!({"kind": "commit", "quantity": 1}),
        json!([]),
    ] {
        call.clone().json(&body).send().await.refused(422, "invalid_request");
    }
    world.receive("NOTHING", 1).send().await.refused(404, "not_found");
    world.receive("-a", 1).send().await.refused(404, "not_found");
}

#[tokio::test]
async fn counting_corrects_what_is_on_hand() {
    let world = World::start().await;
    world.order(someone(), PRINT, 4).send().await.created();
    let lost = world.adjust(PRINT, -6, "water damage").send().await;
    lost.created();
    assert_eq!((&lost.body["kind"], &lost.body["quantity"]), (&json!("adjust"), &json!(6)));
    assert_eq!(lost.body["on_hand_change"], -6);
    assert_eq!(lost.body["on_hand"], 4);

    let below = world.adjust(PRINT, -1, "stolen").send().await;
    below.refused(409, "below_reserved");
    assert_eq!(below.body["detail"], "4 of sku `PRINT-10` are reserved, 3 would be left");
    world.adjust(PRINT, 2, "found").send().await.created();
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 6, reserved: 4 });

    let call = world.adjust(PRINT, -1, "once");
    let (first, again) = (call.send().await, call.send().await);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    assert_eq!(world.stock(PRINT).await.on_hand, 5);
    world.intact().await;
}

#[tokio::test]
async fn the_ledger_says_what_moved_and_why_newest_first() {
    let world = World::start().await;
    let ann = someone();
    let kept = world.order(ann, PRINT, 1).send().await.text("id").to_owned();
    let cancelled = world.order(ann, PRINT, 2).send().await.text("id").to_owned();
    world.cancel(ann, &cancelled).send().await;
    world.adjust(PRINT, -3, "torn").send().await.created();
    let path = format!("/api/inventory/{PRINT}/movements");

    let mut entries = Vec::new();
    let mut next = format!("{path}?limit=2");
    loop {
        let page = world.call("GET", next.as_str()).send().await;
        entries.extend(page.body["items"].as_array().unwrap().clone());
        let Some(cursor) = page.body["next"].as_str() else { break };
        next = format!("{path}?limit=2&cursor={cursor}");
    }
    let short: Vec<_> = entries
        .iter()
        .map(|entry| {
            let number = |name: &str| entry[name].as_i64().unwrap();
            let kind = entry["kind"].as_str().unwrap();
            (kind, number("quantity"), number("on_hand_change"), number("reserved_change"))
        })
        .collect();
    assert_eq!(
        short,
        [
            ("adjust", 3, -3, 0),
            ("release", 2, 0, -2),
            ("reserve", 2, 0, 2),
            ("reserve", 1, 0, 1),
            ("receive", 10, 10, 0),
        ]
    );
    assert_eq!(entries[0]["reason"], "torn");
    assert_eq!(entries[1]["order_id"], json!(cancelled));
    assert_eq!(entries[1]["reservation_id"], entries[2]["reservation_id"]);
    assert_eq!(entries[3]["order_id"], json!(kept));
    assert_eq!(entries[4]["created_at"], "2027-01-15T08:00:00Z");
    assert!(entries[4].get("order_id").is_none() && entries[4].get("reason").is_none());

    for missing in ["/api/inventory/NOTHING/movements", "/api/inventory/-a/movements"] {
        world.call("GET", missing).send().await.refused(404, "not_found");
    }
    let cursor = world.call("GET", "/api/orders?limit=1").send().await;
    let foreign = format!("{path}?cursor={}", cursor.text("next"));
    world.call("GET", foreign).send().await.refused(422, "invalid_request");
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
    world.intact().await;
}
