//! Reloads under load, as many as one likes: `cargo run -p stockade-e2e --example reloads 10000`.
//!
//! The programs are those of `cargo build --bins`. Ends with 0 when no request was lost, every
//! answer was that of the policy its record names, and memory stayed within its bound.

use std::io::{self, Write as _};
use std::process::ExitCode;

use stockade_test_support::storm::reload_under_load;

/// The most the edge's own memory may grow, however many reloads there are.
const GROWTH_KIB_MAX: u64 = 16 * 1024;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> io::Result<ExitCode> {
    let Some(reloads) = std::env::args().nth(1).and_then(|count| count.parse().ok()) else {
        writeln!(io::stderr(), "usage: reloads COUNT")?;
        return Ok(ExitCode::FAILURE);
    };
    let calm = reload_under_load(reloads).await;
    writeln!(io::stdout(), "{calm:?}")?;
    let (before, after) = calm.memory_kib;
    let bounded = after < before + GROWTH_KIB_MAX;
    Ok(if bounded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
