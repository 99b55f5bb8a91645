//! `cargo xtask`: what this repository asks of a machine, in one command each.
//!
//! | command | does |
//! |---|---|
//! | `cargo xtask up [FLAGS]` | builds Stockade and runs the whole of it: `stockade up [FLAGS]` |
//! | `cargo xtask test` | runs every check that CI runs, in the same order |
//! | `cargo xtask fuzz [TARGET] [SECS]` | throws invented input at the parsers |
//! | `cargo xtask nightly` | runs what takes too long for every change |
//! | `cargo xtask tidy` | runs our own checks alone |
//! | `cargo xtask alerts` | has Prometheus' checker read the alerts and try them |
//! | `cargo xtask metrics` | has it read the metrics of the debug build |
//!
//! It needs Rust and nothing else: what is missing is installed, or named together with the
//! command that installs it. The vectors that `test` wants are named, too.

#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a program for people at a terminal"
)]

mod alerts;
mod cargo;
mod fuzz;
mod metrics;
mod nightly;
mod promtool;
mod test;
mod tidy;
mod tools;
mod up;
mod workspace;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::bail;

use crate::workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  up [FLAGS]   build Stockade and run the whole of it; FLAGS are those of `stockade up`
  test         run every check that CI runs
  fuzz [TARGET] [SECS]
               throw invented input at the policy's files, its cases, decision
               records and requests, or at one of them, for 60 seconds or so many
  nightly      run what takes too long for every change: an hour or so
  tidy         run our own checks alone
  alerts       check the alerts and try them, with promtool
  metrics      check the metrics of the `stockade` in target/debug, with promtool";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[OsString]) -> anyhow::Result<()> {
    let Some((command, flags)) = arguments.split_first() else {
        bail!("no command was given\n\n{USAGE}");
    };
    match (command.to_string_lossy().as_ref(), flags) {
        ("up", flags) => up::run(flags),
        ("test", []) => test::run(),
        ("fuzz", flags) => fuzz::run(flags),
        ("nightly", []) => nightly::run(),
        ("tidy", []) => tidy::run(&Workspace::load()?),
        ("alerts", []) => alerts::run(&Workspace::load()?),
        ("metrics", []) => metrics::run(&Workspace::load()?),
        ("help" | "-h" | "--help", _) => {
            println!("{USAGE}");
            Ok(())
        }
        (command @ ("test" | "nightly" | "tidy" | "alerts" | "metrics"), _) => {
            bail!("`{command}` takes no flags\n\n{USAGE}")
        }
        (command, _) => bail!("unknown command `{command}`\n\n{USAGE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_answered_with_the_usage() {
        for arguments in [vec![], vec!["deploy".into()], vec!["tidy".into(), "--fix".into()]] {
            let error = run(&arguments).unwrap_err().to_string();
            assert!(error.contains("usage: cargo xtask"), "{error}");
        }
    }
}
