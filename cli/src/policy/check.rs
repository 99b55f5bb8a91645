//! `stockade policy check`: is this policy fit to be served?

use std::io::Write as _;

use serde::Serialize;
use stockade_policy::{Bundle, Finding};

use super::{FolderArgs, Refused, print_findings};
use crate::exit::Exit;
use crate::render::{FindingBody, Format, FormatArgs, Screen, Tone, counted};

/// Arguments of `stockade policy check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &CheckArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let loaded = args.folder.load()?;
    match args.output.format {
        Format::Human => print_human(&loaded, screen)?,
        Format::Json => screen.json(&Report::of(&loaded))?,
    }
    Ok(if loaded.is_ok() { Exit::Done } else { Exit::No })
}

fn print_human(loaded: &Result<Bundle, Refused>, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let bundle = match loaded {
        Ok(bundle) => bundle,
        Err(refused) => return print_findings(refused, screen),
    };
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
    findings: Vec<FindingBody<'a>>,
    /// The bundle's hash; nothing where it is refused.
    hash: Option<String>,
    /// Cells Casbin was asked; nothing where the bundle is refused.
    proven_cells: Option<usize>,
}

impl<'a> Report<'a> {
    fn of(loaded: &'a Result<Bundle, Refused>) -> Self {
        let bundle = loaded.as_ref().ok();
        let findings: &[Finding] = loaded.as_ref().err().map_or(&[], |refused| &refused.findings);
        Self {
            findings: findings.iter().map(FindingBody::from).collect(),
            hash: bundle.map(|bundle| bundle.hash().to_string()),
            proven_cells: bundle.map(|bundle| bundle.proof().cells),
        }
    }
}
