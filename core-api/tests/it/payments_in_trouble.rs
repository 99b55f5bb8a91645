//! Promises of payments while the provider is broken, slow, or not heard.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::gate::Fate;
use crate::till::Till;
use crate::world::{PRINT, Stock, someone};

fn captured(payment: &Value) -> bool {
    payment["state"] == "captured"
}

fn refunded(minor: i64) -> impl Fn(&Value) -> bool {
    move |payment| payment["refunded_minor"] == minor
}

#[tokio::test]
async fn whatever_answer_is_lost_everything_is_done_once() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    for end in ["/v1/payment_intents", "/capture", "/v1/refunds"] {
        till.gate.next(end, Fate::AnswerLost);
        till.gate.next(end, Fate::AnswerLost);
    }
    let open = till.open(ann, &order);
    for _ in 0..2 {
        open.send().await.refused(503, "payments_unavailable");
    }
    let opened = open.send().await;
    opened.created();
    let intents = till.gate.seen("/v1/payment_intents");
    assert_eq!(intents.len(), 3);
    assert!(intents.iter().all(|one| *one == intents[0] && one.key.is_some()), "{intents:?}");

    till.confirm(&opened, "pm_card_visa").await;
    till.tell().await;
    till.in_time(&order, 0, captured).await;
    assert_eq!(till.state(&order).await, "paid");

    till.refund(opened.text("id"), Some(5_000)).send().await.created();
    till.in_time(&order, 0, refunded(5_000)).await;
    let charge = &till.intent(&opened).await["latest_charge"];
    assert_eq!(
        (&charge["amount_captured"], &charge["amount_refunded"]),
        (&json!(12_000), &json!(5_000))
    );
    // What was made is found; it is not asked for again.
    assert_eq!(till.gate.seen("/v1/refunds").len(), 1);
    assert_eq!(till.payments(&order).await.len(), 1);
    till.world.intact().await;
}

#[tokio::test]
async fn a_provider_that_is_broken_is_asked_until_it_answers() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    for status in [500, 502, 429, 503, 409, 401, 500] {
        till.gate.next("/capture", Fate::Refused(status, "broken"));
    }
    till.confirmed(ann, &order).await;
    till.tell().await;
    till.in_time(&order, 0, captured).await;
    assert_eq!(till.state(&order).await, "paid");
    // A 500 is kept under its key: three tries, and then another key. Any other answer, or none,
    // leaves the key as it is.
    let asked = till.gate.seen("/capture");
    let runs: Vec<_> = asked.chunk_by(|one, next| one == next).map(<[_]>::len).collect();
    assert_eq!(runs, [3, 8, 1], "{asked:?}");
    till.world.intact().await;
}

#[tokio::test]
async fn what_broke_after_it_was_done_is_found_done() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    till.gate.next("/capture", Fate::DoneAndBroken);
    let opened = till.confirmed(ann, &order).await;
    till.tell().await;
    till.in_time(&order, 0, captured).await;
    assert_eq!(till.state(&order).await, "paid");
    let keys = |end: &str| till.gate.seen(end).into_iter().map(|one| one.key).collect::<Vec<_>>();
    assert!(keys("/capture").iter().all(|key| *key == keys("/capture")[0]));

    till.gate.next("/v1/refunds", Fate::DoneAndBroken);
    till.refund(opened.text("id"), Some(5_000)).send().await.created();
    till.in_time(&order, 0, |payment| payment["refunds"][0]["state"] == "succeeded").await;
    assert_eq!(till.intent(&opened).await["latest_charge"]["amount_refunded"], 5_000);
    assert!(keys("/v1/refunds").iter().all(|key| *key == keys("/v1/refunds")[0]));

    // Broken before it was done, it is made under another key: once.
    till.gate.next("/v1/refunds", Fate::Refused(500, "broken"));
    till.refund(opened.text("id"), Some(2_000)).send().await.created();
    till.in_time(&order, 0, refunded(7_000)).await;
    assert_eq!(till.intent(&opened).await["latest_charge"]["amount_refunded"], 7_000);
    till.world.intact().await;
}

