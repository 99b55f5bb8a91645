//! Whatever is killed, and whenever: nothing acknowledged is lost, doubled or oversold.
//!
//! Clients repeat each order with its key until they are answered, while the core, the database
//! server, or one of its sessions in the middle of a batch is ended with SIGKILL, again and again.
//! And while the payment provider has done what it was asked and nobody here knows it yet.
//! `cargo test` does that a few times; `cargo test -p stockade-core-api --test kills -- 100` as
//! often as it is told.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![expect(clippy::print_stdout, reason = "whoever asks for a long run wants to see how far it is")]

#[expect(dead_code, reason = "these tests ask for less than the others")]
#[path = "../it/call.rs"]
mod call;
#[expect(dead_code, reason = "these tests ask for less than the others")]
#[path = "../it/gate.rs"]
mod gate;
mod money;
#[path = "../it/provider.rs"]
mod provider;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};
use stockade_contract::assertion::Scope;
use stockade_core_api::{Clock, migrate, verify};
use stockade_settings::store::StoreUrl;
use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::call::{Call, SECRET, call};

/// Kills without being told otherwise.
const KILLS: u64 = 6;

const BUYERS: usize = 16;

/// The last is scarce, so that overselling would show.
const SKUS: [(&str, u32); 4] = [("A", 100_000), ("B", 100_000), ("C", 100_000), ("SCARCE", 50)];

fn main() {
    let told = std::env::args().nth(1).map(|count| count.parse().expect("a number of kills"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        money::run().await;
        run(told.unwrap_or(KILLS)).await;
    });
}

/// A shop whose parts can be killed.
struct Shop {
    cluster: Cluster,
    url: StoreUrl,
    database: String,
    folder: tempfile::TempDir,
    core: Child,
}

async fn run(kills: u64) {
    let mut shop = Shop::open().await;
    let traffic = Arc::new(Traffic::default());
    let mut buyers = JoinSet::new();
    for _ in 0..BUYERS {
        buyers.spawn(buy(Arc::clone(&traffic), shop.socket()));
    }
    for kill in 0..kills {
        // Somewhere in the traffic: after so many more answers.
        let until = traffic.answered.load(Ordering::SeqCst) + 1 + random() % 200;
        let reached = || {
            shop.supervise();
            let reached = traffic.answered.load(Ordering::SeqCst) >= until;
            async move { reached }
        };
        eventually_yes(format!("{until} answers"), reached).await;
        let what = shop.kill(kill % 3);
        println!("kill {} of {kills}: {what}, after {until} answers", kill + 1);
    }
    traffic.over.store(true, Ordering::SeqCst);
    let mut placed = BTreeMap::new();
    for orders in buyers.join_all().await {
        placed.extend(orders);
    }
    shop.prove(&placed).await;
    println!("{kills} kills, {} orders: none lost, none doubled, none oversold", placed.len());
}

impl Shop {
    async fn open() -> Self {
        let cluster = Cluster::start(&[]);
        let database = cluster.create_database("template0");
        let Ok(StoreUrl::Postgres(owner)) = cluster.url(OWNER, &database).parse() else {
            unreachable!()
        };
        migrate(&owner, None, PROGRAM).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let url = cluster.url(PROGRAM, &database);
        write_settings(folder.path(), &url, "");
        let core = spawn(folder.path());
        let shop = Self { cluster, url: url.parse().unwrap(), database, folder, core };
        shop.fill().await;
        shop
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("core.sock")
    }

    async fn fill(&self) {
        let socket = self.socket();
        let listening = || async { UnixStream::connect(&socket).await.is_ok() };
        eventually_yes("the core listens", listening).await;
        let skus: Vec<_> = SKUS
            .iter()
            .map(|(sku, _)| json!({"sku": sku, "price_minor": 100, "currency": "EUR"}))
            .collect();
        let product = json!({"name": "Product", "description": "Sold.", "skus": skus});
        let clock = Clock::system();
        call(&socket, &clock, "POST", "/api/products").json(&product).send().await.created();
        for (sku, units) in SKUS {
            let path = format!("/api/inventory/{sku}/movements");
            let arrived = json!({"kind": "receive", "quantity": units});
            let receive = call(&socket, &clock, "POST", path).by(&Uuid::now_v7().to_string());
            receive.key(sku).json(&arrived).send().await.created();
        }
    }

    /// Starts the core again where it has ended: it does not start while the server recovers.
    fn supervise(&mut self) {
        if self.core.try_wait().unwrap().is_some() {
            self.core = spawn(self.folder.path());
        }
    }

