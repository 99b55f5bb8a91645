//! An order is paid once, by its customer, and money goes back by the hands of admins alone.

use serde_json::{Value, json};
use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::{Client, Stockade};

use crate::orders::{order, stock};

#[tokio::test]
async fn an_order_is_paid_sent_and_refunded_by_those_who_may() {
    let stockade = Stockade::start().await;
    let [customer, staff, admin] = ["customer", "staff", "admin"].map(|role| stockade.member(role));
    let placed = order(&customer, "MUG-BLUE", 2, "order").send().await.json();
    let path = format!("/api/orders/{}", placed["id"].as_str().unwrap());

    let opened = customer.post(&format!("{path}/payments")).key("pay").send().await;
    let again = customer.post(&format!("{path}/payments")).key("pay").send().await;
    assert_eq!((opened.status, again.json()), (201, opened.json()));
    let foreign = staff.post(&format!("{path}/payments")).key("pay").send().await;
    foreign.refused(404, "not_found");
    stockade.pay(&opened.json()).await;
    // The mock tells the edge, by signed webhooks.
    until(&customer, &path, |order| order["state"] == "paid").await;
    assert_eq!(stock(&stockade, "MUG-BLUE").await, (498, 0));

    customer.post(&format!("{path}/ship")).send().await.refused(403, "permission_denied");
    for (step, state) in [("fulfil", "fulfilling"), ("ship", "shipped"), ("deliver", "delivered")] {
        let moved = staff.post(&format!("{path}/{step}")).send().await;
        assert_eq!(moved.json()["state"], state, "{moved:?}");
    }

    let refunds = format!("/api/payments/{}/refunds", opened.json()["id"].as_str().unwrap());
    let refund = |who: &Client, minor: i64| {
        who.post(&refunds).key("back").json(&json!({"amount_minor": minor})).send()
    };
    refund(&customer, 100).await.refused(403, "permission_denied");
    refund(&staff, 100).await.refused(403, "permission_denied");
    let (first, repeated) = (refund(&admin, 100).await, refund(&admin, 100).await);
    assert_eq!((first.status, repeated.json()), (201, first.json()));
    refund(&admin, 101).await.refused(422, "idempotency_key_reused");
    until(&customer, &format!("{path}/payments"), |list| {
        let payment = &list["items"][0];
        payment["refunded_minor"] == 100 && payment["refunds"][0]["state"] == "succeeded"
    })
    .await;

    let dead = admin.get("/api/admin/jobs/dead").send().await;
    assert_eq!(dead.json()["items"], json!([]));
    staff.get("/api/admin/jobs/dead").send().await.refused(403, "permission_denied");
}

#[tokio::test]
async fn whoever_forges_webhooks_is_refused_and_then_shut_out() {
    let stockade = Stockade::start().await;
    let forge = || {
        let webhook = stockade.visitor().post("/api/webhooks/stripe");
        let event = json!({"id": "evt_1", "type": "payment_intent.succeeded", "data": {}});
        webhook.header("stripe-signature", "t=1800000000,v1=00").json(&event).send()
    };
    for _ in 0..20 {
        forge().await.refused(400, "webhook_signature");
    }
    forge().await.refused(429, "rate_limited");
    let metrics = stockade.metrics().await;
    let counted = r#"stockade_edge_outcomes_total{outcome="webhook_rejected"} 20"#;
    assert!(metrics.contains(counted), "{metrics}");
}

/// Until what a client reads there is like this.
async fn until(client: &Client, path: &str, is_so: impl Fn(&Value) -> bool) {
    let look = || async { is_so(&Box::pin(client.get(path).send()).await.json()) };
    eventually_yes(format!("what is awaited of {path}"), look).await;
}
