//! What a running edge says to a command that changes its policy, for people and programs.

use std::io::Write;

use anyhow::bail;
use serde::Serialize;
use stockade_contract::control::policy::{PolicyChange, PolicyRefusal};
use stockade_contract::control::{Answer, Command};

use crate::control::ControlArgs;
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen};

/// Which edge is asked, and how its answer is written.
#[derive(Debug, clap::Args)]
pub(super) struct EdgeArgs {
    #[command(flatten)]
    pub(super) control: ControlArgs,
    #[command(flatten)]
    pub(super) output: FormatArgs,
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    change: Option<&'a PolicyChange>,
    refusal: Option<&'a PolicyRefusal>,
}

impl EdgeArgs {
    /// Has the edge change its policy, and says what it did. The answer is no where it refused.
    pub(super) fn order(&self, command: &Command, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
        let (change, refusal) = match self.control.ask(command)? {
            Answer::PolicyChange { change } => (Some(change), None),
            Answer::PolicyRefused { refusal } => (None, Some(refusal)),
            Answer::Refused { message } => bail!(message),
            Answer::Done { .. } | Answer::Bans { .. } | Answer::PolicyStatus { .. } => {
                bail!("the edge answered another question")
            }
        };
        let report = Report { change: change.as_ref(), refusal: refusal.as_ref() };
        match self.output.format {
            Format::Human => print_human(&report, screen)?,
            Format::Json => screen.json(&report)?,
        }
        Ok(if refusal.is_none() { Exit::Done } else { Exit::No })
    }
}

fn print_human(report: &Report<'_>, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(change) = report.change {
        writeln!(out, "{}", change.message)?;
    }
    if let Some(refusal) = report.refusal {
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
