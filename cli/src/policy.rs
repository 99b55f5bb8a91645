//! `stockade policy`: what security teams do with a policy folder.
//!
//! Most verbs read the folder, ask the policy engine and print what it says, without a running
//! edge. `reload`, `status` and `rollback` ask the running edge instead, over its control socket.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use stockade_policy::{Bundle, BundleFiles, Finding};
use stockade_settings::bundle_folder;

use crate::exit::Exit;

mod change;
mod check;
mod matrix;
mod reload;
mod rollback;
mod status;
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
    /// Runs the cases and says which do not hold.
    Test(test::TestArgs),
    /// Prints what every role gets on every route.
    Matrix(matrix::MatrixArgs),
    /// Has a running edge read, prove and serve its policy folder; exit code 2 when it is refused.
    Reload(reload::ReloadArgs),
    /// Says which bundle a running edge serves, and what it refused.
    Status(status::StatusArgs),
    /// Returns a running edge to a bundle that it served before.
    Rollback(rollback::RollbackArgs),
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
        PolicyVerb::Test(args) => test::run(args, out),
        PolicyVerb::Matrix(args) => matrix::run(args, out),
        PolicyVerb::Reload(args) => reload::run(args, out),
        PolicyVerb::Status(args) => status::run(args, out),
        PolicyVerb::Rollback(args) => rollback::run(args, out),
    }
}

impl FolderArgs {
    /// The bundle in the folder, or what is wrong with it.
    fn load(&self) -> anyhow::Result<Result<Bundle, Vec<Finding>>> {
        let folder = bundle_folder::read(&self.folder).context("the policy was not read")?;
        let files = folder.files.into_iter();
        let files = files.map(|file| (file.name, file.bytes, file.writable_by_others));
        Ok(Bundle::load(&BundleFiles::from_folder(files)))
    }

    fn path(&self) -> &Path {
        &self.folder
    }
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
mod tests;
