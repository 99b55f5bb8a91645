//! `stockade policy`: what security teams do with a policy folder.
//!
//! Most verbs read the folder, ask the policy engine and print what it says, without a running
//! edge. `reload`, `status`, `rollback`, `shadow` and `promote` ask the running edge instead, over
//! its control socket.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::Serialize;
use stockade_policy::{Bundle, BundleFiles, Finding};
use stockade_settings::bundle_folder::{self, FolderFile};

use crate::exit::Exit;
use crate::render::{self, FindingBody, Format, Screen};

mod asker;
mod change;
mod check;
mod coverage;
mod diff;
mod explain;
mod fmt;
mod log;
mod matrix;
mod promote;
mod reload;
mod replay;
mod rollback;
mod shadow;
mod simulate;
mod status;
mod test;
mod who_can;

/// Arguments of `stockade policy`.
#[derive(Debug, clap::Args)]
pub(crate) struct PolicyArgs {
    #[command(subcommand)]
    verb: PolicyVerb,
}

/// What to do with a policy folder.
#[derive(Debug, clap::Subcommand)]
enum PolicyVerb {
    /// Read, compile and prove the policy, and say everything that is wrong with it.
    Check(check::CheckArgs),
    /// Run the cases and say which do not hold.
    Test(test::TestArgs),
    /// Say what could change without any case noticing.
    Coverage(coverage::CoverageArgs),
    /// Say who is allowed a permission or a request, and by which lines.
    WhoCan(who_can::WhoCanArgs),
    /// Print what every role gets on every route.
    Matrix(matrix::MatrixArgs),
    /// Say who gets something else than before, and which line did it.
    Diff(diff::DiffArgs),
    /// Say why a request gets what it gets, or why a decision was made.
    Explain(explain::ExplainArgs),
    /// Judge a log of past decisions, and say which would be made differently.
    Replay(replay::ReplayArgs),
    /// Align the files as everybody's are; nothing they say changes.
    Fmt(fmt::FmtArgs),
    /// Say what the policy says to a request that is written as a curl command line.
    Simulate(simulate::SimulateArgs),
    /// Have a running edge read, prove and serve its policy folder.
    Reload(reload::ReloadArgs),
    /// Say which bundle a running edge serves, and what it refused.
    Status(status::StatusArgs),
    /// Return a running edge to a bundle that it served before.
    Rollback(rollback::RollbackArgs),
    /// Have a running edge try a candidate: judged and recorded, refusing nobody.
    Shadow(shadow::ShadowArgs),
    /// Have a running edge put the candidate in force.
    Promote(promote::PromoteArgs),
}

/// The folder a verb is about, and nothing else.
#[derive(Debug, clap::Args)]
struct FolderArgs {
    /// The policy folder.
    #[arg(value_name = "DIR", default_value = "policies")]
    folder: PathBuf,
}

/// The folder that answers what a verb is asked.
#[derive(Debug, clap::Args)]
struct PoliciesArgs {
    /// The policy folder.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
}

/// What is wrong with a bundle, and the files it was read from.
#[derive(Debug)]
struct Refused {
    findings: Vec<Finding>,
    files: Vec<FolderFile>,
}

/// Runs one verb, which says what it has to say on `screen`.
pub(crate) fn run(args: &PolicyArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    match &args.verb {
        PolicyVerb::Check(args) => check::run(args, screen),
        PolicyVerb::Test(args) => test::run(args, screen),
        PolicyVerb::Coverage(args) => coverage::run(args, screen),
        PolicyVerb::WhoCan(args) => who_can::run(args, screen),
        PolicyVerb::Matrix(args) => matrix::run(args, screen),
        PolicyVerb::Diff(args) => diff::run(args, screen),
        PolicyVerb::Explain(args) => explain::run(args, screen),
        PolicyVerb::Replay(args) => replay::run(args, screen),
        PolicyVerb::Fmt(args) => fmt::run(args, screen),
        PolicyVerb::Simulate(args) => simulate::run(args, screen),
        PolicyVerb::Reload(args) => reload::run(args, screen),
        PolicyVerb::Status(args) => status::run(args, screen),
        PolicyVerb::Rollback(args) => rollback::run(args, screen),
        PolicyVerb::Shadow(args) => shadow::run(args, screen),
        PolicyVerb::Promote(args) => promote::run(args, screen),
    }
}

impl FolderArgs {
    /// The bundle in the folder, or what is wrong with it.
    fn load(&self) -> anyhow::Result<Result<Bundle, Refused>> {
        Ok(load(read(&self.folder)?))
    }

    /// The files of the folder.
    fn read(&self) -> anyhow::Result<Vec<FolderFile>> {
        read(&self.folder)
    }

    fn path(&self) -> &Path {
        &self.folder
    }
}

impl PoliciesArgs {
    /// The bundle in the folder, or what is wrong with it.
    fn load(&self) -> anyhow::Result<Result<Bundle, Refused>> {
        Ok(load(read(&self.policies)?))
    }
}

/// The files of a folder.
fn read(folder: &Path) -> anyhow::Result<Vec<FolderFile>> {
    Ok(bundle_folder::read(folder).context("the policy was not read")?.files)
}

/// The bundle that files make, or what is wrong with it.
fn load(files: Vec<FolderFile>) -> Result<Bundle, Refused> {
    compile(&files).map_err(|findings| Refused { findings, files })
}

/// The bundle that files make, or what is wrong with them.
fn compile(files: &[FolderFile]) -> Result<Bundle, Vec<Finding>> {
    let handed =
        files.iter().map(|file| (file.name.clone(), file.bytes.clone(), file.writable_by_others));
    Bundle::load(&BundleFiles::from_folder(handed))
}

/// Without a policy and its cases there is no answer, neither yes nor no.
fn refuse(refused: &Refused, format: Format, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    #[derive(Debug, Serialize)]
    struct Report<'a> {
        findings: Vec<FindingBody<'a>>,
    }
    let findings = refused.findings.iter().map(FindingBody::from).collect();
    match format {
        Format::Human => print_findings(refused, screen)?,
        Format::Json => screen.json(&Report { findings })?,
    }
    Ok(Exit::Failed)
}

/// Prints findings, one a line, and how many there are.
fn print_findings(refused: &Refused, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let Refused { findings, files } = refused;
    render::print_findings(findings, files, "the policy is refused", screen)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
