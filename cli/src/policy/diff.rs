//! `stockade policy diff`: who gets something else, and which line did it.

use std::io::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use stockade_policy::diff::{self, Diff};

use super::{PoliciesArgs, Refused, print_findings};
use crate::exit::Exit;
use crate::render::{FindingBody, Screen, Tone, visible};

mod git;
mod render;
mod versions;

use self::versions::Versions;

/// Arguments of `stockade policy diff`.
#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// Two revisions of git (`main..HEAD`), or one to compare the folder with (`main`); or the
    /// older of two folders.
    #[arg(value_name = "REVISIONS|OLD")]
    old: String,
    /// The newer of two folders.
    #[arg(value_name = "NEW", conflicts_with = "policies")]
    new: Option<PathBuf>,
    #[command(flatten)]
    policies: PoliciesArgs,
    /// Accept whatever changes: exit code 0.
    #[arg(long)]
    accept: bool,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// How a diff is written.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs: one JSON object.
    Json,
    /// For a comment on a pull request.
    Markdown,
}

pub(super) fn run(args: &DiffArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let versions = Versions::parse(&args.old, args.new.as_deref(), &args.policies.policies)?;
    let (old, new) = match versions.load()? {
        (Ok(old), Ok(new)) => (old, new),
        (old, new) => {
            let found = versions.names().into_iter().zip([old.err(), new.err()]);
            let refused = found.filter_map(|(name, refused)| Some((name, refused?)));
            return refuse(&refused.collect::<Vec<_>>(), args.format, screen);
        }
    };
    let diff = diff::compare(&old, &new);
    match args.format {
        Format::Human => render::human(&diff, args.accept, screen)?,
        Format::Json => screen.json(&Report { widens: diff.widens(), diff: &diff })?,
        Format::Markdown => render::markdown(&diff, screen)?,
    }
    Ok(exit(&diff, args.accept))
}

/// Says of each version that is no policy what is wrong with it.
fn refuse(
    refused: &[(String, Refused)],
    format: Format,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Exit> {
    let bodies = refused.iter().map(|(name, Refused { findings, .. })| RefusedBody {
        policy: name,
        findings: findings.iter().map(FindingBody::from).collect(),
    });
    if let Format::Json = format {
        screen.json(&Refusal { refused: bodies.collect() })?;
        return Ok(Exit::Failed);
    }
    for (name, refused) in refused {
        let name = format!("{}:", visible(name));
        writeln!(screen, "{}", screen.look().paint(Tone::Strong, &name))?;
        print_findings(refused, screen)?;
    }
    Ok(Exit::Failed)
}

fn exit(diff: &Diff, accept: bool) -> Exit {
    if diff.is_empty() || accept {
        Exit::Done
    } else if diff.widens() {
        Exit::Widened
    } else {
        Exit::No
    }
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Whether somebody gets more.
    widens: bool,
    #[serde(flatten)]
    diff: &'a Diff,
}

/// The answer for programs where there is nothing to compare.
#[derive(Debug, Serialize)]
struct Refusal<'a> {
    refused: Vec<RefusedBody<'a>>,
}

#[derive(Debug, Serialize)]
struct RefusedBody<'a> {
    /// The folder, or the revision and the folder.
    policy: &'a str,
    findings: Vec<FindingBody<'a>>,
}

#[cfg(test)]
mod tests;
