//! Promises of payments, refunds and the provider's webhooks.

use std::time::Duration;

use serde_json::{Value, json};

use crate::till::Till;
use crate::world::{PRINT, Stock, World, someone};

#[tokio::test]
async fn a_paid_order_leaves_the_stock_and_goes_its_way() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 2).await;
    till.confirmed(ann, &order).await;
    till.until_paid(&order).await;
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 8, reserved: 0 });
    let payments = till.payments(&order).await;
    assert_eq!(payments[0]["captured_minor"], 24_000);

    till.step(&order, "ship").send().await.refused(409, "order_state");
    till.world.cancel(ann, &order).send().await.refused(409, "order_state");
    for (step, state) in [("fulfil", "fulfilling"), ("ship", "shipped"), ("deliver", "delivered")] {
        for _ in 0..2 {
            assert_eq!(till.step(&order, step).send().await.body["state"], state);
        }
    }
    let back = till.step(&order, "return").json(&json!({"restock": true}));
    for _ in 0..2 {
        assert_eq!(back.send().await.body["state"], "returned");
    }
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 10, reserved: 0 });
    till.step(&order, "fulfil").send().await.refused(409, "order_state");

    let events = till.world.by(ann, "GET", format!("/api/orders/{order}/events")).send().await;
    let moves: Vec<_> = events.body["items"].as_array().unwrap().iter().collect();
    let states: Vec<_> = moves.iter().map(|one| one["to"].as_str().unwrap()).collect();
    assert_eq!(states, ["paid", "fulfilling", "shipped", "delivered", "returned"]);
    assert!(moves[0]["account_id"].is_null() && moves[1]["account_id"].is_string());
    till.world.intact().await;
}

#[tokio::test]
async fn goods_that_are_lost_are_not_for_sale_again() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 2).await;
    till.confirmed(ann, &order).await;
    till.until_paid(&order).await;
    let lost = till.step(&order, "return").json(&json!({"restock": false})).send().await;
    assert_eq!(lost.body["state"], "returned");
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 8, reserved: 0 });
    till.world.intact().await;
}

#[tokio::test]
async fn a_payment_is_opened_once_for_each_key_and_by_its_owner() {
    let till = Till::start().await;
    let (ann, bob) = (someone(), someone());
    let order = till.ordered(ann, PRINT, 1).await;
    let call = till.open(ann, &order);
    let (first, again) = (call.send().await, call.send().await);
    first.created();
    assert_eq!(again.body, first.body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(
        (&first.body["state"], &first.body["amount_minor"]),
        (&json!("open"), &json!(12_000))
    );
    assert!(first.text("client_secret").starts_with(first.text("provider_ref")));

    till.open(bob, &order).send().await.refused(404, "not_found");
    let theirs = till.world.by(bob, "GET", format!("/api/orders/{order}/payments")).send().await;
    theirs.refused(404, "not_found");
    let shown = till.payments(&order).await;
    assert_eq!(shown.len(), 1);
    assert!(shown[0]["client_secret"].is_null(), "it is kept nowhere");

    for _ in 1..5 {
        till.open(ann, &order).send().await.created();
    }
    till.open(ann, &order).send().await.refused(409, "too_many_payments");
    let other = till.ordered(ann, PRINT, 1).await;
    let same_key = till.open(ann, &other).key("one-key");
    same_key.send().await.created();
    till.open(ann, &order).key("one-key").send().await.refused(422, "idempotency_key_reused");
}

#[tokio::test]
async fn an_order_has_twenty_payments_at_most() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    for at in 0..20 {
        let opened = till.open(ann, &order).send().await;
        opened.created();
        let path = format!("/v1/payment_intents/{}/cancel", opened.text("provider_ref"));
        assert_eq!(till.provider("POST", &path, "").await["status"], "canceled");
        till.until(&order, at, |payment| payment["state"] == "cancelled").await;
    }
    till.open(ann, &order).send().await.refused(409, "too_many_payments");
}

#[tokio::test]
async fn a_cancelled_order_gives_its_payments_up() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.open(ann, &order).send().await;
    till.world.cancel(ann, &order).send().await;
    till.until(&order, 0, |payment| payment["state"] == "cancelled").await;
    assert_eq!(till.intent(&opened).await["status"], "canceled");
    till.open(ann, &order).send().await.refused(409, "order_state");
    till.world.intact().await;
}

#[tokio::test]
async fn a_declined_card_leaves_the_payment_open() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.open(ann, &order).send().await;
    let declined = till.confirm(&opened, "pm_card_chargeDeclined").await;
    assert_eq!(declined["error"]["code"], "card_declined");
    till.tell().await;
    assert_eq!(till.state(&order).await, "pending_payment");
    till.confirm(&opened, "pm_card_visa").await;
    till.until_paid(&order).await;
}

