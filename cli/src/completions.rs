//! `stockade completions`: what a shell needs to complete verbs and flags.

use std::io::Write as _;

use clap_complete::Shell;

use crate::exit::Exit;
use crate::render::Screen;

/// Arguments of `stockade completions`.
#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Prints a script for the shell, to be put where it looks for such.
pub(crate) fn run(args: &CompletionsArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "stockade", &mut script);
    screen.write_all(&script)?;
    Ok(Exit::Done)
}
