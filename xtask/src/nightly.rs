//! `cargo xtask nightly`: what takes too long for every change.

use std::ffi::OsString;
use std::hash::{BuildHasher as _, RandomState};

use crate::test::finish;
use crate::workspace::Workspace;
use crate::{cargo, fuzz};

/// Cells of random policies on which table, Casbin and a naive reading must agree.
const CELLS: &str = "10000000";

/// Reloads under load.
const RELOADS: &str = "10000";

/// Kills of core and database under load.
const KILLS: &str = "100";

/// Requests of crowds that hang up, or want the same goods in every order.
const CROWDS: &str = "10000";

/// How long each target is fuzzed, in seconds.
const FUZZ_SECS: &str = "600";

/// Agreement of millions of cells, thousands of reloads under load, a hundred kills, thousands who
/// hang up, and a long look at invented input. Stops at the first that fails.
pub(crate) fn run() -> anyhow::Result<()> {
    let workspace = Workspace::load()?;
    // A random number without a library for it.
    let seed = RandomState::new().hash_one(CELLS).to_string();
    eprintln!("==> agreement on {CELLS} cells, seed {seed}");
    let mut agreement = cargo::command(&workspace.root);
    let package = ["run", "--release", "-p", "stockade-policy", "--example", "agreement", "--"];
    finish(agreement.args(package).args([CELLS, &seed]))?;

    eprintln!("==> {RELOADS} reloads under load");
    finish(cargo::command(&workspace.root).args(["build", "--bins"]))?;
    let mut reloads = cargo::command(&workspace.root);
    finish(reloads.args(["run", "-p", "stockade-e2e", "--example", "reloads", "--", RELOADS]))?;

    for (test, count) in [("kills", KILLS), ("crowds", CROWDS)] {
        eprintln!("==> {count} {test}");
        let mut long = cargo::command(&workspace.root);
        finish(long.args(["test", "-p", "stockade-core-api", "--test", test, "--", count]))?;
    }

    eprintln!("==> fuzzing every target for {FUZZ_SECS} s");
    fuzz::run(&[OsString::from(FUZZ_SECS)])
}
