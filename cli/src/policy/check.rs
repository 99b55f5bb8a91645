//! `stockade policy check`: is this policy fit to be served?

use std::io::Write;

use serde::Serialize;
use stockade_policy::{Bundle, Finding, Severity, lint};

use super::{FolderArgs, counted, print_findings};
use crate::exit::Exit;

/// The version of the JSON outputs; raised when a field changes its meaning.
pub(super) const JSON_VERSION: u32 = 1;

/// Arguments of `stockade policy check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Takes warnings for errors: exit code 2 where there is one.
    #[arg(long)]
    strict: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

pub(super) fn run(args: &CheckArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let loaded = args.folder.load()?;
    let warnings = loaded.as_ref().map(lint).unwrap_or_default();
    match args.format {
        Format::Human => print_human(&loaded, &warnings, out)?,
        Format::Json => print_json(&loaded, &warnings, out)?,
    }
    let refused = args.strict && count(&warnings, Severity::Warning) > 0;
    Ok(if loaded.is_ok() && !refused { Exit::Done } else { Exit::No })
}

fn count(findings: &[Finding], severity: Severity) -> usize {
    findings.iter().filter(|finding| finding.code.severity() == severity).count()
}

fn print_human(
    loaded: &Result<Bundle, Vec<Finding>>,
    warnings: &[Finding],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
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
    for warning in warnings {
        writeln!(out, "{warning}")?;
    }
    for (severity, noun) in [(Severity::Warning, "warning"), (Severity::Note, "note")] {
        match count(warnings, severity) {
            0 => {}
            some => writeln!(out, "{}", counted(some, noun))?,
        }
    }
    Ok(())
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    /// Why the bundle is refused.
    findings: Vec<FindingBody<'a>>,
    /// What is probably not meant, and notes; nothing where the bundle is refused.
    warnings: Vec<FindingBody<'a>>,
    /// The bundle's hash; nothing where it is refused.
    hash: Option<String>,
    /// Cells Casbin was asked; nothing where the bundle is refused.
    proven_cells: Option<usize>,
}

#[derive(Debug, Serialize)]
struct FindingBody<'a> {
    code: &'static str,
    severity: &'static str,
    file: &'a str,
    line: u32,
    column: u32,
    message: &'a str,
    fix: &'a str,
}

fn print_json(
    loaded: &Result<Bundle, Vec<Finding>>,
    warnings: &[Finding],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let bundle = loaded.as_ref().ok();
    let findings = loaded.as_ref().err().map_or(&[][..], Vec::as_slice);
    let report = Report {
        version: JSON_VERSION,
        findings: findings.iter().map(FindingBody::from).collect(),
        warnings: warnings.iter().map(FindingBody::from).collect(),
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
            severity: match finding.code.severity() {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            file: &finding.file,
            line: finding.line,
            column: finding.column,
            message: &finding.message,
            fix: &finding.fix,
        }
    }
}
