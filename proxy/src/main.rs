//! `stockade-proxy`: the edge by itself, as production runs it, in front of any HTTP service.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;
use stockade_policy::{Bundle, BundleFiles};
use stockade_proxy::Proxy;
use stockade_settings::{LogFormat, Settings, bundle_folder};
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
    let files = bundle_folder::read(&flags.policies)?.files.into_iter();
    let files = files.map(|file| (file.name, file.bytes, file.writable_by_others));
    let bundle = Bundle::load(&BundleFiles::from_folder(files)).map_err(|findings| {
        let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{}: {}", flags.policies.display(), lines.join("\n"))
    })?;
    let proxy = Proxy::bind(&settings.edge, bundle)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let stop = stop::on_signal()?;
        tracing::info!(listen = %proxy.addr(), ops.listen = %proxy.ops_addr(), "the edge runs");
        Ok(proxy.serve(stop).await?)
    })
}
