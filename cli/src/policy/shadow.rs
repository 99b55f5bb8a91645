//! `stockade policy shadow`: a candidate, judged beside the policy in force and refusing nobody.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use stockade_contract::control::Command;

use super::change::EdgeArgs;
use crate::exit::Exit;
use crate::render::Screen;

/// Arguments of `stockade policy shadow`.
#[derive(Debug, clap::Args)]
pub(super) struct ShadowArgs {
    /// The candidate's folder, where the edge can read it.
    #[arg(value_name = "DIR", required_unless_present = "off")]
    folder: Option<PathBuf>,
    /// Tries no candidate any more.
    #[arg(long, conflicts_with = "folder")]
    off: bool,
    #[command(flatten)]
    edge: EdgeArgs,
}

pub(super) fn run(args: &ShadowArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    args.edge.order(&Command::PolicyShadow { folder: args.absolute()? }, screen)
}

impl ShadowArgs {
    /// The edge may have been started in another folder.
    fn absolute(&self) -> anyhow::Result<Option<PathBuf>> {
        let absolute = |folder: &Path| {
            std::path::absolute(folder)
                .with_context(|| format!("`{}` is no path", folder.display()))
        };
        self.folder.as_deref().map(absolute).transpose()
    }
}
