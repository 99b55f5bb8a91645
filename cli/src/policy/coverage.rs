//! `stockade policy coverage`: what could change without any case noticing?

use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;
use stockade_policy::coverage::{self, Coverage, Missing, Share};
use stockade_settings::bundle_folder;

use super::test::parse_all;
use super::{FolderArgs, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen, Tone, counted, visible};

/// Arguments of `stockade policy coverage`.
#[derive(Debug, clap::Args)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// The least coverage in percent.
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    min: u8,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &CoverageArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let files = bundle_folder::read_cases(args.folder.path()).context("the cases were not read")?;
    let bundle = match args.folder.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    let cases = match parse_all(files, &bundle) {
        Ok(cases) => cases,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    let broken = cases.iter().filter(|case| !case.run(&bundle).passed()).count();
    if broken > 0 {
        let cases = counted(cases.len(), "case");
        anyhow::bail!("{broken} of {cases} do not hold; see `stockade policy test`");
    }
    let coverage = coverage::measure(bundle, &cases);
    match args.output.format {
        Format::Human => print_human(&coverage, screen)?,
        Format::Json => screen.json(&Report::of(&coverage))?,
    }
    Ok(if coverage.percent() < usize::from(args.min) { Exit::No } else { Exit::Done })
}

fn print_human(coverage: &Coverage, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    for (share, what) in [
        (&coverage.routes, "no case tries the route"),
        (&coverage.permissions, "no case tries the permission"),
        (&coverage.rules, "no case would miss"),
    ] {
        for Missing { file, line, what: uncovered, .. } in &share.missing {
            let place = look.paint(Tone::Place, &format!("{file}:{line}")).to_string();
            writeln!(screen, "{place}: {what} {}", visible(uncovered))?;
        }
    }
    for (share, what) in [
        (&coverage.routes, "routes with roles"),
        (&coverage.permissions, "permissions with roles"),
        (&coverage.rules, "rules"),
    ] {
        writeln!(screen, "{what}: {} of {}", share.covered(), share.total)?;
    }
    writeln!(screen, "coverage: {} %", coverage.percent())?;
    Ok(())
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
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

impl<'a> Report<'a> {
    fn of(coverage: &'a Coverage) -> Self {
        Self {
            percent: coverage.percent(),
            routes: ShareBody::from(&coverage.routes),
            permissions: ShareBody::from(&coverage.permissions),
            rules: ShareBody::from(&coverage.rules),
        }
    }
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
