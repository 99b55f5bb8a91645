//! `stockade copy`: a shop moved from SQLite to PostgreSQL.

use std::io::Write;
use std::path::PathBuf;

use stockade_settings::store::StoreUrl;

use crate::exit::Exit;

/// Arguments of `stockade copy`.
#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// The shop, `sqlite:FILE`. Stop its core first: what it sells after the copy is not in it.
    #[arg(long, value_name = "DATABASE")]
    from: StoreUrl,
    /// Tables made by `stockade migrate` and still empty, `postgres://...`.
    #[arg(long, value_name = "DATABASE")]
    to: StoreUrl,
    /// PostgreSQL's password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Copies, counts, verifies, and only then commits.
pub(crate) fn run(args: &CopyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let password_file = args.password_file.as_deref();
    let copied = runtime.block_on(stockade_core_api::copy(&args.from, &args.to, password_file))?;
    for (table, rows) in &copied.tables {
        writeln!(out, "{rows:>10}  {table}")?;
    }
    writeln!(out, "{}", copied.report)?;
    writeln!(out, "the shop is in `{}`; name it in core.store.url", args.to)?;
    Ok(Exit::Done)
}
