//! What a running edge says to a command that changes its policy, for people and programs.

use std::io::Write;

use anyhow::bail;
use serde::Serialize;
use stockade_contract::control::policy::{PolicyChange, PolicyRefusal, TrialStatus};
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
#[serde(untagged)]
enum Report {
    Change(PolicyChange),
    Trial { message: String, trial: Option<TrialStatus> },
    Refusal { refusal: PolicyRefusal },
}

impl EdgeArgs {
    /// Has the edge change its policy, and says what it did. The answer is no where it refused.
    pub(super) fn order(&self, command: &Command, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
        let report = match self.control.ask(command)? {
            Answer::PolicyChange { change } => Report::Change(change),
            Answer::PolicyTrial { message, trial } => Report::Trial { message, trial },
            Answer::PolicyRefused { refusal } => Report::Refusal { refusal },
            Answer::Refused { message } => bail!(message),
            Answer::Done { .. } | Answer::Bans { .. } | Answer::PolicyStatus { .. } => {
                bail!("the edge answered another question")
            }
        };
        match self.output.format {
            Format::Human => report.print(screen)?,
            Format::Json => screen.json(&report)?,
        }
        Ok(match report {
            Report::Change(_) | Report::Trial { .. } => Exit::Done,
            Report::Refusal { .. } => Exit::No,
        })
    }
}

impl Report {
    fn print(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match self {
            Self::Change(PolicyChange { message, .. }) | Self::Trial { message, .. } => {
                writeln!(out, "{message}")?;
            }
            Self::Refusal { refusal } => {
                print_refusal(refusal, out)?;
                writeln!(out, "the bundle in force stays")?;
            }
        }
        Ok(())
    }
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
