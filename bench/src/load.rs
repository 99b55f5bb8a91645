//! Time to take a bundle: read, compiled, and proven cell by cell by Casbin.

use std::path::PathBuf;
use std::time::Instant;

use stockade_policy::Bundle;

use crate::policies::Policy;
use crate::report::{Report, Spread, Table};

/// Rules of the large policy.
const LARGE_RULES: usize = 10_000;

/// Measures how long a bundle takes to load, its proof included.
#[derive(Debug, clap::Args)]
pub(crate) struct Flags {
    /// The policy folder.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
    /// Loads of the shop's bundle.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    runs: u32,
    /// Loads of the bundle of 10,000 rules.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=10))]
    large_runs: u32,
}

pub(crate) fn run(flags: &Flags) -> anyhow::Result<Report> {
    let shop = Policy::read(&flags.policies)?;
    let large = Policy::generated(LARGE_RULES, &shop)?;
    let columns = ["bundle", "loads", "rules", "cells proven", "median", "min", "max"];
    let mut table = Table::new("time per `Bundle::load`, ms", &columns);
    for (policy, runs) in [(shop, flags.runs), (large, flags.large_runs)] {
        if runs == 0 {
            continue;
        }
        let cells = policy.load()?.proof().cells;
        let spread = Spread::of((0..runs).map(|_| load_ms(&policy)).collect());
        let numbers = [spread.median, spread.min, spread.max].map(|ms| format!("{ms:.2}"));
        let mut row = vec![runs.to_string(), policy.rules().len().to_string(), cells.to_string()];
        row.extend(numbers);
        table.row(&policy.name, row);
    }
    Ok(Report::default().with(table))
}

/// The policy has loaded before, so it loads again.
fn load_ms(policy: &Policy) -> f64 {
    let files = policy.bundle_files();
    let start = Instant::now();
    let bundle = Bundle::load(&files);
    let elapsed = start.elapsed();
    drop(bundle);
    elapsed.as_secs_f64() * 1e3
}
