//! `stockade-bench`: what Stockade costs, beside what it is compared with, in one run.
//!
//! | verb | compares |
//! |---|---|
//! | `edge` | CPU per request of `stockade-proxy` and of a bare Pingora proxy |
//! | `decide` | time per decision of a bundle and of Casbin's own `enforce` |
//! | `orders` | orders a second through the core, and what the same database does without it |
//! | `load` | time to read, compile and prove a bundle |
//!
//! `bare` and `upstream` are programs that `edge` starts for itself. Everything is bounded in
//! count and time, listens on loopback only, and ends with the run.

mod bare;
mod contender;
mod decide;
mod edge;
mod load;
mod orders;
mod policies;
mod report;
mod stage;
mod traffic;
mod upstream;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

use self::report::Report;

/// As in `stockade-proxy`, so that the bare proxy differs in nothing but what it does.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Stockade beside its peers.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct Flags {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    Edge(edge::Flags),
    Decide(decide::Flags),
    Orders(orders::Flags),
    Load(load::Flags),
    Bare(bare::Flags),
    Upstream(upstream::Flags),
}

fn main() -> ExitCode {
    match run(&Flags::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code still tells.
            drop(writeln!(io::stderr(), "stockade-bench: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(verb: &Verb) -> anyhow::Result<()> {
    match verb {
        Verb::Edge(flags) => show(&edge::run(flags)?),
        Verb::Decide(flags) => show(&decide::run(flags)?),
        Verb::Orders(flags) => show(&orders::run(flags)?),
        Verb::Load(flags) => show(&load::run(flags)?),
        Verb::Bare(flags) => bare::run(flags),
        Verb::Upstream(flags) => upstream::run(flags),
    }
}

fn show(report: &Report) -> anyhow::Result<()> {
    Ok(write!(io::stdout(), "{report}")?)
}
