//! Promises of `/api/inventory`.

use std::time::Duration;

use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use tokio::task::JoinSet;

use crate::world::{PRINT, Stock, World, someone};

/// How long an order holds its stock.
const HOLD: Duration = Duration::from_mins(15);

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
    assert_eq!(
        below.body["detail"],
        "4 of sku `PRINT-10` are reserved, 3 would be left; \
         cancel orders that hold it, the newest first, and repeat this"
    );
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

#[tokio::test]
async fn what_was_counted_is_on_hand() {
    let world = World::start().await;
    world.order(someone(), PRINT, 4).send().await.created();

    let fewer = world.stocktake(PRINT, 7).send().await;
    fewer.created();
    assert_eq!((&fewer.body["kind"], &fewer.body["quantity"]), (&json!("stocktake"), &json!(3)));
    assert_eq!((&fewer.body["on_hand_change"], &fewer.body["on_hand"]), (&json!(-3), &json!(7)));
    let more = world.stocktake(PRINT, 12).send().await;
    assert_eq!((&more.body["on_hand_change"], &more.body["on_hand"]), (&json!(5), &json!(12)));
    // That somebody counted is worth an entry, also where the books were right.
    let same = world.stocktake(PRINT, 12).send().await;
    same.created();
    assert_eq!((&same.body["quantity"], &same.body["on_hand_change"]), (&json!(0), &json!(0)));

    let call = world.stocktake(PRINT, 11);
    let (first, again) = (call.send().await, call.send().await);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.body, first.body);
    let other = call.json(&json!({"counted": 10, "reason": "another count"}));
    other.send().await.refused(422, "idempotency_key_reused");

    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 11, reserved: 4 });
    let ledger = world.call("GET", format!("/api/inventory/{PRINT}/movements")).send().await;
    let newest = &ledger.body["items"][0];
    assert_eq!((&newest["kind"], &newest["reason"]), (&json!("stocktake"), &json!("counted")));
    world.intact().await;
}

#[tokio::test]
async fn a_stocktake_that_is_not_one_is_refused() {
    let world = World::start().await;
    let path = format!("/api/inventory/{PRINT}/stocktake");
    let call = world.by(someone(), "POST", path).key("k");
    for body in [
        json!({"counted": -1, "reason": "r"}),
        json!({"counted": 1_000_000_001, "reason": "r"}),
        json!({"counted": 1.5, "reason": "r"}),
        json!({"counted": "1", "reason": "r"}),
        json!({"counted": 1, "reason": ""}),
        json!({"counted": 1, "reason": "a\nb"}),
        json!({"counted": 1}),
        json!({"reason": "r"}),
        json!({"counted": 1, "reason": "r", "delta": 1}),
        json!([1, "r"]),
    ] {
        call.clone().json(&body).send().await.refused(422, "invalid_request");
    }
    world.stocktake("NOTHING", 1).send().await.refused(404, "not_found");
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 0 });
}

/// The orders that a refusal names, and what they hold.
fn named(refusal: &Value) -> Vec<(String, i64)> {
    let orders = refusal["orders"].as_array().unwrap().iter();
    orders
        .map(|order| {
            assert_eq!(order["state"], "pending_payment");
            assert!(order["expires_at"].is_string());
            (order["id"].as_str().unwrap().to_owned(), order["quantity"].as_i64().unwrap())
        })
        .collect()
}

#[tokio::test]
async fn a_count_below_what_is_reserved_names_the_orders_that_lose_and_changes_nothing() {
    let world = World::start().await;
    let (ann, mut orders) = (someone(), Vec::new());
    for quantity in [3, 2, 1] {
        orders.push(world.order(ann, PRINT, quantity).send().await.text("id").to_owned());
    }
    world.order(ann, "MUG-BLUE", 1).send().await.created();
    let [_, second, third] = <[String; 3]>::try_from(orders).unwrap();

    let count = world.stocktake(PRINT, 4);
    let refused = count.send().await;
    refused.refused(409, "below_reserved");
    assert_eq!((&refused.body["reserved"], &refused.body["missing"]), (&json!(6), &json!(2)));
    let losers = [(third.clone(), 1), (second.clone(), 2)];
    assert_eq!(named(&refused.body), losers);
    assert_eq!(refused.body["more_orders"], false);
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 6 });

    // An adjustment is told the same.
    let refused = world.adjust(PRINT, -6, "stolen").send().await;
    refused.refused(409, "below_reserved");
    assert_eq!(named(&refused.body), losers);
    // More than there is cannot be taken, whatever is cancelled.
    let refused = world.adjust(PRINT, -11, "stolen").send().await;
    refused.refused(409, "below_reserved");
    assert!(refused.text("detail").ends_with("no more can be taken than there is"));

    // The way on: cancel what was named, and repeat the very request.
    for (order, _) in losers {
        world.cancel(ann, &order).send().await;
    }
    count.send().await.created();
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 4, reserved: 3 });
    world.intact().await;
}

