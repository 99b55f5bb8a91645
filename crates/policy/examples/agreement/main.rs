//! Compares table, Casbin and a naive reading of the files over random policies.
//!
//! ```sh
//! cargo run --release -p stockade-policy --example agreement -- 10000000 42
//! ```
//!
//! The first number is how many cells to compare, the second a seed; the same seed compares the
//! same cells. The end is 0 where all three agree on every one, and 1 with the policy and the
//! question where they do not.
#![expect(clippy::indexing_slicing, reason = "numbers below come from the tables they index")]

use std::io::{self, Write as _};
use std::process::ExitCode;

mod casbin_reading;
mod compare;
mod naive_reading;
mod random;
mod world;

const USAGE: &str = "usage: agreement CELLS [SEED]";

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let numbers: Option<Vec<u64>> =
        std::env::args().skip(1).map(|word| word.parse().ok()).collect();
    let (cells, seed) = match numbers.as_deref() {
        Some([cells]) => (*cells, 1),
        Some([cells, seed]) => (*cells, *seed),
        _ => {
            drop(writeln!(out, "{USAGE}"));
            return ExitCode::FAILURE;
        }
    };
    let (line, code) = match compare::compare(cells, seed) {
        Ok(tally) => (format!("agreed: {tally:?}"), ExitCode::SUCCESS),
        Err(difference) => (difference, ExitCode::FAILURE),
    };
    // Standard output may be closed; the exit code still tells.
    drop(writeln!(out, "{line}"));
    code
}
