//! `stockade policy matrix`: what every role gets on every route.

use std::fs;
use std::io::Write;

use anyhow::Context as _;
use stockade_policy::matrix;

use super::{FolderArgs, print_findings};
use crate::exit::Exit;

/// The reviewed matrix, relative to the policy folder.
const GOLDEN: &str = "golden/matrix.txt";

/// Arguments of `stockade policy matrix`.
#[derive(Debug, clap::Args)]
pub(super) struct MatrixArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Compares with golden/matrix.txt instead of printing; exit code 2 where it differs.
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &MatrixArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let bundle = match args.folder.load()? {
        Ok(bundle) => bundle,
        Err(findings) => {
            print_findings(&findings, out)?;
            return Ok(Exit::Failed);
        }
    };
    let rendered = matrix::render(&bundle);
    if !args.check {
        write!(out, "{rendered}")?;
        return Ok(Exit::Done);
    }
    let path = args.folder.path().join(GOLDEN);
    let golden = fs::read_to_string(&path)
        .with_context(|| format!("`{}` could not be read", path.display()))?;
    if golden == rendered {
        writeln!(out, "ok: {GOLDEN} is what the policy says")?;
        return Ok(Exit::Done);
    }
    print_difference(&golden, &rendered, out)?;
    writeln!(out, "{GOLDEN} differs; review the lines and write them there if they are meant")?;
    Ok(Exit::No)
}

/// Prints the lines that only one of the two has: `-` the reviewed one, `+` the new one.
fn print_difference(golden: &str, rendered: &str, out: &mut dyn Write) -> anyhow::Result<()> {
    for gone in golden.lines().filter(|line| !rendered.lines().any(|other| other == *line)) {
        writeln!(out, "- {gone}")?;
    }
    for new in rendered.lines().filter(|line| !golden.lines().any(|other| other == *line)) {
        writeln!(out, "+ {new}")?;
    }
    Ok(())
}
