//! `stockade-proxy`: the edge by itself, as production runs it, in front of any HTTP service.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use stockade_proxy::{LoadedPolicy, Proxy};
use stockade_settings::{LogFormat, Settings};
use stockade_telemetry::logs::{self, LogStyle};
use stockade_telemetry::stop;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The security edge.
#[derive(Debug, clap::Parser)]
#[command(version)]
struct Flags {
    /// The settings file, usually `stockade.toml`.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The policy folder.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
}

fn main() -> ExitCode {
    match run(&Flags::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; the exit code still tells.
            drop(writeln!(io::stderr(), "stockade-proxy: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(flags: &Flags) -> anyhow::Result<()> {
    let settings = Settings::load(&flags.config)?;
    logs::init(match settings.log.format {
        LogFormat::Human => LogStyle::Human,
        LogFormat::Json => LogStyle::Json,
    });
    let proxy = Proxy::bind(&settings.edge, LoadedPolicy::load(&flags.policies)?)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stop = stop::on_signal()?;
        tracing::info!(listen = %proxy.addr(), ops.listen = %proxy.ops_addr(), "the edge runs");
        Ok(proxy.serve(stop).await?)
    })
}
