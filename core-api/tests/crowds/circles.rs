//! Many clients of several cores that want the same goods, each in an order of their own: none
//! ever waits for another in a circle.

use serde_json::{Value, json};
use stockade_core_api::Core;
use stockade_settings::CoreSettings;
use stockade_test_support::postgres::Cluster;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::call::{Call, call};
use crate::world::{World, settings, someone};
use crate::{postgres, random};

/// Clients at once.
const CLIENTS: usize = 64;

const SKUS: usize = 20;

/// Enough for everybody.
const UNITS: u32 = 1_000_000;

pub(crate) async fn run(requests: usize) {
    let (name, store) = postgres().await;
    let world = World::start_with(|settings| settings.store = store.clone()).await;
    let skus = fill(&world).await;

    let folder = tempfile::tempdir().unwrap();
    let beside = CoreSettings { store, ..settings(folder.path()) };
    let (socket, other) = (beside.socket.clone().unwrap(), beside);
    let other = Core::start(&other, world.clock.clock()).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(other.serve(stopped));

    let mut calls = (0..requests).map(|at| {
        let lines = json!({"lines": in_any_order(&skus)});
        let order: Call = match at % 2 {
            0 => world.call("POST", "/api/orders"),
            _ => call(&socket, &world.clock.clock(), "POST", "/api/orders"),
        };
        order.by(&someone().to_string()).key("all").json(&lines)
    });
    loop {
        let crowd = calls.by_ref().take(CLIENTS).map(|call| async move { call.send().await });
        let answers = crowd.collect::<JoinSet<_>>().join_all().await;
        if answers.is_empty() {
            break;
        }
        answers.iter().for_each(crate::call::Answer::created);
    }
    drop(calls);
    stop.send_replace(true);
    serving.await.unwrap().unwrap();

    for sku in &skus {
        assert_eq!(world.stock(sku).await.reserved, i64::try_from(requests).unwrap());
    }
    world.intact().await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname";
    let deadlocks = Cluster::shared().sql("postgres", &format!("{deadlocks} = '{name}'"));
    assert_eq!(deadlocks.trim(), "0");
    println!("{requests} orders of {SKUS} skus by {CLIENTS} clients of two cores: no deadlock");
}

/// Twenty SKUs of one product, with plenty of each.
async fn fill(world: &World) -> Vec<String> {
    let skus: Vec<_> = (0..SKUS).map(|number| format!("SKU-{number}")).collect();
    let offers: Vec<_> =
        skus.iter().map(|sku| json!({"sku": sku, "price_minor": 100, "currency": "EUR"})).collect();
    let product = json!({"name": "Twenty", "description": "Of everything.", "skus": offers});
    world.call("POST", "/api/products").json(&product).send().await.created();
    for sku in &skus {
        world.receive(sku, UNITS).send().await.created();
    }
    skus
}

fn in_any_order(skus: &[String]) -> Vec<Value> {
    let mut lines: Vec<_> = skus.iter().map(|sku| json!({"sku": sku, "quantity": 1})).collect();
    lines.sort_by_cached_key(|_| random());
    lines
}
