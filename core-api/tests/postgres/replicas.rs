//! Several cores on one database are one shop.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use stockade_core_api::{Clock, Core, ServeError, TrailPlace, verify_trail};
use stockade_settings::CoreSettings;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::accounts::claims;
use crate::backend;
use crate::call::{Answer, Call, call};
use crate::factors::Someone;
use crate::provider;
use crate::till::{self, Till};
use crate::world::{BEGINNING, PRINT, Stock, World, settings, someone};

/// A core beside another, on the same database.
struct Replica {
    settings: CoreSettings,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Result<(), ServeError>>,
    _folder: TempDir,
}

impl Replica {
    async fn of(world: &World) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = world.settings.store.clone();
        // Cores of one shop sign with one key.
        let audit_key_file = world.settings.audit_key_file.clone();
        let payments = world.settings.payments.clone();
        let settings = CoreSettings { store, audit_key_file, payments, ..settings(folder.path()) };
        let core = Core::start(&settings, world.clock.clock()).await.unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(core.serve(stopped));
        Self { settings, stop, serving, _folder: folder }
    }

    /// The same request, to this core.
    fn order(&self, clock: &Clock, key: &str, account: &str, lines: &serde_json::Value) -> Call {
        let socket = self.settings.socket.as_deref().unwrap();
        let order = call(socket, clock, "POST", "/api/orders").by(account).key(key);
        order.json(&json!({"lines": lines}))
    }

    /// A webhook with this body, to this core.
    fn webhook(&self, clock: &Clock, body: &str) -> Call {
        let socket = self.settings.socket.as_deref().unwrap();
        let signature = provider::signature(till::SECRET, clock.now().secs(), body);
        let webhook = call(socket, clock, "POST", "/api/webhooks/stripe");
        webhook.raw("application/json", body).header("stripe-signature", &signature)
    }

    async fn end(self) {
        self.stop.send_replace(true);
        self.serving.await.unwrap().unwrap();
    }
}

