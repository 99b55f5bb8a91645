//! `stockade privacy`: what is kept of people, and for how long; keys; erasures after a restore.

use std::io::Write;
use std::path::PathBuf;

use stockade_core_api::{PrivacyAdmin, RetentionReport};
use stockade_settings::CoreSettings;

use crate::database::{DatabaseArgs, PlaceArgs};
use crate::exit::Exit;

/// Arguments of `stockade privacy`.
#[derive(Debug, clap::Args)]
pub(crate) struct PrivacyArgs {
    #[command(subcommand)]
    verb: PrivacyVerb,
}

/// What to do about people's data.
#[derive(Debug, clap::Subcommand)]
enum PrivacyVerb {
    /// Shows what is kept for how long and why, and what is overdue. The answer is no when
    /// something is.
    Retention(PlaceArgs),
    /// Wraps every data key by the present key, so that the previous one can be destroyed.
    Rewrap(DatabaseArgs),
    /// Erases again what a restored backup brought back. A core does the same before it serves.
    ReplayErasures(ReplayArgs),
}

/// Arguments of `stockade privacy replay-erasures`.
#[derive(Debug, clap::Args)]
struct ReplayArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The list of `core.erasure_journal_file`.
    #[arg(long, value_name = "FILE", default_value = ".stockade/erasures.jsonl")]
    journal: PathBuf,
}

pub(crate) fn run(args: &PrivacyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &args.verb {
        PrivacyVerb::Retention(args) => runtime.block_on(retention(args, out)),
        PrivacyVerb::Rewrap(args) => runtime.block_on(rewrap(args, out)),
        PrivacyVerb::ReplayErasures(args) => runtime.block_on(replay(args, out)),
    }
}

async fn retention(args: &PlaceArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let settings = CoreSettings { store: args.store(), ..CoreSettings::default() };
    let reports = PrivacyAdmin::retention(&settings).await?;
    for report in &reports {
        tell(report, out)?;
    }
    let is_overdue = reports.iter().any(|report| report.overdue > 0);
    Ok(if is_overdue { Exit::No } else { Exit::Done })
}

fn tell(report: &RetentionReport, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{}", report.name)?;
    writeln!(out, "  kept {}: {}", report.kept, report.why)?;
    match report.since {
        None => writeln!(out, "  nothing is overdue")?,
        Some(since) => {
            writeln!(out, "  {} overdue, the oldest since {}", report.overdue, since.to_rfc3339())?;
        }
    }
    Ok(())
}

async fn rewrap(args: &DatabaseArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let count = PrivacyAdmin::open(&args.settings()).await?.rewrap().await?;
    writeln!(out, "{count} data keys rewrapped; none is left of the previous key")?;
    Ok(Exit::Done)
}

async fn replay(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut settings = args.database.settings();
    settings.erasure_journal_file = Some(args.journal.clone());
    let replayed = PrivacyAdmin::open(&settings).await?.replay_erasures().await?;
    writeln!(out, "{} accounts were there again and are erased again", replayed.erased)?;
    writeln!(out, "{} erasures were added to the journal", replayed.noted)?;
    Ok(Exit::Done)
}
