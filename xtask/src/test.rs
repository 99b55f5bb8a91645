//! `cargo xtask test`: the whole of what CI runs, in the same order, on any machine.
//!
//! Stops at the first step that fails. The steps share what they build: `clippy` and `docs` check,
//! `build` and `test` build, and each pair asks for the same features.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::promtool::Promtool;
use crate::workspace::Workspace;
use crate::{alerts, cargo, metrics, tidy, tools};

/// One thing that must hold.
#[derive(Debug)]
struct Step {
    name: &'static str,
    work: Work,
}

/// How a step is done.
#[derive(Debug, Clone, Copy)]
enum Work {
    /// Looks for what the other steps need.
    Tools,
    /// Runs our own checks, here.
    Tidy,
    Cargo(&'static [&'static str]),
    /// As `Cargo`, with a warning in the documentation being an error.
    CargoDoc(&'static [&'static str]),
    /// Runs the `stockade` that the steps before it built.
    Stockade(&'static [&'static str]),
    /// Has Prometheus' checker read the alerts and try them.
    Alerts,
    /// Has it read the metrics of the system that the steps before it built.
    Metrics,
}

#[rustfmt::skip]
const STEPS: &[Step] = &[
    Step { name: "tools", work: Work::Tools },
    Step { name: "fmt", work: Work::Cargo(&["fmt", "--all", "--check"]) },
    Step { name: "clippy", work: Work::Cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]) },
    Step { name: "tidy", work: Work::Tidy },
    Step { name: "build", work: Work::Cargo(&["build", "--workspace", "--bins", "--tests"]) },
    Step { name: "test", work: Work::Cargo(&["test", "--workspace", "--no-fail-fast"]) },
    Step { name: "policy check", work: Work::Stockade(&["policy", "check", "policies", "--strict"]) },
    Step { name: "policy fmt", work: Work::Stockade(&["policy", "fmt", "policies", "--check"]) },
    Step { name: "policy test", work: Work::Stockade(&["policy", "test", "policies"]) },
    Step { name: "policy coverage", work: Work::Stockade(&["policy", "coverage", "policies", "--min", "100"]) },
    Step { name: "policy matrix", work: Work::Stockade(&["policy", "matrix", "policies", "--check"]) },
    Step { name: "alerts", work: Work::Alerts },
    Step { name: "metrics", work: Work::Metrics },
    Step { name: "docs", work: Work::CargoDoc(&["doc", "--workspace", "--no-deps", "--document-private-items"]) },
    Step { name: "policy only", work: Work::Cargo(&["check", "-p", "stockade-cli", "--no-default-features"]) },
];

/// Where the attack and conformance vectors are, from the root.
const VECTORS: &str = "../shared/vectors";

/// Runs the steps, and ends with a table of them.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    let started = Instant::now();
    let mut times = Vec::new();
    let mut failure = None;
    for (number, step) in (1..).zip(STEPS) {
        eprintln!("\n==> {number}/{} {}: {}", STEPS.len(), step.name, step.work.describe());
        let (outcome, took) = timed(|| step.work.run(&workspace));
        times.push(took);
        if let Err(error) = outcome {
            failure = Some(error.context(format!("step `{}` failed", step.name)));
            break;
        }
        eprintln!("==> {} is fine ({})", step.name, seconds(took));
    }
    println!("\n{}", summary(&times, failure.is_some(), started.elapsed()));
    failure.map_or(Ok(()), Err)
}

impl Work {
    fn run(self, workspace: &Workspace) -> anyhow::Result<()> {
        match self {
            Self::Tools => {
                tools::ensure(tools::TO_BUILD)?;
                tools::ensure(tools::TO_TEST)?;
                tools::ensure_components()?;
                ensure_vectors(&workspace.root)?;
                Promtool::ensure(workspace).map(drop)
            }
            Self::Tidy => tidy::run(workspace),
            Self::Cargo(arguments) => finish(cargo::command(&workspace.root).args(arguments)),
            Self::CargoDoc(arguments) => {
                let mut command = cargo::command(&workspace.root);
                finish(command.args(arguments).env("RUSTDOCFLAGS", "-D warnings"))
            }
            Self::Stockade(arguments) => {
                let program = workspace.target.join("debug").join("stockade");
                finish(Command::new(program).args(arguments).current_dir(&workspace.root))
            }
            Self::Alerts => alerts::run(workspace),
            Self::Metrics => metrics::run(workspace),
        }
    }

