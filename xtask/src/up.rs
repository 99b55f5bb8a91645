//! `cargo xtask up`: the whole system, from sources, in one command.
//!
//! Ends as `stockade up` itself, so that a signal reaches the system and not a parent of it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, bail};

use crate::workspace::Workspace;
use crate::{cargo, tools};

/// Builds what is missing, then becomes `stockade up`. Returns only when that fails.
pub(crate) fn run(flags: &[OsString]) -> anyhow::Result<()> {
    tools::ensure(tools::TO_BUILD)?;
    let workspace = Workspace::load()?;
    build(&workspace)?;
    let program = workspace.target.join("release").join("stockade");
    let error = Command::new(&program).arg("up").args(flags).exec();
    Err(error).with_context(|| format!("could not run `{}`", program.display()))
}

fn build(workspace: &Workspace) -> anyhow::Result<()> {
    eprintln!("building stockade (the first time takes some minutes)");
    let status = cargo::command(&workspace.root)
        .args(["build", "--release", "-p", "stockade-cli", "--bin", "stockade"])
        .status()
        .context("could not run cargo")?;
    if !status.success() {
        bail!("stockade was not built ({status})");
    }
    Ok(())
}
