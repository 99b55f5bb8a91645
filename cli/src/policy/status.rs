//! `stockade policy status`: which bundle a running edge serves, since when, and why.

use std::io::Write;

use anyhow::bail;
use serde::Serialize;
use stockade_contract::control::policy::{BundleFacts, PolicyStatus};
use stockade_contract::control::{Answer, Command};

use super::change::{EdgeArgs, Format, JSON_VERSION, print_refusal};
use super::counted;
use crate::exit::Exit;

/// Arguments of `stockade policy status`.
#[derive(Debug, clap::Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    edge: EdgeArgs,
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    #[serde(flatten)]
    status: &'a PolicyStatus,
}

pub(super) fn run(args: &StatusArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let status = match args.edge.control.ask(&Command::PolicyStatus)? {
        Answer::PolicyStatus { status } => status,
        Answer::Refused { message } => bail!(message),
        Answer::Done { .. }
        | Answer::Bans { .. }
        | Answer::PolicyChange { .. }
        | Answer::PolicyRefused { .. } => bail!("the edge answered another question"),
    };
    match args.edge.format {
        Format::Human => print_human(&status, out)?,
        Format::Json => {
            let report = Report { version: JSON_VERSION, status: &status };
            writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
        }
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
    if let Some(refusal) = &status.refused {
        writeln!(out, "refused at {} (seconds since 1970 UTC):", refusal.at)?;
        print_refusal(refusal, out)?;
    }
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
