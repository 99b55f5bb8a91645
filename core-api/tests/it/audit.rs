//! Whatever is done is told, in the transaction in which it is done; and what cannot be told is
//! not done.

use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use stockade_settings::store::Writers;
use uuid::Uuid;

use crate::backend::close_audit;
use crate::till::Till;
use crate::world::{PRINT, World, someone};

const PASSWORD: &str = "correct horse battery";

/// A world with one writer, so that acts of one moment have an order.
async fn start() -> World {
    World::start_with(|settings| settings.store.writers = Writers::ONE).await
}

/// The acts that fit, newest first.
async fn acts(world: &World, query: &str) -> Vec<Value> {
    let answer = world.call("GET", format!("/api/admin/audit?limit=100&{query}")).send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

/// What was done, oldest first, but for reading the trail.
async fn told(world: &World, query: &str) -> Vec<String> {
    let word = |act: &Value| {
        let words = [&act["action"], &act["outcome"], &act["detail"]];
        words.into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
    };
    let mut told: Vec<_> = acts(world, query).await.iter().map(word).collect();
    told.retain(|words| !words.starts_with("audit."));
    told.reverse();
    told
}

async fn register(world: &World, name: &str) -> String {
    let email = format!("{name}@example.com");
    let body = json!({"username": name, "password": PASSWORD, "email": email});
    let answer = world.call("POST", "/api/auth/register").json(&body).send().await;
    answer.text("id").to_owned()
}

async fn log_in(world: &World, name: &str, password: &str) -> u16 {
    let password = password.replace(' ', "+");
    let form = format!("grant_type=password&username={name}&password={password}");
    let form_type = "application/x-www-form-urlencoded";
    let answer = world.call("POST", "/api/auth/token").raw(form_type, &form).send().await;
    answer.status.as_u16()
}

#[tokio::test]
async fn an_act_says_who_did_what_to_what_in_which_request() {
    let world = start().await;
    let (ann, bob) = (register(&world, "ann").await, someone());
    let mut call = world.by(bob, "PATCH", format!("/api/admin/users/{ann}")).scope(Scope::Any);
    call.assertion.roles = "staff super-admin".to_owned();
    call.assertion.request_id = "00000000aabbccdd".to_owned();
    let answer = call.json(&json!({"role": "staff", "disabled": true})).send().await;
    assert_eq!(answer.status, 200);

    let found = acts(&world, &format!("object={ann}&action=account.role_changed")).await;
    let [act] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(act["actor"], bob.to_string());
    assert_eq!(act["roles"], json!(["staff", "super-admin"]));
    assert_eq!(act["decision_id"], "00000000aabbccdd");
    assert_eq!((&act["object_kind"], &act["object_id"]), (&json!("account"), &json!(ann)));
    assert_eq!((&act["outcome"], &act["detail"]), (&json!("done"), &json!("to_staff")));
    assert_eq!(act["at"], "2027-01-15T08:00:00Z");

    let all = [
        "account.registered done to_customer",
        "account.role_changed done to_staff",
        "account.disabled done",
        "account.sessions_ended done",
    ];
    assert_eq!(told(&world, &format!("object={ann}")).await, all);
    assert_eq!(told(&world, &format!("actor={bob}")).await, all[1..]);
}

#[tokio::test]
async fn logins_are_told_whether_they_succeed_or_not_until_the_name_is_locked() {
    let world = start().await;
    let ann = register(&world, "ann").await;
    assert_eq!(log_in(&world, "ann", "wrong").await, 400);
    assert_eq!(log_in(&world, "nobody", "wrong").await, 400);
    assert_eq!(log_in(&world, "ANN", PASSWORD).await, 200);
    let of_ann = told(&world, &format!("object={ann}")).await;
    assert_eq!(
        of_ann,
        ["account.registered done to_customer", "login.failed refused wrong_password"]
    );
    assert_eq!(told(&world, &format!("actor={ann}")).await, ["login.succeeded done"]);
    let failed = told(&world, "action=login.failed&actor=anonymous").await;
    assert_eq!(failed[1], "login.failed refused unknown_name");

    for _ in 0..5 {
        log_in(&world, "ann", "wrong").await;
    }
    let before = told(&world, "action=login.failed").await.len();
    for _ in 0..20 {
        assert_eq!(log_in(&world, "ann", "wrong").await, 429);
    }
    assert_eq!(told(&world, "action=login.failed").await.len(), before, "a flood is not told");
}

#[tokio::test]
async fn what_is_sold_and_stocked_is_told_with_the_order_of_things() {
    let world = start().await;
    let ann = someone();
    world.receive(PRINT, 5).send().await.created();
    world.adjust(PRINT, -1, "torn").send().await.created();
    let order = world.order(ann, PRINT, 1);
    let id = order.send().await.text("id").to_owned();
    order.send().await.created();
    world.cancel(ann, &id).send().await;
    world.cancel(ann, &id).send().await;

    let since = "since=2027-01-15T08:00:00Z";
    let told_of = told(&world, &format!("{since}&object={id}")).await;
    assert_eq!(told_of, ["order.placed done", "order.cancelled done"], "once each");
    let all = told(&world, "").await;
    for action in ["product.published done", "stock.received done", "stock.adjusted done"] {
        assert!(all.iter().any(|words| words == action), "{action}: {all:?}");
    }
    let by_core = acts(&world, "actor=core&action=product.published").await;
    assert_eq!(by_core.len(), 6, "the demo catalog is the core's own doing");
    assert!(by_core.iter().all(|act| act["decision_id"].is_null()));
}

#[tokio::test]
async fn money_and_the_steps_of_an_order_are_told() {
    let till = Till::start().await;
    let ann = someone();
    let order = till.ordered(ann, PRINT, 2).await;
    till.confirmed(ann, &order).await;
    till.until_paid(&order).await;
    let payment = till.payments(&order).await[0]["id"].as_str().unwrap().to_owned();
    till.refund(&payment, Some(1)).send().await.created();
    for step in ["fulfil", "fulfil", "ship", "deliver"] {
        till.step(&order, step).send().await;
    }
    let of_order = told(&till.world, &format!("object={order}")).await;
    for action in ["placed", "paid", "fulfilling", "shipped", "delivered"] {
        let words = format!("order.{action} done");
        assert_eq!(of_order.iter().filter(|one| **one == words).count(), 1, "{of_order:?}");
    }
    let opened = told(&till.world, &format!("object={payment}")).await;
    assert_eq!(opened, ["payment.opened done"]);
    assert_eq!(told(&till.world, "action=refund.asked").await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_told_is_not_done() {
    let world = start().await;
    let before = world.stock(PRINT).await;
    close_audit(&world.settings.store).await;
    world.order(someone(), PRINT, 1).send().await.refused(500, "internal");
    world.receive(PRINT, 1).send().await.refused(500, "internal");
    assert_eq!(log_in(&world, "nobody", "wrong").await, 500);
    world.call("GET", "/api/admin/audit").send().await.refused(500, "internal");
    assert_eq!(world.stock(PRINT).await, before);
    let metrics = world.metrics().await;
    assert!(metrics.contains("stockade_core_writes_refused_total 4"), "{metrics}");
}

#[tokio::test]
async fn the_trail_is_read_in_pages_and_reading_it_is_told() {
    let world = start().await;
    let reader = someone();
    let list = |query: &str| {
        world.by(reader, "GET", format!("/api/admin/audit?{query}")).scope(Scope::Any)
    };
    let (mut seen, mut query) = (Vec::new(), "limit=5&actor=core".to_owned());
    loop {
        let page = list(&query).send().await;
        seen.extend(page.body["items"].as_array().unwrap().clone());
        match page.body["next"].as_str() {
            Some(next) => query = format!("limit=5&actor=core&cursor={next}"),
            None => break,
        }
    }
    let mut places: Vec<_> =
        seen.iter().map(|act| (act["chain"].as_u64(), act["sequence"].as_u64())).collect();
    let count = places.len();
    places.sort_unstable();
    places.dedup();
    assert!(count > 10 && places.len() == count, "every act once: {places:?}");
    let reads = told_raw(&world, &format!("actor={reader}")).await;
    assert_eq!(reads.len(), count.div_ceil(5), "{reads:?}");

    for query in
        ["actor=somebody", "action=order", "object=1", "since=yesterday", "until=1", "by=1"]
    {
        list(query).send().await.refused(422, "invalid_request");
    }
    let proof = world.call("GET", "/api/admin/audit/verify").send().await;
    assert_eq!((&proof.body["intact"], &proof.body["complete"]), (&json!(true), &json!(true)));
    assert!(proof.body["rows"].as_u64() > Some(10), "{proof:?}");
}

async fn told_raw(world: &World, query: &str) -> Vec<Value> {
    acts(world, query).await.into_iter().map(|act| act["action"].clone()).collect()
}

#[tokio::test]
async fn accounts_made_at_the_command_line_are_the_operators_doing() {
    let world = start().await;
    let mut admin = stockade_core_api::UserAdmin::open(&world.settings).await.unwrap();
    admin.create("root", "root@example.com", "super-admin").await.unwrap();
    let found = acts(&world, "actor=operator").await;
    let [act] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (&act["action"], &act["detail"]),
        (&json!("account.invited"), &json!("to_super_admin"))
    );
    assert!(act["object_id"].as_str().is_some_and(|id| Uuid::parse_str(id).is_ok()));
}
