//! What crowds do: hang up before they are answered, and want the same goods in every order.
//!
//! `cargo test` does some of each; `cargo test -p stockade-core-api --test crowds -- 10000` as many
//! requests of each kind as it is told.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(
    clippy::print_stdout,
    reason = "whoever asks for a long run wants to see what came of it"
)]

#[expect(dead_code, reason = "these tests ask for less than the others")]
#[path = "../it/backend.rs"]
mod backend;
#[expect(dead_code, reason = "these tests ask for less than the others")]
#[path = "../it/call.rs"]
mod call;
mod circles;
mod drops;
#[expect(dead_code, reason = "these tests ask for less than the others")]
#[path = "../it/world.rs"]
mod world;

use stockade_core_api::migrate;
use stockade_settings::store::{StoreSettings, StoreUrl};
use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};
use uuid::Uuid;

/// Requests of each kind without being told otherwise.
const REQUESTS: usize = 500;

fn main() {
    let told = std::env::args().nth(1).map(|count| count.parse().expect("a number of requests"));
    let requests = told.unwrap_or(REQUESTS);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        drops::on_sqlite(requests).await;
        drops::on_postgres(requests).await;
        circles::run(requests).await;
    });
}

/// A PostgreSQL shop of its own: its name, and settings for the program's role.
async fn postgres() -> (String, StoreSettings) {
    let cluster = Cluster::shared();
    let name = cluster.create_database("template0");
    let Ok(StoreUrl::Postgres(owner)) = cluster.url(OWNER, &name).parse() else { unreachable!() };
    migrate(&owner, None, PROGRAM).await.unwrap();
    let url = Some(cluster.url(PROGRAM, &name).parse().unwrap());
    (name, StoreSettings { url, ..StoreSettings::default() })
}

fn random() -> u64 {
    Uuid::now_v7().as_u64_pair().1 >> 8
}