#[tokio::test]
async fn while_a_provider_is_slow_others_buy_and_pay() {
    let till = Till::start().await;
    let (ann, bob) = (someone(), someone());
    let slow = till.ordered(ann, PRINT, 1).await;
    let (told, done) = oneshot::channel();
    let (go_on, held) = oneshot::channel();
    till.gate.next("/capture", Fate::AnswerHeld(told, held));
    till.confirmed(ann, &slow).await;
    till.tell().await;
    done.await.unwrap();

    let order = till.ordered(bob, PRINT, 1).await;
    let opened = till.confirmed(bob, &order).await;
    till.capture(&opened).await;
    till.until(&order, 0, captured).await;
    assert_eq!(till.state(&order).await, "paid");
    go_on.send(()).unwrap();
    till.until(&slow, 0, captured).await;
    assert_eq!(till.state(&slow).await, "paid");
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 8, reserved: 0 });
    till.world.intact().await;
}

#[tokio::test]
async fn money_that_is_taken_while_the_order_is_cancelled_goes_back() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let (told, done) = oneshot::channel();
    let (go_on, held) = oneshot::channel();
    till.gate.next("/capture", Fate::AnswerHeld(told, held));
    let opened = till.confirmed(ann, &order).await;
    till.tell().await;
    done.await.unwrap();

    // The provider has taken it, and nobody here knows.
    assert_eq!(till.world.cancel(ann, &order).send().await.body["state"], "cancelled");
    go_on.send(()).unwrap();
    till.in_time(&order, 0, refunded(12_000)).await;
    assert_eq!(till.payments(&order).await[0]["refunds"][0]["reason"], "late");
    assert_eq!(till.intent(&opened).await["latest_charge"]["amount_refunded"], 12_000);
    assert_eq!(till.state(&order).await, "cancelled");
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 10, reserved: 0 });
    till.world.intact().await;
}

#[tokio::test]
async fn answers_that_come_after_later_news_change_nothing() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    till.until_paid(&order).await;
    let (told, done) = oneshot::channel();
    let (go_on, held) = oneshot::channel();
    till.gate.next("/v1/refunds", Fate::AnswerHeld(told, held));
    till.refund(opened.text("id"), Some(2_000)).send().await.created();
    done.await.unwrap();
    // Its webhooks are here before its answer.
    till.until(&order, 0, refunded(2_000)).await;
    go_on.send(()).unwrap();
    till.until(&order, 0, |payment| payment["refunds"][0]["state"] == "succeeded").await;
    assert_eq!(till.payments(&order).await[0]["refunded_minor"], 2_000);
    assert_eq!(till.state(&order).await, "paid");
    till.world.intact().await;
}

#[tokio::test]
async fn a_dead_job_is_raised_under_a_key_of_its_own_and_does_nothing_twice() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 1).await;
    let opened = till.confirmed(ann, &order).await;
    till.until_paid(&order).await;

    // Refused once: the provider would repeat that to the same key.
    till.gate.next("/v1/refunds", Fate::Refused(400, "balance_insufficient"));
    till.refund(opened.text("id"), Some(1_000)).send().await.created();
    raise(&till).await;
    till.until(&order, 0, refunded(1_000)).await;
    let [first, second] = till.gate.seen("/v1/refunds").try_into().unwrap();
    assert_ne!(first.key, second.key);

    // Made, and not heard of: it is found, not made again.
    till.gate.next("/v1/refunds", Fate::AnswerLost);
    till.refund(opened.text("id"), Some(2_000)).send().await.created();
    till.in_time(&order, 0, refunded(3_000)).await;
    assert_eq!(till.intent(&opened).await["latest_charge"]["amount_refunded"], 3_000);
    assert_eq!(till.gate.seen("/v1/refunds").len(), 3);
    let metrics = till.world.metrics().await;
    for line in [
        r#"jobs_total{kind="refund",outcome="dead"} 1"#,
        r#"jobs_total{kind="refund",outcome="done"} 2"#,
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    till.world.intact().await;
}

/// Has the first dead job tried again.
async fn raise(till: &Till) {
    let waiting = async {
        loop {
            let list = till.world.call("GET", "/api/admin/jobs/dead").send().await;
            if let Some(job) = list.body["items"].get(0) {
                break job["id"].as_str().unwrap().to_owned();
            }
            tokio::task::yield_now().await;
        }
    };
    let job = tokio::time::timeout(Duration::from_secs(60), waiting).await.unwrap();
    let retry = till.world.call("POST", format!("/api/admin/jobs/dead/{job}/retry"));
    assert_eq!(retry.send().await.status, 204);
}
