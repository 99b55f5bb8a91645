//! `stockade policy coverage`: what could change without any case noticing?

use std::io::Write;

use anyhow::Context as _;
use serde::Serialize;
use stockade_policy::coverage::{self, Coverage, Missing, Share};
use stockade_settings::bundle_folder;

use super::check::{Format, JSON_VERSION};
use super::test::parse_all;
use super::{FolderArgs, counted, refuse};
use crate::exit::Exit;

/// Arguments of `stockade policy coverage`.
#[derive(Debug, clap::Args)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// The least coverage in percent; exit code 2 below it.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    min: u8,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &CoverageArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let files = bundle_folder::read_cases(args.folder.path()).context("the cases were not read")?;
    let bundle = match args.folder.load()? {
        Ok(bundle) => bundle,
        Err(findings) => return refuse(&findings, out),
    };
    let cases = match parse_all(&files, &bundle) {
        Ok(cases) => cases,
        Err(findings) => return refuse(&findings, out),
    };
    let broken = cases.iter().filter(|case| !case.run(&bundle).passed()).count();
    if broken > 0 {
        let cases = counted(cases.len(), "case");
        anyhow::bail!("{broken} of {cases} do not hold; see `stockade policy test`");
    }
    let coverage = coverage::measure(bundle, &cases);
    match args.format {
        Format::Human => print_human(&coverage, out)?,
        Format::Json => print_json(&coverage, out)?,
    }
    Ok(if coverage.percent() < usize::from(args.min) { Exit::No } else { Exit::Done })
}

fn print_human(coverage: &Coverage, out: &mut dyn Write) -> anyhow::Result<()> {
    for (share, what) in [
        (&coverage.routes, "no case tries the route"),
        (&coverage.permissions, "no case tries the permission"),
        (&coverage.rules, "no case would miss"),
    ] {
        for Missing { file, line, what: uncovered, .. } in &share.missing {
            writeln!(out, "{file}:{line}: {what} {uncovered}")?;
        }
    }
    for (share, what) in [
        (&coverage.routes, "routes with roles"),
        (&coverage.permissions, "permissions with roles"),
        (&coverage.rules, "rules"),
    ] {
        writeln!(out, "{what}: {} of {}", share.covered(), share.total)?;
    }
    writeln!(out, "coverage: {} %", coverage.percent())?;
    Ok(())
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    percent: usize,
    routes: ShareBody<'a>,
    permissions: ShareBody<'a>,
    rules: ShareBody<'a>,
}

#[derive(Debug, Serialize)]
struct ShareBody<'a> {
    total: usize,
    covered: usize,
    missing: Vec<MissingBody<'a>>,
}

#[derive(Debug, Serialize)]
struct MissingBody<'a> {
    file: &'static str,
    line: u32,
    what: &'a str,
}

fn print_json(coverage: &Coverage, out: &mut dyn Write) -> anyhow::Result<()> {
    let report = Report {
        version: JSON_VERSION,
        percent: coverage.percent(),
        routes: ShareBody::from(&coverage.routes),
        permissions: ShareBody::from(&coverage.permissions),
        rules: ShareBody::from(&coverage.rules),
    };
    writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

impl<'a> From<&'a Share> for ShareBody<'a> {
    fn from(share: &'a Share) -> Self {
        let body = |missing: &'a Missing| MissingBody {
            file: missing.file,
            line: missing.line,
            what: &missing.what,
        };
        let missing = share.missing.iter().map(body).collect();
        Self { total: share.total, covered: share.covered(), missing }
    }
}
