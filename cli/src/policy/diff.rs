//! `stockade policy diff`: who gets something else, and which line did it.

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;
use stockade_policy::diff::{self, Diff};

use super::print_findings;
use crate::exit::Exit;

mod git;
mod render;
mod versions;

use self::versions::Versions;

/// The version of the JSON output; raised when a field changes its meaning.
const JSON_VERSION: u32 = 1;

/// Arguments of `stockade policy diff`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 nobody gets anything else, or it is accepted; 1 could not; \
                        2 somebody gets less or something else; 3 somebody gets more.")]
pub(super) struct DiffArgs {
    /// Two revisions of git (`main..HEAD`), or one to compare the folder with (`main`); or the
    /// older of two folders.
    #[arg(value_name = "REVISIONS | OLD")]
    old: String,
    /// The newer of two folders.
    #[arg(value_name = "NEW", conflicts_with = "dir")]
    new: Option<PathBuf>,
    /// The policy folder whose revisions are compared.
    #[arg(long, default_value = "policies")]
    dir: PathBuf,
    /// Accepts whatever changes: exit code 0.
    #[arg(long)]
    accept: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

pub(super) fn run(args: &DiffArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let versions = Versions::parse(&args.old, args.new.as_deref(), &args.dir)?;
    let (old, new) = versions.load()?;
    let (old, new) = match (old, new) {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            for (name, found) in versions.names().into_iter().zip([old, new]) {
                if let Err(findings) = found {
                    writeln!(out, "{name}:")?;
                    print_findings(&findings, out)?;
                }
            }
            return Ok(Exit::Failed);
        }
    };
    let diff = diff::compare(&old, &new);
    match args.format {
        Format::Human => render::human(&diff, args.accept, out)?,
        Format::Json => print_json(&diff, out)?,
        Format::Markdown => render::markdown(&diff, out)?,
    }
    Ok(exit(&diff, args.accept))
}

fn exit(diff: &Diff, accept: bool) -> Exit {
    if diff.is_empty() || accept {
        Exit::Done
    } else if diff.widens() {
        Exit::Widened
    } else {
        Exit::No
    }
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    /// Whether somebody gets more.
    widens: bool,
    #[serde(flatten)]
    diff: &'a Diff,
}

fn print_json(diff: &Diff, out: &mut dyn Write) -> anyhow::Result<()> {
    let report = Report { version: JSON_VERSION, widens: diff.widens(), diff };
    writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

#[cfg(test)]
mod tests;
