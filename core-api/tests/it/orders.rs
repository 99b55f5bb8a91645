//! Promises of `/api/orders`.

use std::time::Duration;

use futures::future::join_all;
use hyper::StatusCode;
use serde_json::json;
use stockade_contract::assertion::Scope;

use crate::world::{PRINT, Stock, World, someone};

#[tokio::test]
async fn an_order_holds_its_stock_and_says_what_it_costs() {
    let world = World::start().await;
    let lines = json!({"lines": [
        {"sku": "MUG-SAND", "quantity": 2},
        {"sku": "LAMP-BRASS", "quantity": 1},
        {"sku": "MUG-SAND", "quantity": 1},
    ]});
    let order = world.by(someone(), "POST", "/api/orders").key("k").json(&lines).send().await;
    order.created();
    assert_eq!(order.header("location"), Some(&*format!("/api/orders/{}", order.text("id"))));
    assert_eq!(order.body["state"], "pending_payment");
    assert_eq!(order.body["total_minor"], 3 * 1_450 + 6_490);
    assert_eq!(order.body["currency"], "EUR");
    assert_eq!(order.body["expires_at"], "2027-01-15T08:15:00Z");
    assert_eq!(
        order.body["lines"],
        json!([
            {"sku": "LAMP-BRASS", "quantity": 1, "unit_price_minor": 6_490},
            {"sku": "MUG-SAND", "quantity": 3, "unit_price_minor": 1_450},
        ])
    );
    assert_eq!(world.stock("MUG-SAND").await, Stock { on_hand: 500, reserved: 3 });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_unit_is_sold_once() {
    let world = World::start().await;
    world.order(someone(), PRINT, 9).send().await.created();
    let (ann, bob) = (world.order(someone(), PRINT, 1), world.order(someone(), PRINT, 1));

    let (first, second) = tokio::join!(ann.send(), bob.send());

    let mut statuses = [first.status, second.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::CREATED, StatusCode::CONFLICT]);
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 10 });
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_buyers_of_twenty_units_get_twenty() {
    let world = World::start().await;
    world.receive(PRINT, 10).send().await.created();

    let buyers = (0..64).map(|_| world.order(someone(), PRINT, 1));
    let answers = join_all(buyers.map(|buyer| async move { buyer.send().await })).await;

    let sold = answers.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(sold, 20);
    for refused in answers.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        refused.refused(409, "out_of_stock");
    }
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 20, reserved: 20 });
    let metrics = world.metrics().await;
    assert!(metrics.contains(r#"orders_total{outcome="placed"} 20"#), "{metrics}");
    assert!(metrics.contains(r#"orders_total{outcome="out_of_stock"} 44"#), "{metrics}");
}

#[tokio::test]
async fn what_is_out_of_stock_is_named_and_nothing_is_held() {
    let world = World::start().await;
    let lines = json!({"lines": [
        {"sku": "MUG-BLUE", "quantity": 1}, {"sku": PRINT, "quantity": 11},
    ]});
    let answer = world.by(someone(), "POST", "/api/orders").key("k").json(&lines).send().await;
    answer.refused(409, "out_of_stock");
    assert_eq!(answer.header("stockade-outcome"), Some("stock_exhausted"));
    assert_eq!(answer.body["detail"], "sku `PRINT-10` has 10 available, 11 wanted");
    assert_eq!(world.stock("MUG-BLUE").await.reserved, 0);
}

#[tokio::test]
async fn a_repeated_order_is_answered_again_and_placed_once() {
    let world = World::start().await;
    let call = world.order(someone(), PRINT, 2);
    let (first, again) = (call.send().await, call.send().await);
    assert_eq!(first.header("idempotency-replayed"), None);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((again.status, &again.body), (first.status, &first.body));

    let spelled_otherwise = format!(r#"{{ "lines":[{{"quantity":2,"sku":"{PRINT}"}}] }}"#);
    let same = call.clone().raw("application/json", &spelled_otherwise).send().await;
    assert_eq!(same.body, first.body);

    let other = call.clone().json(&json!({"lines": [{"sku": PRINT, "quantity": 3}]}));
    other.send().await.refused(422, "idempotency_key_reused");
    assert_eq!(world.stock(PRINT).await.reserved, 2);

    // A key is one account's, and is forgotten after a day.
    let by_another = call.clone().by(&someone().to_string()).send().await;
    assert_eq!(by_another.header("idempotency-replayed"), None);
    world.clock.advance(Duration::from_hours(24));
    let mut tomorrow = call;
    tomorrow.assertion.expires_at += 24 * 60 * 60;
    let tomorrow = tomorrow.send().await;
    tomorrow.created();
    assert_ne!(tomorrow.body["id"], first.body["id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_tries_under_one_key_are_one_order() {
    let world = World::start().await;
    let call = world.order(someone(), PRINT, 1);
    let answers = join_all((0..16).map(|_| call.send())).await;
    let first = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none());
    assert_eq!(first.count(), 1);
    for answer in &answers {
        answer.created();
        assert_eq!(answer.body, answers[0].body);
    }
    assert_eq!(world.stock(PRINT).await.reserved, 1);
}

#[tokio::test]
async fn a_refused_order_does_not_use_up_its_key() {
    let world = World::start().await;
    let call = world.order(someone(), PRINT, 11);
    call.send().await.refused(409, "out_of_stock");
    world.receive(PRINT, 1).send().await.created();
    call.send().await.created();
}

#[tokio::test]
async fn an_order_that_is_not_one_is_refused() {
    let world = World::start().await;
    let call = world.by(someone(), "POST", "/api/orders").key("k");
    let line = json!({"sku": PRINT, "quantity": 1});
    for body in [
        json!({"lines": []}),
        json!({"lines": [{"sku": PRINT, "quantity": 0}]}),
        json!({"lines": [{"sku": PRINT, "quantity": 1001}]}),
        json!({"lines": [{"sku": PRINT, "quantity": 600}, {"sku": PRINT, "quantity": 600}]}),
        json!({"lines": [{"sku": "no such", "quantity": 1}]}),
        json!({"lines": [line], "total_minor": 1}),
        json!({"lines": vec![line.clone(); 51]}),
        json!({}),
    ] {
        let answer = call.clone().json(&body).send().await;
        answer.refused(422, "invalid_request");
        assert!(!answer.text("detail").contains("Request"), "{answer:?}");
    }
    let unknown = call.clone().json(&json!({"lines": [{"sku": "NOTHING", "quantity": 1}]}));
    unknown.send().await.refused(422, "unknown_sku");

    let body = json!({"lines": [line]});
    let keyless = world.by(someone(), "POST", "/api/orders").json(&body);
    keyless.send().await.refused(400, "idempotency_key_missing");
    for key in ["", "a b", &"k".repeat(256)] {
        let answer = call.clone().json(&body).key(key).send().await;
        answer.refused(400, "idempotency_key_invalid");
    }
    let for_others = call.json(&body).scope(Scope::Others);
    for_others.send().await.refused(403, "own_only");
}

#[tokio::test]
async fn the_scope_says_whose_orders_there_are() {
    let world = World::start().await;
    let (ann, bob) = (someone(), someone());
    let anns = world.order(ann, PRINT, 1).send().await.text("id").to_owned();
    let bobs = world.order(bob, PRINT, 1).send().await.text("id").to_owned();

    let visible = async |scope| {
        let list = world.by(ann, "GET", "/api/orders").scope(scope).send().await;
        let mut found = Vec::new();
        for id in [&anns, &bobs] {
            let path = format!("/api/orders/{id}");
            let one = world.by(ann, "GET", path).scope(scope).send().await;
            let items = list.body["items"].as_array().unwrap();
            let listed = items.iter().find(|item| item["id"] == **id);
            assert_eq!(listed.is_some(), one.status == StatusCode::OK, "{one:?}");
            match listed {
                Some(item) => assert_eq!(*item, one.body),
                None => one.refused(404, "not_found"),
            }
            found.extend(listed.map(|item| item["account_id"].as_str().unwrap().to_owned()));
        }
        found
    };
    assert_eq!(visible(Scope::Own).await, [ann.to_string()]);
    assert_eq!(visible(Scope::Others).await, [bob.to_string()]);
    assert_eq!(visible(Scope::Any).await, [ann.to_string(), bob.to_string()]);
}

#[tokio::test]
async fn orders_are_listed_newest_first_page_by_page() {
    let world = World::start().await;
    let ann = someone();
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(world.order(ann, "MUG-BLUE", 1).send().await.text("id").to_owned());
    }
    let mut listed = Vec::new();
    let mut path = "/api/orders?limit=2".to_owned();
    loop {
        let page = world.by(ann, "GET", path.as_str()).send().await;
        let items = page.body["items"].as_array().unwrap();
        listed.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["next"].as_str() else { break };
        path = format!("/api/orders?limit=2&cursor={cursor}");
    }
    placed.reverse();
    assert_eq!(listed, placed);
}

#[tokio::test]
async fn a_hold_that_runs_out_is_for_sale_again() {
    let world = World::start().await;
    let ann = someone();
    let lines = json!({"lines": [
        {"sku": PRINT, "quantity": 10}, {"sku": "MUG-BLUE", "quantity": 4},
    ]});
    let held = world.by(ann, "POST", "/api/orders").key("k").json(&lines).send().await;
    held.created();

    world.clock.advance(Duration::from_secs(15 * 60 - 1));
    world.order(someone(), PRINT, 1).send().await.refused(409, "out_of_stock");
    world.clock.advance(Duration::from_secs(1));
    world.order(someone(), PRINT, 10).send().await.created();

    // All of the order is given back, not only what somebody else wanted.
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 10 });
    assert_eq!(world.stock("MUG-BLUE").await.reserved, 0);
    let path = format!("/api/orders/{}", held.text("id"));
    assert_eq!(world.by(ann, "GET", path).send().await.body["state"], "expired");
}

#[tokio::test]
async fn a_cancelled_order_gives_its_stock_back_once() {
    let world = World::start().await;
    let ann = someone();
    let lines = json!({"lines": [
        {"sku": PRINT, "quantity": 10}, {"sku": "MUG-BLUE", "quantity": 4},
    ]});
    let order = world.by(ann, "POST", "/api/orders").key("k").json(&lines).send().await;
    let id = order.text("id");

    let cancelled = world.cancel(ann, id).send().await;
    assert_eq!((cancelled.status, cancelled.text("state")), (StatusCode::OK, "cancelled"));
    assert_eq!(cancelled.body["lines"], order.body["lines"]);
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 0 });
    assert_eq!(world.stock("MUG-BLUE").await.reserved, 0);
    let read = world.by(ann, "GET", format!("/api/orders/{id}")).send().await;
    assert_eq!(read.body, cancelled.body);

    // Again is the same answer, also much later, and gives nothing back twice.
    world.order(someone(), PRINT, 3).send().await.created();
    assert_eq!(world.cancel(ann, id).send().await.body, cancelled.body);
    world.clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(world.cancel(ann, id).send().await.body, cancelled.body);
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_cancellations_at_once_are_one() {
    let world = World::start().await;
    let ann = someone();
    let order = world.order(ann, PRINT, 10).send().await;
    let call = world.cancel(ann, order.text("id"));
    let buyer = world.order(someone(), PRINT, 10);
    let (answers, bought) = tokio::join!(join_all((0..16).map(|_| call.send())), buyer.send());
    for answer in &answers {
        assert_eq!(answer.text("state"), "cancelled", "{answer:?}");
    }
    let reserved = if bought.status == StatusCode::CREATED { 10 } else { 0 };
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved });
    world.intact().await;
}

