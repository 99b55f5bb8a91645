//! The metrics of a running system, held against Prometheus' rules and against our alerts.
//!
//! Starts the `stockade up` that was built before, on free ports and in a folder of its own;
//! makes metrics appear that appear with their first event; reads both ops listeners; stops it.

mod system;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use anyhow::{Context, bail};

use self::system::System;
use crate::alerts;
use crate::promtool::Promtool;
use crate::workspace::Workspace;

/// How the names begin that are ours.
const PREFIXES: [&str; 2] = ["stockade_edge_", "stockade_core_"];

/// Fails if Prometheus would frown at a metric, if an alert asks for one that is not exported, or
/// if the system does not end well.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let promtool = Promtool::ensure(workspace)?;
    let system = System::start(workspace)?;
    system.make_an_order()?;
    system.ask_the_core_directly()?;
    let texts = [("edge", system.edge_metrics()?), ("core", system.core_metrics()?)];
    system.stop()?;
    for (program, text) in &texts {
        lint(&promtool, workspace, text)
            .with_context(|| format!("the {program}'s metrics are not as Prometheus wants them"))?;
    }
    let path = workspace.root.join(alerts::FOLDER).join(alerts::ALERTS);
    let alerts = fs::read_to_string(path).context("cannot read the alerts")?;
    let exported: BTreeSet<_> = texts.iter().flat_map(|(_, text)| exported(text)).collect();
    let unknown: Vec<_> = asked_for(&alerts).difference(&exported).copied().collect();
    if !unknown.is_empty() {
        bail!("alerts ask for what nobody exports: {}", unknown.join(", "));
    }
    println!("{} metrics are fine, and so is what the alerts ask for", exported.len());
    Ok(())
}

/// Any word of promtool's is a complaint.
fn lint(promtool: &Promtool, workspace: &Workspace, text: &str) -> anyhow::Result<()> {
    let mut check = promtool.command(&workspace.root, &["check", "metrics"]);
    check.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut check = check.spawn().context("could not run promtool")?;
    let mut input = check.stdin.take().context("promtool takes no input")?;
    input.write_all(text.as_bytes())?;
    drop(input);
    let output = check.wait_with_output()?;
    let words = [output.stdout, output.stderr].concat();
    if !output.status.success() || !words.is_empty() {
        bail!("promtool ({}): {}", output.status, String::from_utf8_lossy(&words).trim());
    }
    Ok(())
}

/// The metrics of ours in a text of Prometheus' format.
fn exported(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
}

/// The metrics of ours that rules name, outside of comments.
fn asked_for(rules: &str) -> BTreeSet<&str> {
    let lines = rules.lines().filter(|line| !line.trim_start().starts_with('#'));
    lines
        .flat_map(|line| line.split(|char: char| !char.is_ascii_alphanumeric() && char != '_'))
        .filter(|word| PREFIXES.iter().any(|prefix| word.starts_with(prefix)))
        .map(|word| {
            ["_bucket", "_sum", "_count"].iter().find_map(|e| word.strip_suffix(e)).unwrap_or(word)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exported_and_what_is_asked_for_are_read() {
        let text = "# HELP stockade_edge_a_total A.\n# TYPE stockade_edge_a_total counter\n\
                    stockade_edge_a_total 1\n# TYPE process_open_fds gauge\n";
        let rules = "# stockade_edge_gone is gone\n\
                     expr: rate(stockade_edge_a_total{x=\"y\"}[5m]) / stockade_core_b_seconds_count > 0\n";

        assert_eq!(exported(text).collect::<Vec<_>>(), ["stockade_edge_a_total"]);
        assert_eq!(
            asked_for(rules).into_iter().collect::<Vec<_>>(),
            ["stockade_core_b_seconds", "stockade_edge_a_total"]
        );
    }
}
