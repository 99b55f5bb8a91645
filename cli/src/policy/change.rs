//! What a running edge says to a command that changes its policy, for people and programs.

use std::io::Write;

use anyhow::bail;
use serde::Serialize;
use stockade_contract::control::policy::{PolicyChange, PolicyRefusal};
use stockade_contract::control::{Answer, Command};

use crate::control::ControlArgs;
use crate::exit::Exit;

/// The version of the JSON output; raised when a field changes its meaning.
pub(super) const JSON_VERSION: u32 = 1;

/// How the answer is written.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// Which edge is asked, and how its answer is written.
#[derive(Debug, clap::Args)]
pub(super) struct EdgeArgs {
    #[command(flatten)]
    pub(super) control: ControlArgs,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    #[serde(flatten)]
    change: Option<&'a PolicyChange>,
    refusal: Option<&'a PolicyRefusal>,
}

impl EdgeArgs {
    /// Has the edge change its policy, and says what it did. The answer is no where it refused.
    pub(super) fn order(&self, command: &Command, out: &mut dyn Write) -> anyhow::Result<Exit> {
        let (change, refusal) = match self.control.ask(command)? {
            Answer::PolicyChange { change } => (Some(change), None),
            Answer::PolicyRefused { refusal } => (None, Some(refusal)),
            Answer::Refused { message } => bail!(message),
            Answer::Done { .. } | Answer::Bans { .. } | Answer::PolicyStatus { .. } => {
                bail!("the edge answered another question")
            }
        };
        match self.format {
            Format::Human => print_human(change.as_ref(), refusal.as_ref(), out)?,
            Format::Json => {
                let (change, refusal) = (change.as_ref(), refusal.as_ref());
                let report = Report { version: JSON_VERSION, change, refusal };
                writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
            }
        }
        Ok(if refusal.is_none() { Exit::Done } else { Exit::No })
    }
}

fn print_human(
    change: Option<&PolicyChange>,
    refusal: Option<&PolicyRefusal>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    if let Some(change) = change {
        writeln!(out, "{}", change.message)?;
    }
    if let Some(refusal) = refusal {
        print_refusal(refusal, out)?;
        writeln!(out, "the bundle in force stays")?;
    }
    Ok(())
}

/// Findings as `stockade policy check` prints them, and how many there are.
pub(super) fn print_refusal(refusal: &PolicyRefusal, out: &mut dyn Write) -> anyhow::Result<()> {
    for finding in &refusal.findings {
        writeln!(out, "{finding}")?;
    }
    if refusal.found > refusal.findings.len() {
        writeln!(out, "and {} more", refusal.found - refusal.findings.len())?;
    }
    writeln!(out, "{}", refusal.message)?;
    Ok(())
}
