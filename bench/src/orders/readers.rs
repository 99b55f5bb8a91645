//! Clients that read a product and an order in turn, and how long they wait.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::line::Line;
use super::shop::{Shop, sku};

/// Clients at once: a few, so that they measure the load and do not make it.
const CLIENTS: usize = 4;

/// How long a client waits between two reads.
const PAUSE: Duration = Duration::from_millis(2);

/// Some clients, and what they read.
pub(super) struct Readers {
    socket: PathBuf,
    product: String,
    order: String,
}

impl Readers {
    /// Of one product of a hundred SKUs, and an order placed for them.
    pub(super) async fn of(shop: &Shop) -> anyhow::Result<Self> {
        let mut line = Line::connect(&shop.socket()).await?;
        let products = line.get("/api/products", "/api/products").await?;
        let products: Value = serde_json::from_slice(&products)?;
        let product = products.pointer("/items/0/id").and_then(Value::as_str);
        let order = json!({"lines": [{"sku": sku(0), "quantity": 1}]});
        let order = line.post("/api/orders", "/api/orders", "to-be-read", &order).await?;
        let order: Value = serde_json::from_slice(&order)?;
        let order = order.get("id").and_then(Value::as_str).context("no order")?;
        Ok(Self {
            socket: shop.socket(),
            product: format!("/api/products/{}", product.context("no product")?),
            order: format!("/api/orders/{order}"),
        })
    }

    /// Reads for so long; what 99 of 100 reads took at most, in milliseconds.
    pub(super) async fn read(&self, time: Duration) -> anyhow::Result<f64> {
        let until = Instant::now() + time;
        let mut reading = JoinSet::new();
        for _ in 0..CLIENTS {
            reading.spawn(read(
                self.socket.clone(),
                [
                    ("/api/products/{id}", self.product.clone()),
                    ("/api/orders/{id}", self.order.clone()),
                ],
                until,
            ));
        }
        let mut waits = Vec::new();
        while let Some(done) = reading.join_next().await {
            waits.extend(done??);
        }
        waits.sort_by(f64::total_cmp);
        waits.get(waits.len() * 99 / 100).copied().context("nothing was read")
    }
}

async fn read(
    socket: PathBuf,
    paths: [(&'static str, String); 2],
    until: Instant,
) -> anyhow::Result<Vec<f64>> {
    let mut line = Line::connect(&socket).await?;
    let mut waits = Vec::new();
    for (route, path) in paths.iter().cycle() {
        let started = Instant::now();
        if started >= until {
            break;
        }
        line.get(route, path).await?;
        waits.push(started.elapsed().as_secs_f64() * 1e3);
        tokio::time::sleep(PAUSE).await;
    }
    Ok(waits)
}
