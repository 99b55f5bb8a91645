//! The alerts: understood by Prometheus, tried on made-up series, and each with its runbook.

use std::fs;

use anyhow::{Context, bail};

use crate::promtool::Promtool;
use crate::test::finish;
use crate::workspace::Workspace;

/// Where Prometheus' files are.
pub(crate) const FOLDER: &str = "deploy/prometheus";
pub(crate) const ALERTS: &str = "alerts.yml";
const CASES: &str = "alerts_test.yml";
const RUNBOOK: &str = "docs/OPERATIONS.md";

const CHECKS: &[&[&str]] = &[
    &["check", "config", "prometheus.yml"],
    &["check", "rules", "--lint-fatal", ALERTS],
    &["test", "rules", CASES],
];

/// Fails if an alert is not understood, does not do what its case says, has no case, or leaves
/// whoever is called without a word.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<()> {
    let promtool = Promtool::ensure(workspace)?;
    let folder = workspace.root.join(FOLDER);
    for check in CHECKS {
        finish(&mut promtool.command(&folder, check))?;
    }
    let read = |path: &str| {
        fs::read_to_string(workspace.root.join(path)).with_context(|| format!("cannot read {path}"))
    };
    let alerts = read(&format!("{FOLDER}/{ALERTS}"))?;
    let missing = missing(&alerts, &read(&format!("{FOLDER}/{CASES}"))?, &read(RUNBOOK)?);
    if missing.is_empty() { Ok(()) } else { bail!("{}", missing.join("\n")) }
}

/// What the alerts lack, one sentence each.
fn missing(alerts: &str, cases: &str, runbook: &str) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, rest) in named(alerts) {
        let anchor = format!("{RUNBOOK}#{}", name.to_lowercase());
        if !rest.lines().any(|line| line.trim() == format!("runbook: {anchor}")) {
            missing.push(format!("{name}: its runbook is not {anchor}"));
        }
        if !runbook.lines().any(|line| line.trim_start_matches('#').trim() == name) {
            missing.push(format!("{name}: {RUNBOOK} has no section of that name"));
        }
        if !cases.lines().any(|line| line.trim() == format!("- alertname: {name}")) {
            missing.push(format!("{name}: {CASES} does not try it"));
        }
    }
    if missing.is_empty() && named(alerts).next().is_none() {
        missing.push(format!("{ALERTS} holds no alert"));
    }
    missing
}

/// Each alert's name, and the text up to the next.
fn named(alerts: &str) -> impl Iterator<Item = (&str, &str)> {
    alerts.split("- alert: ").skip(1).filter_map(|alert| alert.split_once('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str =
        "rules:\n  - alert: Down\n    annotations:\n      runbook: docs/OPERATIONS.md#down\n";

    #[test]
    fn an_alert_that_is_explained_and_tried_lacks_nothing() {
        assert!(missing(GOOD, "  - alertname: Down\n", "# Runbook\n\n### Down\n").is_empty());
    }

    #[test]
    fn what_an_alert_lacks_is_named() {
        let lacks = missing(&GOOD.replace("#down", "#up"), "- alertname: Downer", "### Downer");

        assert_eq!(
            lacks,
            [
                "Down: its runbook is not docs/OPERATIONS.md#down",
                "Down: docs/OPERATIONS.md has no section of that name",
                "Down: alerts_test.yml does not try it",
            ]
        );
        assert_eq!(missing("groups: []\n", "", ""), ["alerts.yml holds no alert"]);
    }
}
