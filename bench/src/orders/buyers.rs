//! Clients that place one order after another, as the edge would forward them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::SKUS;
use super::line::Line;
use super::shop::{Shop, sku};

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
    ops: SocketAddr,
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
        line.post("/api/orders", "/api/orders", &format!("order-{number}"), &order).await?;
        placed += 1;
    }
    Ok(placed)
}

/// How many transactions there were, and how many operations in them.
async fn batches(ops: SocketAddr) -> anyhow::Result<(f64, f64)> {
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