    /// As one would type it, to run the step alone.
    fn describe(self) -> String {
        match self {
            Self::Tools => "cmake, curl, PostgreSQL, promtool, vectors and the like".to_owned(),
            Self::Tidy => "cargo xtask tidy".to_owned(),
            Self::Cargo(arguments) => format!("cargo {}", arguments.join(" ")),
            Self::CargoDoc(arguments) => {
                format!("RUSTDOCFLAGS=\"-D warnings\" cargo {}", arguments.join(" "))
            }
            Self::Stockade(arguments) => format!("stockade {}", arguments.join(" ")),
            Self::Alerts => format!("promtool test rules {}/alerts_test.yml", alerts::FOLDER),
            Self::Metrics => "promtool check metrics, of a running stockade".to_owned(),
        }
    }
}

/// Makes sure that the vectors are beside the checkout, where the tests read them.
fn ensure_vectors(root: &Path) -> anyhow::Result<()> {
    let folder = root.join(VECTORS);
    if folder.is_dir() {
        return Ok(());
    }
    bail!(
        "the attack and conformance vectors are missing: the tests read them from `{}`, beside \
         the checkout, and they are not part of the repository",
        folder.display()
    )
}

/// Runs a command that speaks for itself.
pub(crate) fn finish(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("could not run `{}`", command.get_program().display()))?;
    if !status.success() {
        bail!("{status}");
    }
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let outcome = work();
    (outcome, started.elapsed())
}

/// A line for each step: those that ran have a time, the last of which may have failed.
fn summary(times: &[Duration], failed: bool, total: Duration) -> String {
    let mut table = String::new();
    for (index, step) in STEPS.iter().enumerate() {
        let is_last = index + 1 == times.len();
        let (outcome, time) = match times.get(index) {
            Some(time) if failed && is_last => ("FAILED", seconds(*time)),
            Some(time) => ("ok", seconds(*time)),
            None => ("not run", String::new()),
        };
        add_row(&mut table, step.name, outcome, &time);
    }
    let outcome = if failed { "FAILED" } else { "ok" };
    add_row(&mut table, "total", outcome, &seconds(total));
    table
}

fn add_row(table: &mut String, name: &str, outcome: &str, time: &str) {
    // Writing to a string cannot fail.
    writeln!(table, "{name:<16} {outcome:<8} {time:>9}").ok();
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_table_names_what_failed_and_what_was_not_run() {
        let table = summary(&[SECOND, SECOND * 2], true, SECOND * 3);

        let rows: Vec<_> = table.lines().collect();
        assert_eq!(rows.len(), STEPS.len() + 1);
        assert_eq!(rows[0], "tools            ok           1.0 s");
        assert_eq!(rows[1], "fmt              FAILED       2.0 s");
        assert!(rows[2].starts_with("clippy           not run"));
        assert_eq!(rows[STEPS.len()], "total            FAILED       3.0 s");
    }

    #[test]
    fn the_table_of_a_good_run_holds_no_failure() {
        let table = summary(&vec![SECOND; STEPS.len()], false, SECOND * 60);

        assert!(!table.contains("FAILED") && !table.contains("not run"), "{table}");
    }

    #[test]
    fn vectors_that_are_missing_are_named() {
        let error = ensure_vectors(Path::new("/nowhere/stockade")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/stockade/../shared/vectors"), "{error}");
        assert!(error.contains("vectors are missing"), "{error}");
    }

    #[test]
    fn a_failing_program_fails_its_step() {
        assert!(finish(&mut Command::new("true")).is_ok());
        assert!(finish(&mut Command::new("false")).is_err());
        assert!(finish(&mut Command::new("no-such-program")).is_err());
    }

    #[test]
    fn the_binary_is_built_before_it_is_asked() {
        let position = |is: fn(&Work) -> bool| STEPS.iter().position(|step| is(&step.work));

        let built = STEPS.iter().position(|step| step.name == "build");
        let asked = position(|work| matches!(work, Work::Stockade(_) | Work::Metrics));

        assert!(built.is_some() && built < asked);
    }
}