#[tokio::test]
async fn a_count_is_taken_when_what_was_reserved_has_run_out() {
    let world = World::start().await;
    world.order(someone(), PRINT, 6).send().await.created();
    world.stocktake(PRINT, 5).send().await.refused(409, "below_reserved");
    world.clock.advance(HOLD);
    world.stocktake(PRINT, 5).send().await.created();
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 5, reserved: 0 });
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_counted_while_it_is_sold_is_right_afterwards() {
    let world = World::start().await;
    let calls = (0..40).map(|at| match at % 4 {
        0 => world.stocktake(PRINT, 8 + at % 3),
        _ => world.order(someone(), PRINT, 1),
    });
    let calls: JoinSet<_> = calls.map(|call| async move { call.send().await }).collect();
    for answer in calls.join_all().await {
        assert!([201, 409].contains(&answer.status.as_u16()), "{answer:?}");
    }
    let stock = world.stock(PRINT).await;
    assert!(stock.reserved <= stock.on_hand && (8..=10).contains(&stock.on_hand), "{stock:?}");
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_runs_out_while_all_ask_for_it_is_given_back_once() {
    let world = World::start().await;
    let ann = someone();
    let order = world.order(ann, PRINT, 10).send().await.text("id").to_owned();
    world.clock.advance(HOLD);

    // Buyers, the sweep, a stocktake and its owner find it at the same moment.
    let mut calls: Vec<_> = (0..20).map(|_| world.order(someone(), PRINT, 1)).collect();
    calls.push(world.stocktake(PRINT, 10));
    calls.push(world.cancel(ann, &order));
    let calls: JoinSet<_> =
        calls.into_iter().map(|call| async move { call.send().await }).collect();
    let answers = calls.join_all().await;
    let placed = answers.iter().filter(|answer| answer.body["state"] == "pending_payment").count();
    assert_eq!(placed, 10, "{answers:?}");
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 10 });
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_asks_for_is_for_sale_again_by_itself() {
    let world = World::start().await;
    for _ in 0..5 {
        world.order(someone(), PRINT, 2).send().await.created();
    }
    world.clock.advance(HOLD - Duration::from_secs(1));
    assert_eq!(world.stock(PRINT).await.reserved, 10);
    world.clock.advance(Duration::from_secs(1));
    while world.stock(PRINT).await.reserved > 0 {
        tokio::task::yield_now().await;
    }
    world.intact().await;
}

#[tokio::test]
async fn what_is_low_is_told_once_and_listed() {
    let world = World::start().await;
    let path = format!("/api/inventory/{PRINT}");
    let set = world.by(someone(), "PATCH", path).scope(Scope::Any).json(&json!({"low_at": 4}));
    let set = set.send().await;
    assert_eq!((&set.body["low_at"], &set.body["low"]), (&json!(4), &json!(false)), "{set:?}");
    let outcome = |answer: &crate::call::Answer| {
        answer.created();
        answer.header("stockade-outcome").map(str::to_owned)
    };
    let low = Some("stock_low".to_owned());

    assert_eq!(outcome(&world.order(someone(), PRINT, 5).send().await), None);
    assert_eq!(outcome(&world.order(someone(), PRINT, 1).send().await), low);
    // It is low already, and then it is not.
    assert_eq!(outcome(&world.order(someone(), PRINT, 1).send().await), None);
    assert_eq!(outcome(&world.receive(PRINT, 5).send().await), None);
    assert_eq!(outcome(&world.stocktake(PRINT, 11).send().await), low);
    let metrics = world.metrics().await;
    assert!(metrics.contains("\nstockade_core_stock_low_total 2\n"), "{metrics}");

    let list = world.call("GET", "/api/inventory?low=true").send().await;
    let stock = json!({"sku": PRINT, "on_hand": 11, "reserved": 7, "available": 4, "low_at": 4, "low": true});
    assert_eq!(list.body, json!({"items": [stock], "next": null}));
    let all = world.call("GET", "/api/inventory?low=false&limit=100").send().await;
    assert!(all.body["items"].as_array().unwrap().len() > 1);
    world.call("GET", "/api/inventory?low=perhaps").send().await.refused(422, "invalid_request");
    world.intact().await;
}

#[tokio::test]
async fn a_sku_that_says_nothing_is_low_at_what_the_settings_say() {
    let world = World::start_with(|settings| settings.low_stock_at = Some(6)).await;
    let placed = world.order(someone(), PRINT, 4).send().await;
    assert_eq!(placed.header("stockade-outcome"), Some("stock_low"));

    let path = format!("/api/inventory/{PRINT}");
    let set = |low_at: Value| {
        let call = world.by(someone(), "PATCH", path.clone()).scope(Scope::Any);
        call.json(&json!({"low_at": low_at}))
    };
    for (own, low_at, low) in [(json!(0), 0, false), (json!(6), 6, true), (Value::Null, 6, true)] {
        let set = set(own).send().await;
        assert_eq!((&set.body["low_at"], &set.body["low"]), (&json!(low_at), &json!(low)));
    }
    for wrong in [json!(-1), json!(1.5), json!("1"), json!(1_000_000_001)] {
        set(wrong).send().await.refused(422, "invalid_request");
    }
    let nothing = world.by(someone(), "PATCH", path.clone()).scope(Scope::Any).json(&json!({}));
    nothing.send().await.refused(422, "invalid_request");
    let unknown = world.by(someone(), "PATCH", "/api/inventory/NOTHING").scope(Scope::Any);
    unknown.json(&json!({"low_at": 1})).send().await.refused(404, "not_found");

    // Its own threshold is kept.
    set(json!(3)).send().await;
    let world = world.restart().await;
    let list = world.call("GET", "/api/inventory?limit=100").send().await;
    let items = list.body["items"].as_array().unwrap();
    let at = |sku: &str| items.iter().find(|item| item["sku"] == sku).unwrap()["low_at"].clone();
    assert_eq!((at(PRINT), at("MUG-BLUE")), (json!(3), json!(6)));
}
