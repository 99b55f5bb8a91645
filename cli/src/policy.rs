//! `stockade policy`: what security teams do with a policy folder.
//!
//! Every verb reads the folder, asks the policy engine and prints what it says. None of them
//! needs a running edge.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use stockade_policy::{Bundle, BundleFiles, Finding};
use stockade_settings::bundle_folder;

use crate::exit::Exit;

mod check;
mod diff;
mod explain;
mod matrix;
mod test;

/// Arguments of `stockade policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    verb: PolicyVerb,
}

/// What to do with a policy folder.
#[derive(Debug, clap::Subcommand)]
enum PolicyVerb {
    /// Reads, compiles and proves the policy, and says everything that is wrong with it.
    Check(check::CheckArgs),
    /// Says who gets something else than before, and which line did it.
    Diff(diff::DiffArgs),
    /// Says why a request gets what it gets, or why a decision was made.
    Explain(explain::ExplainArgs),
    /// Runs the cases and says which do not hold.
    Test(test::TestArgs),
    /// Prints what every role gets on every route.
    Matrix(matrix::MatrixArgs),
}

/// The folder a verb is about.
#[derive(Debug, clap::Args)]
struct FolderArgs {
    /// The policy folder.
    #[arg(value_name = "DIR", default_value = "policies")]
    folder: PathBuf,
}

/// Runs one verb, writing what it has to say to `out`.
pub(crate) fn run(args: &PolicyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.verb {
        PolicyVerb::Check(args) => check::run(args, out),
        PolicyVerb::Diff(args) => diff::run(args, out),
        PolicyVerb::Explain(args) => explain::run(args, out),
        PolicyVerb::Test(args) => test::run(args, out),
        PolicyVerb::Matrix(args) => matrix::run(args, out),
    }
}

impl FolderArgs {
    /// The bundle in the folder, or what is wrong with it.
    fn load(&self) -> anyhow::Result<Result<Bundle, Vec<Finding>>> {
        load_folder(&self.folder)
    }

    fn path(&self) -> &Path {
        &self.folder
    }
}

/// The bundle in a folder, or what is wrong with it.
fn load_folder(folder: &Path) -> anyhow::Result<Result<Bundle, Vec<Finding>>> {
    let folder = bundle_folder::read(folder).context("the policy was not read")?;
    let files = folder.files.into_iter();
    let files = files.map(|file| (file.name, file.bytes, file.writable_by_others));
    Ok(Bundle::load(&BundleFiles::from_folder(files)))
}

/// Prints findings, one a line, and how many there are.
fn print_findings(findings: &[Finding], out: &mut dyn Write) -> anyhow::Result<()> {
    for finding in findings {
        writeln!(out, "{finding}")?;
    }
    writeln!(out, "{}: the policy is refused", counted(findings.len(), "finding"))?;
    Ok(())
}

/// A number with its noun: `1 finding`, `2 findings`.
fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
