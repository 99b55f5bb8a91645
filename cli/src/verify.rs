//! `stockade verify`: proof that the shop's books agree with themselves.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;

use crate::exit::Exit;

/// Arguments of `stockade verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The core's database; it may be in use.
    #[arg(value_name = "DATABASE", default_value = ".stockade/stockade.db")]
    database: PathBuf,
}

/// Checks every rule of stock, ledger and orders. The answer is no when one is broken.
pub(crate) fn run(args: &VerifyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime
        .block_on(stockade_core_api::verify(&args.database))
        .with_context(|| format!("cannot verify `{}`", args.database.display()))?;
    writeln!(out, "{report}")?;
    Ok(if report.is_intact() { Exit::Done } else { Exit::No })
}
