//! `stockade policy test`: is the intent, written down as cases, still the effect?

use std::io::Write as _;

use anyhow::{Context as _, bail};
use serde::Serialize;
use stockade_policy::Bundle;
use stockade_policy::cases::{self, Case, CaseResult};
use stockade_settings::bundle_folder::{self, FolderFile};

use super::{FolderArgs, Refused, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen, Tone, counted, visible};

/// Arguments of `stockade policy test`.
#[derive(Debug, clap::Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    folder: FolderArgs,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &TestArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let format = args.output.format;
    let files = bundle_folder::read_cases(args.folder.path()).context("the cases were not read")?;
    let bundle = match args.folder.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, format, screen),
    };
    let cases = match parse_all(files, &bundle) {
        Ok(cases) => cases,
        Err(refused) => return refuse(&refused, format, screen),
    };
    if cases.is_empty() {
        bail!("there are no cases; write some into `cases/*.yaml`");
    }
    let results: Vec<CaseResult> = cases.iter().map(|case| case.run(&bundle)).collect();
    match format {
        Format::Human => print_human(&results, screen)?,
        Format::Json => screen.json(&Report::of(&results))?,
    }
    let hold = results.iter().all(CaseResult::passed);
    Ok(if hold { Exit::Done } else { Exit::No })
}

/// The cases of all files, or everything that is wrong with them.
pub(super) fn parse_all(files: Vec<FolderFile>, bundle: &Bundle) -> Result<Vec<Case>, Refused> {
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    for file in &files {
        match cases::parse(&file.name, &file.bytes, bundle) {
            Ok(cases) => all.extend(cases),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() { Ok(all) } else { Err(Refused { findings, files }) }
}

fn print_human(results: &[CaseResult], screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    let failed: Vec<_> = results.iter().filter(|result| !result.passed()).collect();
    for CaseResult { file, line, sentence, expected, got } in &failed {
        let (place, sentence) = (format!("{}:{line}", visible(file)), visible(sentence));
        let (expected, got) = (visible(expected), visible(got));
        writeln!(
            screen,
            "{}: {}: expected {}, got {}",
            look.paint(Tone::Place, &place),
            look.paint(Tone::Strong, &sentence),
            look.paint(Tone::Good, &expected),
            look.paint(Tone::Bad, &got),
        )?;
    }
    let cases = counted(results.len(), "case");
    if failed.is_empty() {
        writeln!(screen, "{}: {cases} hold", look.paint(Tone::Good, "ok"))?;
    } else {
        let count = failed.len().to_string();
        writeln!(screen, "{} of {cases} do not hold", look.paint(Tone::Bad, &count))?;
    }
    Ok(())
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// How many cases were tried.
    cases: usize,
    failed: Vec<FailedCase<'a>>,
}

/// A case that does not hold.
#[derive(Debug, Serialize)]
struct FailedCase<'a> {
    file: &'a str,
    line: u32,
    sentence: &'a str,
    expected: &'a str,
    got: &'a str,
}

impl<'a> Report<'a> {
    fn of(results: &'a [CaseResult]) -> Self {
        let failed = results.iter().filter(|result| !result.passed()).map(|result| FailedCase {
            file: &result.file,
            line: result.line,
            sentence: &result.sentence,
            expected: &result.expected,
            got: &result.got,
        });
        Self { cases: results.len(), failed: failed.collect() }
    }
}
