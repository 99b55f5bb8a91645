//! `stockade policy replay`: whom would this policy have let in, or locked out, yesterday?
//!
//! Reads decision records, as the edge writes them, and judges each against a policy folder. The
//! records say what was decided then; whoever is treated differently now is a flip.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;

use stockade_policy::replay::Summary;

use super::{PoliciesArgs, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen};

mod blocks;
mod report;
mod workers;

use self::blocks::Blocks;

/// More threads than this wait for each other.
const THREADS_MAX: usize = 64;

/// Arguments of `stockade policy replay`.
#[derive(Debug, clap::Args)]
pub(super) struct ReplayArgs {
    /// Files of decision records, plain or gzip; `-` is standard input.
    #[arg(value_name = "LOG", required = true)]
    logs: Vec<PathBuf>,
    #[command(flatten)]
    policies: PoliciesArgs,
    /// Lets callers reach more than they did, which is exit code 3 otherwise.
    #[arg(long)]
    accept: bool,
    /// How many threads judge; by default, one for each processor.
    #[arg(long, value_name = "COUNT")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &ReplayArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let bundle = match args.policies.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    let threads = args.threads.or_else(|| thread::available_parallelism().ok());
    let threads = threads.map_or(1, NonZeroUsize::get).min(THREADS_MAX);
    let summary = workers::replay(&bundle, Blocks::of(&args.logs)?, threads)?;
    match args.output.format {
        Format::Human => report::print(&summary, &bundle, screen)?,
        Format::Json => screen.json(&report::Report::of(&summary, &bundle))?,
    }
    Ok(exit(&summary, args.accept))
}

fn exit(summary: &Summary, accept: bool) -> Exit {
    match (summary.flipped(), summary.widened()) {
        (0, _) => Exit::Done,
        (flipped, widened) if accept && flipped == widened => Exit::Done,
        (_, widened) if widened > 0 && !accept => Exit::Widened,
        _ => Exit::No,
    }
}

#[cfg(test)]
mod tests;
