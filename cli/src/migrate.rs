//! `stockade migrate`: PostgreSQL's tables, made by their owner.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use stockade_settings::store::StoreUrl;

use crate::exit::Exit;

/// Arguments of `stockade migrate`.
#[derive(Debug, clap::Args)]
pub(crate) struct MigrateArgs {
    /// The database, as the role that owns its tables: `postgres://OWNER@HOST/DATABASE`.
    #[arg(value_name = "DATABASE")]
    database: StoreUrl,
    /// The owner's password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The role the core logs in as. It is granted what the core needs, and nothing more.
    #[arg(long, value_name = "ROLE", default_value = "stockade")]
    program: String,
}

/// Makes or brings up to date the tables, and grants the program's role what it needs.
pub(crate) fn run(args: &MigrateArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let StoreUrl::Postgres(owner) = &args.database else {
        bail!("`{}`: the core itself brings a SQLite file up to date when it starts", args.database)
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let password_file = args.password_file.as_deref();
    let version =
        runtime.block_on(stockade_core_api::migrate(owner, password_file, &args.program))?;
    writeln!(out, "the tables are at version {version}; `{}` may use them", args.program)?;
    Ok(Exit::Done)
}
