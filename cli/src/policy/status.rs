//! `stockade policy status`: which bundle a running edge serves, since when, and why.

use std::io::Write;

use anyhow::bail;
use stockade_contract::control::policy::{BundleFacts, PolicyStatus, TrialStatus};
use stockade_contract::control::{Answer, Command};

use super::change::{EdgeArgs, print_refusal};
use crate::exit::Exit;
use crate::render::{Format, Screen, counted};

/// Arguments of `stockade policy status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    edge: EdgeArgs,
}

pub(super) fn run(args: &StatusArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let status = match args.edge.control.ask(&Command::PolicyStatus)? {
        Answer::PolicyStatus { status } => status,
        Answer::Refused { message } => bail!(message),
        Answer::Done { .. }
        | Answer::Bans { .. }
        | Answer::PolicyChange { .. }
        | Answer::PolicyTrial { .. }
        | Answer::PolicyRefused { .. } => bail!("the edge answered another question"),
    };
    match args.edge.output.format {
        Format::Human => print_human(&status, screen)?,
        Format::Json => screen.json(&status)?,
    }
    Ok(Exit::Done)
}

fn print_human(status: &PolicyStatus, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "in force: {}", line(&status.in_force))?;
    writeln!(
        out,
        "since:    {} (seconds since 1970 UTC), by {}",
        status.since,
        status.by.as_str()
    )?;
    writeln!(out, "folder:   {} (watched: {})", status.folder, status.watch)?;
    if status.held {
        writeln!(out, "held:     rolled back; the folder is left alone until the next reload")?;
    }
    if status.loading {
        writeln!(out, "loading:  a bundle is being read and proven")?;
    }
    for kept in &status.kept {
        writeln!(out, "kept {}:   {}", kept.number, line(&kept.bundle))?;
    }
    if let Some(trial) = &status.trial {
        print_trial(trial, out)?;
    }
    for (what, refusal) in [("policy", &status.refused), ("candidate", &status.candidate_refused)] {
        if let Some(refusal) = refusal {
            writeln!(out, "{what} refused at {} (seconds since 1970 UTC):", refusal.at)?;
            print_refusal(refusal, out)?;
        }
    }
    Ok(())
}

fn print_trial(trial: &TrialStatus, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "tried:    {}", line(&trial.bundle))?;
    match &trial.folder {
        Some(folder) => writeln!(out, "          the candidate in {folder}")?,
        None => writeln!(out, "          what the files in force mark as shadow")?,
    }
    let TrialStatus { same, widened, narrowed, .. } = trial;
    writeln!(out, "          {same} the same, {widened} widened, {narrowed} narrowed")?;
    Ok(())
}

fn line(bundle: &BundleFacts) -> String {
    format!(
        "{} ({}, {}, {})",
        bundle.hash,
        counted(bundle.roles, "role"),
        counted(bundle.permissions, "permission"),
        counted(bundle.routes, "route"),
    )
}
