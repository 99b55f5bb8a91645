//! `stockade policy rollback`: a bundle of before, in force again, without its files.

use stockade_contract::control::Command;

use super::change::EdgeArgs;
use crate::exit::Exit;
use crate::render::Screen;

/// Arguments of `stockade policy rollback`.
#[derive(Debug, clap::Args)]
pub(super) struct RollbackArgs {
    /// A number of `stockade policy status`, or the beginning of a hash; left out, the latest.
    #[arg(value_name = "HASH")]
    to: Option<String>,
    #[command(flatten)]
    edge: EdgeArgs,
}

pub(super) fn run(args: &RollbackArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    args.edge.order(&Command::PolicyRollback { to: args.to.clone() }, screen)
}
