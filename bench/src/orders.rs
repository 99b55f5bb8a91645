//! `stockade-bench orders`: orders a second through the core, beside what the same database does.
//!
//! 64 clients on the core's socket, each placing one order after another, against a PostgreSQL
//! cluster made for this run; on the same cluster `pgbench -N` (the shorter TPC-B transaction)
//! and 64 clients that update one row. Then SQLite, with 64 clients and with two: of two, one
//! always waits while the other commits, so each order is a transaction of its own and the
//! writer is never idle. Core, clients and database share the machine, in every row alike.

mod buyers;
mod contenders;
mod shop;

use std::time::Duration;

use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};

use self::buyers::{Buyers, Rate};
use self::shop::Shop;
use crate::report::{Report, Spread, Table};

/// The server as it comes, with room for its log.
const SERVER: &[(&str, &str)] =
    &[("max_connections", "200"), ("shared_buffers", "256MB"), ("max_wal_size", "4GB")];

/// SKUs of the shop; the first is the hot one.
pub(crate) const SKUS: usize = 10_000;

/// Flags of `stockade-bench orders`.
///
/// Orders a second through the core, on PostgreSQL and SQLite.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// How long each row is measured, in seconds.
    #[arg(long, default_value_t = 10)]
    secs: u64,
    /// How often.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Clients at once.
    #[arg(long, default_value_t = 64)]
    clients: usize,
    /// The core's writers, with PostgreSQL.
    #[arg(long, default_value_t = 3)]
    writers: u32,
}

pub(crate) fn run(flags: &Flags) -> anyhow::Result<Report> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let postgres = runtime.block_on(postgres(flags))?;
    let sqlite = runtime.block_on(sqlite(flags))?;
    Ok(Report::default().with(postgres).with(sqlite))
}

impl Flags {
    fn time(&self) -> Duration {
        Duration::from_secs(self.secs)
    }
}

async fn postgres(flags: &Flags) -> anyhow::Result<Table> {
    let cluster = Cluster::start(SERVER);
    let (yardstick, name) =
        (cluster.create_database("template0"), cluster.create_database("template0"));
    contenders::prepare(&cluster, &yardstick)?;
    let owner = cluster.url(OWNER, &name);
    let shop = Shop::on_postgres(&owner, &cluster.url(PROGRAM, &name), flags.writers).await?;
    shop.fill().await?;

    let (mut pgbench, mut update) = (Vec::new(), Vec::new());
    let (mut hot, mut uniform) = (Vec::new(), Vec::new());
    for _ in 0..flags.rounds {
        pgbench.push(contenders::pgbench(&cluster, &yardstick, flags.clients, flags.secs)?);
        update.push(contenders::one_row(&cluster, &yardstick, flags.clients, flags.secs)?);
        hot.push(Buyers::of_one(&shop, flags.clients).buy(flags.time()).await?);
        uniform.push(Buyers::of_all(&shop, flags.clients).buy(flags.time()).await?);
    }
    let report = shop.close().await?;
    anyhow::ensure!(report.is_intact(), "{report}");
    let [pgbench, update] = [pgbench, update].map(Spread::of);
    let title = format!("PostgreSQL, {} clients, {} writers", flags.clients, flags.writers);
    let columns = ["", "a second", "least", "most", "batch", "x pgbench -N", "x one row"];
    let mut table = Table::new(title, &columns);
    let none = || "".to_owned();
    row(&mut table, "pgbench -N", pgbench, vec![none(), times(pgbench, pgbench), none()]);
    row(&mut table, "UPDATE of one row", update, vec![none(), none(), times(update, update)]);
    for (name, rates) in [("orders, one SKU", hot), ("orders, 10k SKUs", uniform)] {
        let (rate, batch) = spread(&rates);
        row(&mut table, name, rate, vec![batch, times(rate, pgbench), times(rate, update)]);
    }
    Ok(table)
}

async fn sqlite(flags: &Flags) -> anyhow::Result<Table> {
    let shop = Shop::on_sqlite().await?;
    shop.fill().await?;
    let (mut single, mut grouped) = (Vec::new(), Vec::new());
    for _ in 0..flags.rounds {
        single.push(Buyers::of_one(&shop, 2).buy(flags.time()).await?);
        grouped.push(Buyers::of_one(&shop, flags.clients).buy(flags.time()).await?);
    }
    let report = shop.close().await?;
    anyhow::ensure!(report.is_intact(), "{report}");
    let mut table = Table::new(
        "SQLite, synchronous = FULL, one SKU",
        &["", "a second", "least", "most", "batch", "x single"],
    );
    let (single, single_batch) = spread(&single);
    let (grouped, grouped_batch) = spread(&grouped);
    let first = vec![single_batch, times(single, single)];
    row(&mut table, "orders, one a transaction", single, first);
    let name = format!("orders, {} clients", flags.clients);
    row(&mut table, &name, grouped, vec![grouped_batch, times(grouped, single)]);
    Ok(table)
}

fn spread(rates: &[Rate]) -> (Spread, String) {
    let batches = Spread::of(rates.iter().map(|rate| rate.batch).collect());
    (Spread::of(rates.iter().map(|rate| rate.orders).collect()), format!("{:.1}", batches.median))
}

fn row(table: &mut Table, name: &str, rate: Spread, more: Vec<String>) {
    let cells = [rate.median, rate.min, rate.max].map(|value| format!("{value:.0}"));
    table.row(name, cells.into_iter().chain(more).collect());
}

fn times(rate: Spread, of: Spread) -> String {
    format!("{:.2}", rate.median / of.median)
}