    fn kill(&mut self, what: u64) -> &'static str {
        match what {
            0 => {
                self.core.kill().unwrap();
                self.core.wait().unwrap();
                self.core = spawn(self.folder.path());
                "the core"
            }
            1 => {
                self.cluster.kill();
                self.cluster.run();
                "the server"
            }
            _ => {
                // The server ends every other session, too, and recovers.
                let busy = "SELECT pid FROM pg_stat_activity
                             WHERE application_name = 'stockade' AND backend_xid IS NOT NULL
                             LIMIT 1";
                let pid = self.cluster.sql("postgres", busy);
                let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw) else {
                    return "nobody, for nobody wrote";
                };
                // It may have ended by itself meanwhile.
                kill_process(pid, Signal::KILL).ok();
                "a session that wrote"
            }
        }
    }

    async fn prove(&mut self, placed: &BTreeMap<String, Placed>) {
        self.core.kill().unwrap();
        self.core.wait().unwrap();
        let report = verify(&self.url, None).await.unwrap();
        assert!(report.is_intact(), "{report}");
        let superuser = self.cluster.url("postgres", &self.database);
        let mut database = PgConnection::connect(&superuser).await.unwrap();
        let there: Vec<Uuid> =
            sqlx::query_scalar("SELECT id FROM orders").fetch_all(&mut database).await.unwrap();
        let lost = placed.values().filter(|order| !there.contains(&order.id)).count();
        assert_eq!(lost, 0, "orders were acknowledged and are not there");
        assert_eq!(there.len(), placed.len(), "orders are there that nobody was told of");
        for (sku, units) in SKUS {
            let statement = "SELECT reserved FROM stock WHERE sku = $1";
            let reserved: i64 =
                sqlx::query_scalar(statement).bind(sku).fetch_one(&mut database).await.unwrap();
            let sold = placed.values().filter(|order| order.sku == sku).count();
            assert_eq!(reserved, i64::try_from(sold).unwrap(), "{sku}");
            assert!(reserved <= i64::from(units), "{sku}");
        }
    }
}

fn write_settings(folder: &Path, url: &str, more: &str) {
    let secret = |name: &str, text: &str| {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o600)).unwrap();
    };
    secret("assertion", SECRET);
    secret("signing.pem", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    secret("pepper", "a password pepper of 32 bytes!!!");
    let audit_key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    secret("audit-key.pem", &audit_key.serialize_pem());
    secret("data-key", "a data key that has 32 bytes!!!!");
    secret("index-key", "an index key that has 32 bytes!!");
    secret("image-link-keys", "an image link key of 32 bytes!!!");
    let text = format!(
        r#"
        [core]
        socket = "core.sock"
        ops_listen = "127.0.0.1:0"
        assertion_secret_file = "assertion"
        signing_key_file = "signing.pem"
        password_pepper_file = "pepper"
        data_key_file = "data-key"
        index_key_file = "index-key"
        erasure_journal_file = "erasures.jsonl"
        audit_key_file = "audit-key.pem"
        audit_checkpoints_file = "audit-checkpoints.jsonl"
        images = {{ folder = "images", link_keys_file = "image-link-keys" }}
        mail = {{ folder = "mail" }}

        [core.store]
        url = "{url}"
        {more}"#
    );
    fs::write(folder.join("stockade.toml"), text).unwrap();
}

impl Drop for Shop {
    fn drop(&mut self) {
        // An error says that it has ended by itself.
        drop(self.core.kill());
        drop(self.core.wait());
    }
}

/// The program itself.
fn spawn(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_stockade-core-api"))
        .arg("--config")
        .arg(folder.join("stockade.toml"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the buyers are told, and how far they are.
#[derive(Default)]
struct Traffic {
    over: AtomicBool,
    answered: AtomicU64,
}

/// An order that was acknowledged.
struct Placed {
    id: Uuid,
    sku: &'static str,
}

/// Places one order after another; repeats each with its key until it is answered.
async fn buy(traffic: Arc<Traffic>, socket: PathBuf) -> BTreeMap<String, Placed> {
    let (account, mut placed) = (Uuid::now_v7().to_string(), BTreeMap::new());
    while !traffic.over.load(Ordering::SeqCst) {
        let key = Uuid::now_v7().to_string();
        let at = usize::try_from(random() % 4).unwrap();
        let (sku, _) = SKUS.get(at).unwrap();
        loop {
            let order = call(&socket, &Clock::system(), "POST", "/api/orders")
                .by(&account)
                .scope(Scope::Own)
                .key(&key)
                .json(&json!({"lines": [{"sku": sku, "quantity": 1}]}));
            match ask(&socket, &order).await {
                Some((201, body)) => {
                    let id = body.get("id").and_then(Value::as_str).unwrap().parse().unwrap();
                    assert!(placed.insert(key, Placed { id, sku }).is_none());
                    break;
                }
                Some((409, _)) => break,
                // It is down, going down or coming up: the same again.
                Some((500 | 503, _)) | None => tokio::task::yield_now().await,
                Some(other) => unreachable!("{other:?}"),
            }
        }
        traffic.answered.fetch_add(1, Ordering::SeqCst);
    }
    placed
}

/// One request on a connection of its own; `None` where there is no answer.
async fn ask(socket: &Path, order: &Call) -> Option<(u16, Value)> {
    use http_body_util::BodyExt as _;

    let stream = UnixStream::connect(socket).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    tokio::spawn(connection);
    let answer = sender.send_request(order.request()).await.ok()?;
    let status = answer.status().as_u16();
    let body: Bytes = answer.into_body().collect().await.ok()?.to_bytes();
    Some((status, serde_json::from_slice(&body).ok()?))
}

fn random() -> u64 {
    Uuid::now_v7().as_u64_pair().1 >> 8
}
