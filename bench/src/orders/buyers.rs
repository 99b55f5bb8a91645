//! Clients that place one order after another, as the edge would forward them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stockade_contract::assertion::{Assertion, AssertionKey, Keyring, Scope};
use stockade_core_api::{Clock, routes};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::JoinSet;

use super::SKUS;
use super::shop::{SECRET, Shop, sku};

/// An account; orders need none that exists.
const ACCOUNT: &str = "0198f3a2-7c51-7d60-9a11-5b1c7e20d4aa";

/// What some buyers got.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    /// Orders placed, a second.
    pub(super) orders: f64,
    /// Orders in one transaction, on average.
    pub(super) batch: f64,
}

/// Some clients, and what they buy.
pub(super) struct Buyers {
    socket: PathBuf,
    ops: std::net::SocketAddr,
    clients: usize,
    skus: usize,
}

impl Buyers {
    /// All buy the same SKU.
    pub(super) fn of_one(shop: &Shop, clients: usize) -> Self {
        Self { socket: shop.socket(), ops: shop.ops, clients, skus: 1 }
    }

    /// Each buys any SKU.
    pub(super) fn of_all(shop: &Shop, clients: usize) -> Self {
        Self { socket: shop.socket(), ops: shop.ops, clients, skus: SKUS }
    }

    /// Buys for so long; every answer must be a placed order.
    pub(super) async fn buy(&self, time: Duration) -> anyhow::Result<Rate> {
        let before = batches(self.ops).await?;
        let started = Instant::now();
        let mut buying = JoinSet::new();
        for _ in 0..self.clients {
            buying.spawn(buy(self.socket.clone(), self.skus, started + time));
        }
        let mut placed = 0;
        while let Some(done) = buying.join_next().await {
            placed += done??;
        }
        let took = started.elapsed().as_secs_f64();
        let after = batches(self.ops).await?;
        let batch = (after.1 - before.1) / (after.0 - before.0);
        Ok(Rate { orders: f64::from(placed) / took, batch })
    }
}

async fn buy(socket: PathBuf, skus: usize, until: Instant) -> anyhow::Result<u32> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut line = Line::connect(&socket).await?;
    let mut placed = 0;
    while Instant::now() < until {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // A step that shares no factor with the number of SKUs visits each as often.
        let wanted = usize::try_from(number.wrapping_mul(7_919))? % skus;
        let order = json!({"lines": [{"sku": sku(wanted), "quantity": 1}]});
        let key = format!("order-{number}");
        let status = line.post("/api/orders", "/api/orders", &key, &order).await?;
        ensure!(status == 201, "an order was not placed: {status}");
        placed += 1;
    }
    Ok(placed)
}

/// A connection to the core, on which the edge's word is given.
pub(super) struct Line {
    sender: SendRequest<Full<Bytes>>,
    keyring: Keyring,
    clock: Clock,
}

impl Line {
    pub(super) async fn connect(socket: &Path) -> anyhow::Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let keyring = Keyring::new(AssertionKey::derive(SECRET, "core")?);
        Ok(Self { sender, keyring, clock: Clock::system() })
    }

    /// Posts JSON to a path of this route, and says how it was answered.
    pub(super) async fn post(
        &mut self,
        route: &str,
        path: &str,
        key: &str,
        body: &Value,
    ) -> anyhow::Result<u16> {
        let assertion = self.keyring.sign(&self.assertion(route, path)?);
        let request = Request::post(path)
            .header("host", "core")
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .header("stockade-assertion", assertion)
            .body(Full::from(body.to_string()))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        answer.into_body().collect().await?;
        Ok(status)
    }

    fn assertion(&self, route: &str, path: &str) -> anyhow::Result<Assertion> {
        let fits =
            |facts: &stockade_core_api::RouteFacts| facts.method == "POST" && facts.path == route;
        let facts = routes().into_iter().find(fits).context("no such route")?;
        Ok(Assertion {
            audience: "core".to_owned(),
            request_id: "bench".to_owned(),
            method: "POST".to_owned(),
            permission: facts.permission.to_owned(),
            path_and_query: path.to_owned(),
            subject: ACCOUNT.to_owned(),
            session: String::new(),
            roles: "customer".to_owned(),
            scope: if route == "/api/orders" { Scope::Own } else { Scope::Any },
            authenticated_at: 0,
            client_address: "unknown".to_owned(),
            bundle: "bench".to_owned(),
            expires_at: self.clock.now().secs() + 30,
        })
    }
}

/// How many transactions there were, and how many operations in them.
async fn batches(ops: std::net::SocketAddr) -> anyhow::Result<(f64, f64)> {
    let stream = TcpStream::connect(ops).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = Request::get("/metrics").header("host", "ops").body(Empty::<Bytes>::new())?;
    let body = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
    let text = String::from_utf8(body.to_vec())?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such metric");
        line.and_then(|value| Ok(value.trim().parse()?))
    };
    let name = "stockade_core_write_batch_size";
    Ok((value(&format!("{name}_count"))?, value(&format!("{name}_sum"))?))
}