async fn all(calls: Vec<Call>) -> Vec<Answer> {
    let sending = calls.into_iter().map(|call| async move { call.send().await });
    sending.collect::<JoinSet<_>>().join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_units_are_sold_once_between_two_cores() {
    let world = World::start().await;
    let (one, other) = (Replica::of(&world).await, Replica::of(&world).await);
    let clock = world.clock.clock();
    let lines = json!([{"sku": PRINT, "quantity": 1}]);
    let calls = (0..40).map(|buyer| {
        let core = if buyer % 2 == 0 { &one } else { &other };
        core.order(&clock, "k", &someone().to_string(), &lines)
    });
    let answers = all(calls.collect()).await;
    let placed = answers.iter().filter(|answer| answer.status.as_u16() == 201).count();
    assert_eq!(placed, 10);
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status.as_u16())));
    one.end().await;
    other.end().await;
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_shown_to_two_cores_is_one_order() {
    let world = World::start().await;
    let (one, other) = (Replica::of(&world).await, Replica::of(&world).await);
    let (clock, ann) = (world.clock.clock(), someone().to_string());
    for round in 0..10 {
        let key = format!("k{round}");
        // Of different goods under one key, no row of stock keeps the cores apart.
        let calls = (0..8).map(|at| {
            let (core, sku) = if at % 2 == 0 { (&one, "MUG-BLUE") } else { (&other, "MUG-SAND") };
            core.order(&clock, &key, &ann, &json!([{"sku": sku, "quantity": 1}]))
        });
        let answers = all(calls.collect()).await;
        let placed: BTreeSet<_> = answers
            .iter()
            .filter(|answer| answer.status.as_u16() == 201)
            .map(|answer| answer.text("id").to_owned())
            .collect();
        assert_eq!(placed.len(), 1, "{answers:?}");
        let reused = answers.iter().filter(|answer| answer.status.as_u16() == 422).count();
        assert_eq!(reused, 4, "{answers:?}");
    }
    let sold = world.stock("MUG-BLUE").await.reserved + world.stock("MUG-SAND").await.reserved;
    assert_eq!(sold, 10);
    one.end().await;
    other.end().await;
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_that_run_out_are_given_back_once_by_many() {
    let world = World::start().await;
    let (one, other) = (Replica::of(&world).await, Replica::of(&world).await);
    let (clock, ann) = (world.clock.clock(), someone().to_string());
    let both = json!([{"sku": "MUG-BLUE", "quantity": 1}, {"sku": "MUG-SAND", "quantity": 1}]);
    let calls = (0..20).map(|key| one.order(&clock, &format!("a{key}"), &ann, &both));
    all(calls.collect()).await.iter().for_each(Answer::created);
    world.clock.advance(Duration::from_secs(16 * 60));

    // Now everybody finds them: those who buy, and those who sweep.
    let calls = (0..20).map(|at| {
        let (core, sku) = if at % 2 == 0 { (&one, "MUG-BLUE") } else { (&other, "MUG-SAND") };
        core.order(&clock, &format!("b{at}"), &ann, &json!([{"sku": sku, "quantity": 1}]))
    });
    all(calls.collect()).await.iter().for_each(Answer::created);
    one.end().await;
    other.end().await;
    assert_eq!(world.stock("MUG-BLUE").await.reserved, 10);
    assert_eq!(world.stock("MUG-SAND").await.reserved, 10);
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_two_cores_are_told_at_once_has_its_effect_once() {
    let till = Till::start().await;
    let (one, other) = (Replica::of(&till.world).await, Replica::of(&till.world).await);
    let (clock, ann) = (till.world.clock.clock(), someone());
    for _ in 0..5 {
        let order = till.ordered(ann, PRINT, 1).await;
        let opened = till.confirmed(ann, &order).await;
        till.capture(&opened).await;
        let mut calls = Vec::new();
        for event in till.events().await {
            for _ in 0..3 {
                calls.extend([one.webhook(&clock, &event), other.webhook(&clock, &event)]);
            }
        }
        // Newest first, so that what is taken is told before what was agreed to.
        calls.reverse();
        for answer in all(calls).await {
            // Whoever was in another's way is told again, as a provider does.
            assert!([200, 503].contains(&answer.status.as_u16()), "{answer:?}");
        }
        till.until_paid(&order).await;
        let payments = till.payments(&order).await;
        assert_eq!(
            (&payments[0]["captured_minor"], &payments[0]["refunds"]),
            (&json!(12_000), &json!([]))
        );
        let moves = format!("/api/orders/{order}/events");
        let moves = till.world.by(ann, "GET", moves).send().await;
        assert_eq!(moves.body["items"].as_array().unwrap().len(), 1);
    }
    one.end().await;
    other.end().await;
    assert_eq!(till.world.stock(PRINT).await, Stock { on_hand: 5, reserved: 0 });
    till.world.intact().await;
}

/// Twenty SKUs of one product, with plenty of each.
async fn stock_twenty(world: &World) -> Vec<String> {
    let skus: Vec<_> = (0..20).map(|number| format!("SKU-{number}")).collect();
    let offers: Vec<_> =
        skus.iter().map(|sku| json!({"sku": sku, "price_minor": 100, "currency": "EUR"})).collect();
    let product = json!({"name": "Twenty", "description": "Of everything.", "skus": offers});
    world.call("POST", "/api/products").json(&product).send().await.created();
    for sku in &skus {
        world.receive(sku, 10_000).send().await.created();
    }
    skus
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_buyers_of_twenty_skus_in_any_order_never_wait_in_a_circle() {
    let world = World::start().await;
    let skus = stock_twenty(&world).await;
    let (one, other) = (Replica::of(&world).await, Replica::of(&world).await);
    let clock = world.clock.clock();
    for round in 0..4 {
        let calls = (0..64).map(|buyer| {
            let core = if buyer % 2 == 0 { &one } else { &other };
            // Each names all of them, in an order of their own.
            let mut lines: Vec<_> =
                skus.iter().map(|sku| json!({"sku": sku, "quantity": 1})).collect();
            lines.rotate_left(buyer % 20);
            if buyer % 3 == 0 {
                lines.reverse();
            }
            core.order(&clock, &format!("k{round}"), &someone().to_string(), &json!(lines))
        });
        all(calls.collect()).await.iter().for_each(Answer::created);
    }
    one.end().await;
    other.end().await;
    for sku in &skus {
        assert_eq!(world.stock(sku).await.reserved, 4 * 64);
    }
    let mut database = backend::connect(&world.settings.store).await;
    let deadlocks: i64 = sqlx::query_scalar(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()",
    )
    .fetch_one(&mut database)
    .await
    .unwrap();
    assert_eq!(deadlocks, 0);
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cores_write_one_audit_trail_in_chains_of_their_own() {
    let world = World::start().await;
    let (one, other) = (Replica::of(&world).await, Replica::of(&world).await);
    let clock = world.clock.clock();
    let lines = json!([{"sku": "MUG-BLUE", "quantity": 1}]);
    let calls = (0..120).map(|buyer| {
        let core = if buyer % 2 == 0 { &one } else { &other };
        core.order(&clock, &format!("k{buyer}"), &someone().to_string(), &lines)
    });
    all(calls.collect()).await.iter().for_each(Answer::created);
    // Each signs where the trail stands when it ends, and tells what the other signed.
    let file = other.settings.audit_checkpoints_file.clone().unwrap();
    let key = world.settings.audit_key_file.clone().unwrap();
    one.end().await;
    world.order(someone(), PRINT, 1).send().await.created();
    let folder = other._folder.path().to_owned();
    let kept = tempfile::tempdir().unwrap();
    other.stop.send_replace(true);
    other.serving.await.unwrap().unwrap();
    let told = kept.path().join("told.jsonl");
    std::fs::copy(folder.join(file.file_name().unwrap()), &told).unwrap();
    let place = TrailPlace {
        url: world.settings.store.url.as_ref().unwrap(),
        password_file: None,
        key_file: &key,
        checkpoints_file: &told,
    };
    let trail = verify_trail(place).await.unwrap();
    assert!(trail.is_intact(), "{trail}");
    assert!(
        trail.chains > 1 && trail.checkpoints > 1 && trail.told == trail.checkpoints,
        "{trail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_waits_for_a_demotion_and_tells_the_time_it_was_asked_at() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let mut database = world.database().await;
    for statement in ["BEGIN", "UPDATE account SET role = 'staff'"] {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    let form =
        format!("grant_type=refresh_token&refresh_token={}", ann.tokens.text("refresh_token"));
    let refresh =
        world.call("POST", "/api/auth/refresh").raw("application/x-www-form-urlencoded", &form);
    let asked = tokio::spawn(async move { refresh.send().await });
    let waits = "SELECT EXISTS (SELECT 1
                                  FROM pg_locks
                                 WHERE NOT granted
                                   AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))";
    while !asked.is_finished()
        && !sqlx::query_scalar::<_, bool>(waits).fetch_one(&mut database).await.unwrap()
    {
        tokio::task::yield_now().await;
    }
    world.clock.advance(Duration::from_secs(5));
    sqlx::query("COMMIT").execute(&mut database).await.unwrap();
    let answer = asked.await.unwrap();
    let claims = claims(&world, answer.text("access_token")).await;
    assert_eq!(claims["roles"], json!(["staff", "customer"]));
    // Had it been demoted a moment later, the edge would not believe this token.
    assert_eq!(claims["iat"], BEGINNING);
}
