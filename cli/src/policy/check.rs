//! `stockade policy check`: is this policy fit to be served?

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use stockade_policy::{Bundle, Finding, Severity, lint, openapi};
use stockade_settings::bundle_folder::FolderFile;

use super::{FolderArgs, compile};
use crate::exit::Exit;
use crate::render::{
    FindingBody, Format, FormatArgs, Screen, Tone, counted, list_findings, print_findings,
};

/// Arguments of `stockade policy check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Takes warnings for errors: exit code 2 where there is one.
    #[arg(long)]
    strict: bool,
    /// Also compares the routes with the upstream's own OpenAPI document, in JSON.
    #[arg(long, value_name = "FILE")]
    openapi: Option<PathBuf>,
    #[command(flatten)]
    output: FormatArgs,
}

/// What a folder of files makes.
#[derive(Debug)]
struct Checked {
    files: Vec<FolderFile>,
    bundle: Option<Bundle>,
    /// Why it is not fit to be served.
    errors: Vec<Finding>,
    /// What is probably not meant, and notes.
    warnings: Vec<Finding>,
}

pub(super) fn run(args: &CheckArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let checked = Checked::of(args.folder.read()?, args.openapi.as_deref())?;
    match args.output.format {
        Format::Human => checked.print_human(screen)?,
        Format::Json => screen.json(&Report::of(&checked))?,
    }
    let too_many = args.strict && checked.count(Severity::Warning) > 0;
    Ok(if checked.errors.is_empty() && !too_many { Exit::Done } else { Exit::No })
}

impl Checked {
    fn of(files: Vec<FolderFile>, document: Option<&Path>) -> anyhow::Result<Self> {
        let mut checked = Self { files, bundle: None, errors: Vec::new(), warnings: Vec::new() };
        match compile(&checked.files) {
            Ok(bundle) => {
                if let Some(path) = document {
                    let name = path.display().to_string();
                    let bytes = fs::read(path).with_context(|| format!("cannot read `{name}`"))?;
                    checked.errors = openapi::compare(&bundle, &name, &bytes);
                }
                checked.warnings = lint(&bundle);
                checked.bundle = Some(bundle);
            }
            Err(errors) => checked.errors = errors,
        }
        Ok(checked)
    }

    fn count(&self, severity: Severity) -> usize {
        self.warnings.iter().filter(|finding| finding.code.severity() == severity).count()
    }

    fn print_human(&self, screen: &mut Screen<'_>) -> anyhow::Result<()> {
        let Some(bundle) = &self.bundle else {
            return print_findings(&self.errors, &self.files, "the policy is refused", screen);
        };
        if !self.errors.is_empty() {
            let consequence = "the policy and the upstream do not agree";
            return print_findings(&self.errors, &self.files, consequence, screen);
        }
        print_summary(bundle, screen)?;
        list_findings(&self.warnings, &self.files, screen)?;
        for (severity, noun) in [(Severity::Warning, "warning"), (Severity::Note, "note")] {
            match self.count(severity) {
                0 => {}
                some => writeln!(screen, "{}", counted(some, noun))?,
            }
        }
        Ok(())
    }
}

fn print_summary(bundle: &Bundle, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    writeln!(
        screen,
        "{}: {}, {}, {}",
        look.paint(Tone::Good, "ok"),
        counted(bundle.roles().count(), "role"),
        counted(bundle.permissions().count(), "permission"),
        counted(bundle.routes().len(), "route"),
    )?;
    let cells = counted(bundle.proof().cells, "cell");
    writeln!(screen, "{}: Casbin agrees on {cells}", look.paint(Tone::Good, "proven"))?;
    writeln!(screen, "bundle: {}", bundle.hash())?;
    Ok(())
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Why it is not fit to be served.
    findings: Vec<FindingBody<'a>>,
    /// What is probably not meant, and notes; nothing where the bundle is refused.
    warnings: Vec<FindingBody<'a>>,
    /// The bundle's hash; nothing where it is refused.
    hash: Option<String>,
    /// Cells Casbin was asked; nothing where the bundle is refused.
    proven_cells: Option<usize>,
}

impl<'a> Report<'a> {
    fn of(checked: &'a Checked) -> Self {
        let bundle = checked.bundle.as_ref();
        Self {
            findings: checked.errors.iter().map(FindingBody::from).collect(),
            warnings: checked.warnings.iter().map(FindingBody::from).collect(),
            hash: bundle.map(|bundle| bundle.hash().to_string()),
            proven_cells: bundle.map(|bundle| bundle.proof().cells),
        }
    }
}
