//! `stockade policy fmt`: the files as everybody's are, so that a diff shows what changed.
//!
//! Either every file is understood, or none is touched. A file is replaced whole or not at all.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, bail};
use serde::Serialize;
use stockade_policy::format;
use stockade_settings::bundle_folder::{self, FolderFile};
use tempfile::NamedTempFile;

use super::FolderArgs;
use crate::exit::Exit;
use crate::render::{
    FindingBody, Format, FormatArgs, Screen, Tone, counted, print_findings, visible,
};

/// Arguments of `stockade policy fmt`.
#[derive(Debug, clap::Args)]
pub(super) struct FmtArgs {
    #[command(flatten)]
    folder: FolderArgs,
    /// Change nothing, and name the files that are not formatted.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &FmtArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let folder = args.folder.path();
    let mut files = args.folder.read()?;
    files.extend(bundle_folder::read_cases(folder).context("the cases were not read")?);
    if files.is_empty() {
        bail!("`{}` holds no files of a policy", folder.display());
    }
    let mut report = Report { files: files.len(), ..Report::default() };
    let (mut changes, mut findings) = (Vec::new(), Vec::new());
    for file in &files {
        match format::canonical(&file.name, &file.bytes) {
            Ok(text) if text.as_bytes() == file.bytes => {}
            Ok(text) => changes.push((file, text)),
            Err(found) => findings.extend(found),
        }
    }
    report.findings = findings.iter().map(FindingBody::from).collect();
    if findings.is_empty() {
        report.unformatted = changes.iter().map(|(file, _)| file.name.as_str()).collect();
        report.written = !args.check && !changes.is_empty();
        if !args.check {
            write_all(folder, &changes)?;
        }
    }
    match args.output.format {
        Format::Json => screen.json(&report)?,
        Format::Human if findings.is_empty() => report.print(args.check, screen)?,
        Format::Human => print_findings(&findings, &files, "nothing is formatted", screen)?,
    }
    Ok(match (findings.is_empty(), args.check && !changes.is_empty()) {
        (false, _) => Exit::Failed,
        (true, true) => Exit::No,
        (true, false) => Exit::Done,
    })
}

/// What was done, or would be.
#[derive(Debug, Default, Serialize)]
struct Report<'a> {
    findings: Vec<FindingBody<'a>>,
    /// How many files were looked at.
    files: usize,
    /// Those that were not formatted.
    unformatted: Vec<&'a str>,
    /// Whether they are now.
    written: bool,
}

impl Report<'_> {
    fn print(&self, check: bool, screen: &mut Screen<'_>) -> anyhow::Result<()> {
        let look = screen.look();
        let did = if check { "not formatted" } else { "formatted" };
        for name in self.unformatted.iter().map(|name| visible(name)) {
            writeln!(screen, "{}: {did}", look.paint(Tone::Place, &name))?;
        }
        let files = counted(self.files, "file");
        match (self.unformatted.len(), check) {
            (count, true) if count > 0 => {
                let count = count.to_string();
                let count = look.paint(Tone::Bad, &count);
                writeln!(screen, "{count} of {files} not formatted; run `stockade policy fmt`")?;
            }
            (count, _) => {
                let ok = look.paint(Tone::Good, "ok");
                writeln!(screen, "{ok}: {files}, {count} changed")?;
            }
        }
        Ok(())
    }
}

fn write_all(folder: &Path, changes: &[(&FolderFile, String)]) -> anyhow::Result<()> {
    for (file, text) in changes {
        let path = folder.join(&file.name);
        replace(&path, text.as_bytes())
            .with_context(|| format!("`{}` could not be written", path.display()))?;
    }
    Ok(())
}

/// Puts `bytes` into the place of a file, whole or not at all. A link goes on pointing to it, and
/// its mode stays.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().context("it has no folder")?;
    let mut draft = NamedTempFile::new_in(folder)?;
    draft.write_all(bytes)?;
    draft.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    draft.as_file().sync_all()?;
    draft.persist(&path)?;
    // The new name is on disk, too, when this is.
    File::open(folder)?.sync_all()?;
    Ok(())
}
