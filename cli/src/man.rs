//! `stockade man`: the manual, for `man`.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap_mangen::Man;

use crate::exit::Exit;
use crate::render::{Screen, Tone};

/// Arguments of `stockade man`.
#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// The folder for a page of every verb; without it, the first page is printed.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

pub(crate) fn run(args: &ManArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let Some(folder) = &args.folder else {
        let mut page = Vec::new();
        Man::new(crate::command()).render(&mut page)?;
        screen.write_all(&page)?;
        return Ok(Exit::Done);
    };
    fs::create_dir_all(folder)
        .and_then(|()| clap_mangen::generate_to(crate::command(), folder))
        .with_context(|| format!("the manual could not be written to `{}`", folder.display()))?;
    let ok = screen.look().paint(Tone::Good, "ok");
    writeln!(screen, "{ok}: the manual is in {}", folder.display())?;
    Ok(Exit::Done)
}
