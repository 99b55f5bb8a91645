//! `stockade verify`: proof that the shop's books agree with themselves.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use stockade_settings::store::StoreUrl;

use crate::exit::Exit;

/// Arguments of `stockade verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The core's database, `sqlite:FILE` or `postgres://...`; it may be in use.
    #[arg(value_name = "DATABASE", default_value = "sqlite:.stockade/stockade.db")]
    database: StoreUrl,
    /// PostgreSQL's password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Checks every rule of stock, ledger and orders. The answer is no when one is broken.
pub(crate) fn run(args: &VerifyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime
        .block_on(stockade_core_api::verify(&args.database, args.password_file.as_deref()))
        .with_context(|| format!("cannot verify `{}`", args.database))?;
    writeln!(out, "{report}")?;
    Ok(if report.is_intact() { Exit::Done } else { Exit::No })
}
