//! `stockade policy check`: is this policy fit to be served?

use std::io::Write;

use serde::Serialize;
use stockade_policy::{Bundle, Finding};

use super::{FolderArgs, counted, print_findings};
use crate::exit::Exit;

/// The version of the JSON output; raised when a field changes its meaning.
const JSON_VERSION: u32 = 1;

/// Arguments of `stockade policy check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    folder: FolderArgs,
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
}

pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let loaded = args.folder.load()?;
    match args.format {
        Format::Human => print_human(&loaded, out)?,
        Format::Json => print_json(&loaded, out)?,
    }
    Ok(if loaded.is_ok() { Exit::Done } else { Exit::No })
}

fn print_human(loaded: &Result<Bundle, Vec<Finding>>, out: &mut dyn Write) -> anyhow::Result<()> {
    let bundle = match loaded {
        Ok(bundle) => bundle,
        Err(findings) => return print_findings(findings, out),
    };
    writeln!(
        out,
        "ok: {}, {}, {}",
        counted(bundle.roles().count(), "role"),
        counted(bundle.permissions().count(), "permission"),
        counted(bundle.routes().len(), "route"),
    )?;
    let cells = counted(bundle.proof().cells, "cell");
    writeln!(out, "proven: Casbin agrees on {cells}")?;
    writeln!(out, "bundle: {}", bundle.hash())?;
    Ok(())
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    findings: Vec<FindingBody<'a>>,
    /// The bundle's hash; nothing where it is refused.
    hash: Option<String>,
    /// Cells Casbin was asked; nothing where the bundle is refused.
    proven_cells: Option<usize>,
}

#[derive(Debug, Serialize)]
struct FindingBody<'a> {
    code: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    fix: &'a str,
}

fn print_json(loaded: &Result<Bundle, Vec<Finding>>, out: &mut dyn Write) -> anyhow::Result<()> {
    let bundle = loaded.as_ref().ok();
    let findings = loaded.as_ref().err().map_or(&[][..], Vec::as_slice);
    let report = Report {
        version: JSON_VERSION,
        findings: findings.iter().map(FindingBody::from).collect(),
        hash: bundle.map(|bundle| bundle.hash().to_string()),
        proven_cells: bundle.map(|bundle| bundle.proof().cells),
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

impl<'a> From<&'a Finding> for FindingBody<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            code: finding.code.as_str(),
            file: &finding.file,
            line: finding.line,
            column: finding.column,
            message: &finding.message,
            fix: &finding.fix,
        }
    }
}