#[tokio::test]
async fn only_an_order_that_waits_for_payment_and_is_within_reach_is_cancelled() {
    let world = World::start().await;
    let (ann, bob) = (someone(), someone());
    let id = world.order(ann, PRINT, 2).send().await.text("id").to_owned();
    world.cancel(bob, &id).send().await.refused(404, "not_found");
    let others = world.cancel(ann, &id).scope(Scope::Others);
    others.send().await.refused(404, "not_found");
    let unknown = world.cancel(ann, "018f0000-0000-7000-8000-000000000000");
    unknown.send().await.refused(404, "not_found");
    assert_eq!(world.stock(PRINT).await.reserved, 2);

    let by_staff = world.cancel(bob, &id).scope(Scope::Others).send().await;
    assert_eq!(by_staff.text("state"), "cancelled");
    assert_eq!(by_staff.text("account_id"), ann.to_string());

    let late = world.order(ann, PRINT, 2).send().await.text("id").to_owned();
    world.clock.advance(Duration::from_secs(15 * 60));
    let refused = world.cancel(ann, &late).send().await;
    refused.refused(409, "order_state");
    assert_eq!(refused.body["detail"], "the order is `expired` and cannot be cancelled");
    assert_eq!(world.stock(PRINT).await.reserved, 0);
    world.intact().await;
}
