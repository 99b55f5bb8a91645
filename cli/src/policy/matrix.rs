//! `stockade policy matrix`: what every role gets on every route.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;

use anyhow::Context as _;
use serde::Serialize;
use stockade_policy::matrix;

use super::{FolderArgs, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen, Table, Tone};

/// The reviewed matrix, relative to the policy folder.
const GOLDEN: &str = "golden/matrix.txt";

/// Columns that say what a row is about: the route and what it needs.
const KEY_COLUMNS: usize = 2;

/// Arguments of `stockade policy matrix`.
#[derive(Debug, clap::Args)]
pub(super) struct MatrixArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Compare with golden/matrix.txt instead of printing.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &MatrixArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let bundle = match args.folder.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    let rendered = matrix::render(&bundle);
    if args.check {
        return check(args, &rendered, screen);
    }
    match (args.output.format, screen.look().columns()) {
        (Format::Json, _) => screen.json(&Matrix::of(&rendered))?,
        (Format::Human, Some(columns)) if rendered.lines().any(|line| line.len() > columns) => {
            table(&rendered).print(screen)?;
        }
        (Format::Human, _) => write!(screen, "{rendered}")?,
    }
    Ok(Exit::Done)
}

fn check(args: &MatrixArgs, rendered: &str, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let path = args.folder.path().join(GOLDEN);
    let golden = fs::read_to_string(&path)
        .with_context(|| format!("`{}` could not be read", path.display()))?;
    let difference = Difference::between(&golden, rendered);
    match args.output.format {
        Format::Human => difference.print(screen)?,
        Format::Json => screen.json(&difference)?,
    }
    Ok(if difference.same { Exit::Done } else { Exit::No })
}

/// How the reviewed matrix and the policy's own differ.
#[derive(Debug, Serialize)]
struct Difference<'t> {
    same: bool,
    /// Lines that only the reviewed one has.
    gone: Vec<&'t str>,
    /// Lines that only the policy's own has.
    new: Vec<&'t str>,
}

impl<'t> Difference<'t> {
    fn between(golden: &'t str, rendered: &'t str) -> Self {
        let only_in = |one: &'t str, other: &str| {
            one.lines().filter(|line| !other.lines().any(|other| other == *line)).collect()
        };
        let same = golden == rendered;
        Self { same, gone: only_in(golden, rendered), new: only_in(rendered, golden) }
    }

    fn print(&self, screen: &mut Screen<'_>) -> anyhow::Result<()> {
        let look = screen.look();
        if self.same {
            let ok = look.paint(Tone::Good, "ok");
            writeln!(screen, "{ok}: {GOLDEN} is what the policy says")?;
            return Ok(());
        }
        for line in self.gone.iter().map(|line| format!("- {line}")) {
            writeln!(screen, "{}", look.paint(Tone::Bad, &line))?;
        }
        for line in self.new.iter().map(|line| format!("+ {line}")) {
            writeln!(screen, "{}", look.paint(Tone::Good, &line))?;
        }
        let words = "differs; review the lines and write them there if they are meant";
        writeln!(screen, "{GOLDEN} {words}")?;
        Ok(())
    }
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Matrix<'t> {
    roles: Vec<&'t str>,
    routes: Vec<MatrixRow<'t>>,
}

/// What every role gets on one route.
#[derive(Debug, Serialize)]
struct MatrixRow<'t> {
    method: &'t str,
    path: &'t str,
    needs: &'t str,
    /// The scope by role; nothing for a role that is denied.
    scopes: BTreeMap<&'t str, Option<&'t str>>,
}

impl<'t> Matrix<'t> {
    fn of(rendered: &'t str) -> Self {
        let mut rows = cells(rendered).into_iter();
        let roles = rows.next().unwrap_or_default().split_off(KEY_COLUMNS);
        let routes = rows.filter_map(|row| {
            let (route, needs, scopes) = match row.as_slice() {
                [route, needs, scopes @ ..] => (*route, *needs, scopes),
                _ => return None,
            };
            let (method, path) = route.split_once(' ')?;
            let scopes = scopes.iter().map(|scope| Some(*scope).filter(|scope| *scope != "-"));
            let scopes = roles.iter().copied().zip(scopes).collect();
            Some(MatrixRow { method, path: path.trim_start(), needs, scopes })
        });
        Self { routes: routes.collect(), roles }
    }
}

fn table(rendered: &str) -> Table {
    let mut rows = cells(rendered).into_iter();
    let mut table = Table::new(rows.next().unwrap_or_default(), KEY_COLUMNS);
    for row in rows {
        table.push(row.into_iter().map(str::to_owned).collect());
    }
    table
}

/// The cells of a matrix, which stand below the beginnings of the words of its heading.
fn cells(rendered: &str) -> Vec<Vec<&str>> {
    let heading = rendered.lines().next().unwrap_or_default();
    let blank = |at: usize| heading.as_bytes().get(at).is_none_or(|byte| *byte == b' ');
    let begins = |at: &usize| !blank(*at) && at.checked_sub(1).is_none_or(blank);
    let starts: Vec<usize> = (0..heading.len()).filter(begins).collect();
    let ends: Vec<usize> = starts.iter().copied().skip(1).chain([usize::MAX]).collect();
    let cut = |line| {
        let bounds = starts.iter().zip(&ends);
        bounds.map(|(start, end)| cell(line, *start, *end)).collect()
    };
    rendered.lines().map(cut).collect()
}

fn cell(line: &str, start: usize, end: usize) -> &str {
    line.get(start..end.min(line.len())).unwrap_or_default().trim_end()
}