#[tokio::test]
async fn late_money_pays_while_there_is_stock_and_goes_back_when_there_is_not() {
    let till = Till::start().await;
    let (ann, bob) = (someone(), someone());
    let orders = [till.ordered(ann, PRINT, 4).await, till.ordered(bob, PRINT, 4).await];
    let paid = [till.confirmed(ann, &orders[0]).await, till.confirmed(bob, &orders[1]).await];
    till.world.clock.advance(Duration::from_mins(16));
    // Somebody else was quicker: two prints less, so that one of both can have theirs.
    let carl = someone();
    till.ordered(carl, PRINT, 5).await;
    for one in &paid {
        till.capture(one).await;
    }
    till.until(&orders[0], 0, |payment| payment["state"] == "captured").await;
    till.until(&orders[1], 0, |payment| payment["refunded_minor"] == 48_000).await;
    assert_eq!(till.state(&orders[0]).await, "paid");
    assert_eq!(till.state(&orders[1]).await, "expired");
    let back = &till.payments(&orders[1]).await[0]["refunds"][0];
    assert_eq!((&back["reason"], &back["state"]), (&json!("late"), &json!("succeeded")));
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 6, reserved: 5 });
    till.world.intact().await;
}

#[tokio::test]
async fn of_two_payments_for_one_order_one_goes_back() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let paid = [till.confirmed(ann, &order).await, till.confirmed(ann, &order).await];
    for one in &paid {
        till.capture(one).await;
    }
    till.until(&order, 1, |payment| payment["refunded_minor"] == 12_000).await;
    let payments = till.payments(&order).await;
    assert_eq!(payments[0]["refunded_minor"], 0);
    assert_eq!(payments[1]["refunds"][0]["reason"], "double");
    assert_eq!(till.state(&order).await, "paid");
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 9, reserved: 0 });
    till.world.intact().await;
}

