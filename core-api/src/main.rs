//! `stockade-core-api`: the core by itself, as production runs it.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser as _;
use stockade_core_api::{Clock, Core};
use stockade_settings::store::StoreUrl;
use stockade_settings::{LogFormat, Settings};
use stockade_telemetry::logs::{self, LogStyle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The commerce core. Answers the edge on a Unix socket.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct Flags {
    /// The settings file, usually `stockade.toml`.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The database, `sqlite:FILE` or `postgres://...`; comes before `core.store.url`.
    #[arg(long, value_name = "DATABASE", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<StoreUrl>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    let mut settings = Settings::load(&flags.config)?;
    settings.core.store.url = flags.database.or(settings.core.store.url);
    logs::init(match settings.log.format {
        LogFormat::Human => LogStyle::Human,
        LogFormat::Json => LogStyle::Json,
    });
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    let core = Core::start(&settings.core, Clock::system()).await?;
    tracing::info!(ops.addr = %core.ops_addr(), socket = %core.socket().display(), "the core runs");
    Ok(core.serve(stopped).await?)
}
