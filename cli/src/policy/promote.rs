//! `stockade policy promote`: the candidate that is tried, in force.

use stockade_contract::control::Command;

use super::change::EdgeArgs;
use crate::exit::Exit;
use crate::render::Screen;

/// Arguments of `stockade policy promote`.
#[derive(Debug, clap::Args)]
pub(super) struct PromoteArgs {
    #[command(flatten)]
    edge: EdgeArgs,
}

pub(super) fn run(args: &PromoteArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    args.edge.order(&Command::PolicyPromote, screen)
}