#[tokio::test]
async fn a_payment_is_given_back_in_fifty_parts_at_most() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    let payment = opened.text("id").to_owned();
    till.until_paid(&order).await;
    let first = till.refund(&payment, Some(1));
    first.send().await.created();
    for _ in 1..50 {
        till.refund(&payment, Some(1)).send().await.created();
    }
    till.refund(&payment, Some(1)).send().await.refused(409, "too_many_refunds");
    // What was asked for before is still answered.
    first.send().await.created();
    till.until(&order, 0, |payment| payment["refunded_minor"] == 50).await;
    assert_eq!(till.payments(&order).await[0]["refunds"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn refunds_are_bounded_by_what_was_taken() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    let payment = opened.text("id").to_owned();
    till.refund(&payment, None).send().await.refused(409, "refund_too_large");
    till.until_paid(&order).await;

    let part = till.refund(&payment, Some(5_000));
    let (first, again) = (part.send().await, part.send().await);
    first.created();
    assert_eq!((&first.body["state"], &again.body), (&json!("pending"), &first.body));
    till.refund(&payment, Some(7_001)).send().await.refused(409, "refund_too_large");
    till.refund(&payment, Some(0)).send().await.refused(422, "invalid_request");
    till.refund(&payment, None).send().await.created();
    till.refund(&payment, None).send().await.refused(409, "refund_too_large");
    till.until(&order, 0, |payment| payment["refunded_minor"] == 12_000).await;
    till.until(&order, 0, |payment| {
        payment["refunds"].as_array().unwrap().iter().all(|one| one["state"] == "succeeded")
    })
    .await;
    assert_eq!(till.intent(&opened).await["latest_charge"]["amount_refunded"], 12_000);
    let theirs = till.refund(&payment, Some(1)).by(&ann.to_string());
    theirs
        .scope(stockade_contract::assertion::Scope::Others)
        .send()
        .await
        .refused(404, "not_found");
    till.world.intact().await;
}

#[tokio::test]
async fn only_signed_events_are_believed_each_once() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    till.capture(&opened).await;
    let events = till.events().await;
    let succeeded = events.iter().find(|event| event.contains("payment_intent.succeeded")).unwrap();

    let unsigned =
        till.world.call("POST", "/api/webhooks/stripe").raw("application/json", succeeded);
    for refused in [
        unsigned.clone(),
        unsigned.clone().header("stripe-signature", "t=1,v1=00"),
        till.webhook(succeeded).raw("application/json", &succeeded.replace("12000", "12001")),
        till.webhook(succeeded).header("stripe-signature", "t=1,v1=00"),
    ] {
        let answer = refused.send().await;
        answer.refused(400, "webhook_signature");
        assert_eq!(answer.header("stockade-outcome"), Some("webhook_rejected"));
    }
    let stale = till.webhook(succeeded);
    till.world.clock.advance(Duration::from_secs(301));
    let mut stale = stale;
    stale.assertion.expires_at += 301;
    stale.send().await.refused(400, "webhook_signature");
    assert_eq!(till.state(&order).await, "pending_payment");

    for _ in 0..3 {
        assert_eq!(till.webhook(succeeded).send().await.status, 200);
        assert_eq!(till.signed_with_the_old_secret(succeeded).send().await.status, 200);
    }
    assert_eq!(till.state(&order).await, "paid");
    let unknown = json!({"id": "evt_x", "type": "customer.created", "data": {"object": {}}});
    assert_eq!(till.webhook(&unknown.to_string()).send().await.status, 200);
    till.webhook("").send().await.refused(400, "invalid_event");
    till.webhook("é").send().await.refused(400, "invalid_event");
    let elsewhere = till.world.call("POST", "/api/webhooks/paypal").raw("application/json", "{}");
    elsewhere.send().await.refused(404, "not_found");
    let long = till.webhook(&" ".repeat(256 * 1024 + 1));
    long.send().await.refused(413, "body_too_large");
    let metrics = till.world.metrics().await;
    for line in [
        r#"webhooks_total{outcome="applied"} 1"#,
        r#"webhooks_total{outcome="duplicate"} 5"#,
        r#"webhooks_total{outcome="ignored"} 1"#,
        r#"webhooks_total{outcome="webhook_signature"} 5"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    till.world.intact().await;
}

#[tokio::test]
async fn a_crash_between_asking_and_booking_loses_and_doubles_nothing() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    till.until_paid(&order).await;
    let mut till = till;
    for _ in 0..4 {
        till.refund(opened.text("id"), Some(1_000)).send().await.created();
        let Till { world, mock, gate } = till;
        till = Till { world: world.crash().await, mock, gate };
    }
    // What was leased when it crashed is due again when the lease is over.
    till.world.clock.advance(Duration::from_mins(3));
    till.until(&order, 0, |payment| {
        let refunds = payment["refunds"].as_array().unwrap();
        refunds.len() == 4 && refunds.iter().all(|one| one["state"] == "succeeded")
    })
    .await;
    assert_eq!(till.intent(&opened).await["latest_charge"]["amount_refunded"], 4_000);
    till.world.intact().await;
}

#[tokio::test]
async fn what_the_provider_refuses_waits_for_a_person() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    till.until_paid(&order).await;
    let till = till.forget().await;
    till.refund(opened.text("id"), None).send().await.created();

    let dead = until_dead(&till).await;
    assert_eq!((&dead["kind"], &dead["attempts"]), (&json!("refund"), &json!(1)));
    let why = "the payment provider refused with status 404, code `resource_missing`";
    assert_eq!(dead["last_error"], why);
    let retry = format!("/api/admin/jobs/dead/{}/retry", dead["id"].as_str().unwrap());
    assert_eq!(till.world.call("POST", &retry).send().await.status, 204);
    let again = until_dead(&till).await;
    assert_eq!((&again["subject_id"], &again["attempts"]), (&dead["subject_id"], &json!(1)));
    till.world.call("POST", &retry).send().await.refused(404, "not_found");
    let unknown = format!("/api/admin/jobs/dead/{}/retry", someone());
    till.world.call("POST", unknown).send().await.refused(404, "not_found");
    till.world.intact().await;
}

async fn until_dead(till: &Till) -> Value {
    let waiting = async {
        loop {
            let list = till.world.call("GET", "/api/admin/jobs/dead").send().await;
            if let Some(job) = list.body["items"].get(0) {
                break job.clone();
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap()
}

#[tokio::test]
async fn without_a_provider_nobody_can_pay_and_nothing_is_believed() {
    let world = World::start().await;
    let ann = someone();
    let order = world.order(ann, PRINT, 1).send().await.text("id").to_owned();
    let open = world.by(ann, "POST", format!("/api/orders/{order}/payments")).key("k");
    open.send().await.refused(503, "payments_unavailable");
    open.send().await.refused(503, "payments_unavailable");
    let webhook = world.call("POST", "/api/webhooks/stripe").raw("application/json", "{}");
    let webhook = webhook.header("stripe-signature", "t=1800000000,v1=00");
    webhook.send().await.refused(400, "webhook_signature");
    world.intact().await;
}
