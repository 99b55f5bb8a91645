//! `stockade audit`: proof that nobody changed what was told of changes.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use stockade_core_api::{TrailPlace, verify_trail};
use stockade_settings::store::StoreUrl;
use stockade_settings::{CoreSettings, Settings};

use crate::exit::Exit;

/// Arguments of `stockade audit`.
#[derive(Debug, clap::Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    verb: AuditVerb,
}

/// What to do with the audit trail.
#[derive(Debug, clap::Subcommand)]
enum AuditVerb {
    /// Prove every hash, the order without gaps, every signature, and what was told outside.
    Verify(VerifyArgs),
}

/// Arguments of `stockade audit verify`.
#[derive(Debug, clap::Args)]
struct VerifyArgs {
    /// The settings of the core; what they leave out is below the data folder.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database, `sqlite:FILE` or `postgres://...`; comes before the settings'.
    #[arg(long, value_name = "DATABASE", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<StoreUrl>,
    /// Where `stockade up` keeps its state.
    #[arg(long, value_name = "DIR", default_value = ".stockade")]
    data_dir: PathBuf,
    /// Checkpoints as they were told outside the database, such as a copy from another machine.
    #[arg(long, value_name = "FILE")]
    checkpoints: Option<PathBuf>,
    /// The first key that signs checkpoints, or its public half; those that follow it are beside it.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    #[default]
    Human,
    Json,
}

/// Proves the trail. The answer is no when something contradicts it.
pub(crate) fn run(args: &AuditArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let AuditVerb::Verify(args) = &args.verb;
    let core =
        args.config.as_deref().map(Settings::load).transpose()?.map(|settings| settings.core);
    let place = Place::of(args, core.unwrap_or_default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime
        .block_on(verify_trail(place.as_trail()))
        .with_context(|| format!("cannot prove the audit trail of `{}`", place.url))?;
    match args.format {
        Format::Human => writeln!(out, "{report}")?,
        Format::Json => writeln!(out, "{}", serde_json::to_string(&report)?)?,
    }
    Ok(if report.is_intact() { Exit::Done } else { Exit::No })
}

/// Where everything is that the proof needs.
struct Place {
    url: StoreUrl,
    password_file: Option<PathBuf>,
    key: PathBuf,
    checkpoints: PathBuf,
}

impl Place {
    /// Flags come first, then the settings, then what `stockade up` makes.
    fn of(args: &VerifyArgs, core: CoreSettings) -> Self {
        let made = |name: &str| args.data_dir.join(name);
        let url = args.database.clone().or(core.store.url);
        let key = args.key.clone().or(core.audit_key_file);
        let checkpoints = args.checkpoints.clone().or(core.audit_checkpoints_file);
        Self {
            url: url.unwrap_or_else(|| StoreUrl::Sqlite(made("stockade.db"))),
            password_file: core.store.password_file,
            key: key.unwrap_or_else(|| made("audit-key.pem")),
            checkpoints: checkpoints.unwrap_or_else(|| made("audit-checkpoints.jsonl")),
        }
    }

    fn as_trail(&self) -> TrailPlace<'_> {
        TrailPlace {
            url: &self.url,
            password_file: self.password_file.as_deref(),
            key_file: &self.key,
            checkpoints_file: &self.checkpoints,
        }
    }
}
