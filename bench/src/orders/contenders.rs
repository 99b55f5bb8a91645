//! What the same cluster does without a shop: PostgreSQL's own benchmark, and one contended row.

use anyhow::{Context as _, ensure};
use stockade_test_support::postgres::Cluster;

const THREADS: &str = "2";

const ONE_ROW: &str = "CREATE TABLE hot (sku text PRIMARY KEY, reserved bigint NOT NULL);
                       INSERT INTO hot VALUES ('HOT', 0);";

const UPDATE: &str = "UPDATE hot SET reserved = reserved + 1 WHERE sku = 'HOT';\n";

/// The file of [`UPDATE`], in the cluster's folder of data.
const SCRIPT: &str = "one_row.sql";

/// Makes the tables of both.
pub(super) fn prepare(cluster: &Cluster, database: &str) -> anyhow::Result<()> {
    let made = cluster.client("pgbench").args(["-i", "-q", "-s", "10", database]).output()?;
    ensure!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    cluster.sql(database, ONE_ROW);
    cluster.write(SCRIPT, UPDATE);
    Ok(())
}

/// Transactions a second of `pgbench -N`.
pub(super) fn pgbench(
    cluster: &Cluster,
    database: &str,
    clients: usize,
    secs: u64,
) -> anyhow::Result<f64> {
    measure(cluster, database, clients, secs, &["-N"])
}

/// Updates of one row a second.
pub(super) fn one_row(
    cluster: &Cluster,
    database: &str,
    clients: usize,
    secs: u64,
) -> anyhow::Result<f64> {
    let script = cluster.data().join(SCRIPT).display().to_string();
    measure(cluster, database, clients, secs, &["-n", "-M", "prepared", "-f", &script])
}

fn measure(
    cluster: &Cluster,
    database: &str,
    clients: usize,
    secs: u64,
    flags: &[&str],
) -> anyhow::Result<f64> {
    let (clients, secs) = (clients.to_string(), secs.to_string());
    let mut command = cluster.client("pgbench");
    command.args(["-c", &clients, "-j", THREADS, "-T", &secs]).args(flags).arg(database);
    let output = command.output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = rate.and_then(|rest| rest.split(' ').next()).context("pgbench names no rate")?;
    Ok(rate.parse()?)
}
