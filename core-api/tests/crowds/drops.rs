//! Clients that close their connection after they have sent a request, before it is answered.

use std::collections::BTreeSet;

use serde_json::json;
use stockade_test_support::postgres::Cluster;
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::call::Call;
use crate::world::{World, someone};
use crate::{postgres, random};

/// Clients at once.
const CLIENTS: usize = 32;

const SKUS: [&str; 2] = ["MUG-BLUE", "MUG-SAND"];

/// Enough for everybody.
const UNITS: u32 = 1_000_000;

pub(crate) async fn on_sqlite(requests: usize) {
    let world = World::start().await;
    let done = drop_and_prove(&world, requests).await;
    println!(
        "{requests} dropped requests on SQLite, {done} of them done; repeated, each is one order"
    );
}

pub(crate) async fn on_postgres(requests: usize) {
    let (name, store) = postgres().await;
    let world = World::start_with(|settings| settings.store = store).await;
    let done = drop_and_prove(&world, requests).await;
    let left_open = format!(
        "SELECT count(*) FROM pg_stat_activity
          WHERE datname = '{name}' AND state LIKE 'idle in transaction%'"
    );
    assert_eq!(Cluster::shared().sql("postgres", &left_open).trim(), "0");
    println!(
        "{requests} dropped requests on PostgreSQL, {done} of them done; repeated, each is one order"
    );
}

/// Drops orders and reads, repeats the orders, and says how many of them had been done.
async fn drop_and_prove(world: &World, requests: usize) -> usize {
    for sku in SKUS {
        world.receive(sku, UNITS).send().await.created();
    }
    let orders: Vec<_> = (0..requests).map(|at| order(world, someone(), at)).collect();
    for crowd in orders.chunks(CLIENTS) {
        let dropping: JoinSet<_> = crowd
            .iter()
            .flat_map(|order| [order.clone(), world.call("GET", "/api/orders?limit=100")])
            .map(drop_unanswered)
            .collect();
        dropping.join_all().await;
    }

    // Whether or not it came through the first time, each is one order when it is repeated.
    let (mut placed, mut done) = (BTreeSet::new(), 0);
    for crowd in orders.chunks(CLIENTS) {
        let repeating = crowd.iter().cloned().map(|order| async move { order.send().await });
        for answer in repeating.collect::<JoinSet<_>>().join_all().await {
            answer.created();
            placed.insert(answer.text("id").to_owned());
            done += usize::from(answer.header("idempotency-replayed").is_some());
        }
    }
    assert_eq!(placed.len(), requests);
    let mut reserved = 0;
    for sku in SKUS {
        reserved += world.stock(sku).await.reserved;
    }
    assert_eq!(reserved, i64::try_from(requests).unwrap(), "nothing is held twice");
    everything_is_served(world).await;
    world.intact().await;
    done
}

fn order(world: &World, account: Uuid, at: usize) -> Call {
    let lines = json!({"lines": [{"sku": SKUS[at % 2], "quantity": 1}]});
    world.by(account, "POST", "/api/orders").key("dropped").json(&lines)
}

/// Sends all of a request and hangs up: at once, or a little later.
async fn drop_unanswered(call: Call) {
    let mut stream: UnixStream = call.open().await;
    let request = [call.head().as_bytes(), b"\r\n", &call.body].concat();
    stream.write_all(&request).await.unwrap();
    for _ in 0..random() % 64 {
        tokio::task::yield_now().await;
    }
}

/// More at once than there are connections to the database, reading and writing.
async fn everything_is_served(world: &World) {
    let calls = (0..64).flat_map(|at| {
        let read = world.call("GET", "/api/products");
        [order(world, someone(), at), read]
    });
    let asking = calls.map(|call| async move { call.send().await.status.as_u16() });
    for status in asking.collect::<JoinSet<_>>().join_all().await {
        assert!([200, 201].contains(&status), "{status}");
    }
}
