//! `stockade policy reload`: the folder as it is now, in force.

use stockade_contract::control::Command;

use super::change::EdgeArgs;
use crate::exit::Exit;
use crate::render::Screen;

/// Arguments of `stockade policy reload`.
#[derive(Debug, clap::Args)]
pub(super) struct ReloadArgs {
    /// Only say what would be: the bundle is read and proven, and nothing is changed.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    edge: EdgeArgs,
}

pub(super) fn run(args: &ReloadArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    args.edge.order(&Command::PolicyReload { dry_run: args.dry_run }, screen)
}
