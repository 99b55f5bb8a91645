//! `stockade-bench orders`: orders a second through the core, beside what the same database does.
//!
//! 64 clients on the core's socket, each placing one order after another, against a PostgreSQL
//! cluster made for this run; on the same cluster `pgbench -N` (the shorter TPC-B transaction)
//! and 64 clients that update one row. Then SQLite, with 64 clients and with two: of two, one
//! always waits while the other commits, so each order is a transaction of its own and the
//! writer is never idle. A few clients read beside the buyers, and alone. Core, clients and
//! database share the machine, in every row alike; the rows take turns, and a ratio is the median
//! of the rounds' ratios.

mod buyers;
mod contenders;
mod line;
mod readers;
mod shop;

use std::time::Duration;

use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};

use self::buyers::{Buyers, Rate};
use self::readers::Readers;
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
    /// How long each row is measured in each round, in seconds.
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
    let (postgres, postgres_reads) = runtime.block_on(postgres(flags))?;
    let (sqlite, sqlite_reads) = runtime.block_on(sqlite(flags))?;
    let mut reads = Table::new(
        "p99 of a read, in milliseconds: a product of 100 SKUs and an order in turn",
        &["", "idle", "under full write load", "x idle"],
    );
    reads.row("PostgreSQL", postgres_reads.cells());
    reads.row("SQLite", sqlite_reads.cells());
    Ok(Report::default().with(postgres).with(sqlite).with(reads))
}

impl Flags {
    fn time(&self) -> Duration {
        Duration::from_secs(self.secs)
    }
}

/// How long reads took, in each round.
#[derive(Debug, Default)]
struct Reads {
    idle: Vec<f64>,
    loaded: Vec<f64>,
}

impl Reads {
    /// Reads alone, and beside buyers of the hot SKU, whose rate it says.
    async fn beside(
        &mut self,
        readers: &Readers,
        buyers: &Buyers,
        time: Duration,
    ) -> anyhow::Result<Rate> {
        self.idle.push(readers.read(time / 2).await?);
        let (loaded, rate) = tokio::try_join!(readers.read(time), buyers.buy(time))?;
        self.loaded.push(loaded);
        Ok(rate)
    }

    fn cells(&self) -> Vec<String> {
        let [idle, loaded] = [&self.idle, &self.loaded].map(|waits| Spread::of(waits.clone()));
        let waits = [idle, loaded].map(|waits| format!("{:.2}", waits.median));
        waits.into_iter().chain([times(&self.loaded, &self.idle)]).collect()
    }
}

async fn postgres(flags: &Flags) -> anyhow::Result<(Table, Reads)> {
    let cluster = Cluster::start(SERVER);
    let (yardstick, name) =
        (cluster.create_database("template0"), cluster.create_database("template0"));
    contenders::prepare(&cluster, &yardstick)?;
    let owner = cluster.url(OWNER, &name);
    let shop = Shop::on_postgres(&owner, &cluster.url(PROGRAM, &name), flags.writers).await?;
    shop.fill().await?;
    let readers = Readers::of(&shop).await?;

    let (mut pgbench, mut update, mut reads) = (Vec::new(), Vec::new(), Reads::default());
    let (mut hot, mut uniform) = (Vec::new(), Vec::new());
    let one = Buyers::of_one(&shop, flags.clients);
    for _ in 0..flags.rounds {
        pgbench.push(contenders::pgbench(&cluster, &yardstick, flags.clients, flags.secs)?);
        hot.push(one.buy(flags.time()).await?);
        update.push(contenders::one_row(&cluster, &yardstick, flags.clients, flags.secs)?);
        uniform.push(Buyers::of_all(&shop, flags.clients).buy(flags.time()).await?);
        reads.beside(&readers, &one, flags.time()).await?;
    }
    let report = shop.close().await?;
    anyhow::ensure!(report.is_intact(), "{report}");
    let title = format!("PostgreSQL, {} clients, {} writers", flags.clients, flags.writers);
    let columns = ["", "a second", "least", "most", "batch", "x pgbench -N", "x one row"];
    let mut table = Table::new(title, &columns);
    let none = || "".to_owned();
    let ratios = |rates: &[f64]| [times(rates, &pgbench), times(rates, &update)];
    for (name, rates) in [("pgbench -N", &pgbench), ("UPDATE of one row", &update)] {
        row(&mut table, name, rates, [none()].into_iter().chain(ratios(rates)).collect());
    }
    for (name, rates) in [("orders, one SKU", hot), ("orders, 10k SKUs", uniform)] {
        let (rates, batch) = split(&rates);
        row(&mut table, name, &rates, [batch].into_iter().chain(ratios(&rates)).collect());
    }
    Ok((table, reads))
}

async fn sqlite(flags: &Flags) -> anyhow::Result<(Table, Reads)> {
    let shop = Shop::on_sqlite().await?;
    shop.fill().await?;
    let readers = Readers::of(&shop).await?;
    let (mut single, mut grouped, mut reads) = (Vec::new(), Vec::new(), Reads::default());
    let many = Buyers::of_one(&shop, flags.clients);
    for _ in 0..flags.rounds {
        single.push(Buyers::of_one(&shop, 2).buy(flags.time()).await?);
        grouped.push(many.buy(flags.time()).await?);
        reads.beside(&readers, &many, flags.time()).await?;
    }
    let report = shop.close().await?;
    anyhow::ensure!(report.is_intact(), "{report}");
    let mut table = Table::new(
        "SQLite, synchronous = FULL, one SKU",
        &["", "a second", "least", "most", "batch", "x single"],
    );
    let (single, single_batch) = split(&single);
    let (grouped, grouped_batch) = split(&grouped);
    let first = vec![single_batch, times(&single, &single)];
    row(&mut table, "orders, one a transaction", &single, first);
    let name = format!("orders, {} clients", flags.clients);
    row(&mut table, &name, &grouped, vec![grouped_batch, times(&grouped, &single)]);
    Ok((table, reads))
}

/// The orders of each round, and what a transaction held.
fn split(rates: &[Rate]) -> (Vec<f64>, String) {
    let batches = Spread::of(rates.iter().map(|rate| rate.batch).collect());
    (rates.iter().map(|rate| rate.orders).collect(), format!("{:.1}", batches.median))
}

fn row(table: &mut Table, name: &str, rates: &[f64], more: Vec<String>) {
    let rate = Spread::of(rates.to_vec());
    let cells = [rate.median, rate.min, rate.max].map(|value| format!("{value:.0}"));
    table.row(name, cells.into_iter().chain(more).collect());
}

/// The median of the rounds' ratios.
fn times(rates: &[f64], of: &[f64]) -> String {
    let ratios = rates.iter().zip(of).map(|(rate, of)| rate / of).collect();
    format!("{:.2}", Spread::of(ratios).median)
}
