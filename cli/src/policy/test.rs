//! `stockade policy test`: is the intent, written down as cases, still the effect?

use std::io::Write;

use anyhow::Context as _;
use stockade_policy::cases::{self, Case, CaseResult};
use stockade_policy::{Bundle, Finding};
use stockade_settings::bundle_folder::{self, FolderFile};

use super::{FolderArgs, counted, refuse};
use crate::exit::Exit;

/// Arguments of `stockade policy test`.
#[derive(Debug, clap::Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    folder: FolderArgs,
}

pub(super) fn run(args: &TestArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let files = bundle_folder::read_cases(args.folder.path()).context("the cases were not read")?;
    let bundle = match args.folder.load()? {
        Ok(bundle) => bundle,
        Err(findings) => return refuse(&findings, out),
    };
    let cases = match parse_all(&files, &bundle) {
        Ok(cases) => cases,
        Err(findings) => return refuse(&findings, out),
    };
    let results: Vec<CaseResult> = cases.iter().map(|case| case.run(&bundle)).collect();
    report(&results, out)
}

/// The cases of all files, or everything that is wrong with them.
pub(super) fn parse_all(files: &[FolderFile], bundle: &Bundle) -> Result<Vec<Case>, Vec<Finding>> {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for file in files {
        match cases::parse(&file.name, &file.bytes, bundle) {
            Ok(cases) => all.extend(cases),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() { Ok(all) } else { Err(findings) }
}

fn report(results: &[CaseResult], out: &mut dyn Write) -> anyhow::Result<Exit> {
    let failed: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    for CaseResult { file, line, sentence, expected, got } in &failed {
        writeln!(out, "{file}:{line}: {sentence}: expected {expected}, got {got}")?;
    }
    if results.is_empty() {
        anyhow::bail!("there are no cases; write some into `cases/*.yaml`");
    }
    let cases = counted(results.len(), "case");
    if failed.is_empty() {
        writeln!(out, "ok: {cases} hold")?;
        return Ok(Exit::Done);
    }
    writeln!(out, "{} of {cases} do not hold", failed.len())?;
    Ok(Exit::No)
}
