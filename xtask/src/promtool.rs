//! Prometheus' own checker, for what Prometheus reads: metrics, settings, alerts.
//!
//! It comes in Debian's package `prometheus`, which is unpacked below the target folder and not
//! installed: installed, it would start a server that stays.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::tools;
use crate::workspace::Workspace;

const PROGRAM: &str = "promtool";
const PACKAGE: &str = "prometheus";

/// What a person has to do where we cannot.
const REQUEST: &str = "promtool is missing and cannot be taken from a package here; put it on the \
     path, for example with:\n\n    sudo apt-get update && sudo apt-get install -y \
     --no-install-recommends prometheus\n\n(which starts a Prometheus server; `sudo systemctl \
     disable --now prometheus` ends it)\n";

/// A `promtool` that is there.
#[derive(Debug)]
pub(crate) struct Promtool {
    program: PathBuf,
}

impl Promtool {
    /// The one on the path, or one that was unpacked, now or earlier.
    pub(crate) fn ensure(workspace: &Workspace) -> anyhow::Result<Self> {
        let folder = workspace.target.join("tools").join(PACKAGE);
        let unpacked = folder.join("usr/bin").join(PROGRAM);
        let path = env::var_os("PATH").unwrap_or_default();
        if tools::is_on(&path, PROGRAM) {
            return Ok(Self { program: PROGRAM.into() });
        }
        if !unpacked.is_file() {
            eprintln!("unpacking promtool (needed to check metrics and alerts)");
            if let Err(error) = unpack(&folder) {
                bail!("{error:#}\n{REQUEST}");
            }
        }
        Ok(Self { program: unpacked })
    }

    /// A command of its, in a folder.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(folder);
        command
    }
}

/// Fetches the package and unpacks it; the folder is there whole or not at all.
fn unpack(folder: &Path) -> anyhow::Result<()> {
    let draft = folder.with_extension("draft");
    // What an earlier attempt left behind.
    fs::remove_dir_all(&draft).ok();
    fs::create_dir_all(&draft)?;
    download(&draft)?;
    let package = fs::read_dir(&draft)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .context("apt-get downloaded nothing")?;
    run(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&draft))?;
    fs::remove_file(package)?;
    fs::rename(&draft, folder).context("could not keep what was unpacked")
}

/// The package lists may be missing, or name a version that is gone.
fn download(folder: &Path) -> anyhow::Result<()> {
    let fetch = || {
        let mut apt = Command::new("apt-get");
        // The user that apt takes for downloads cannot write in our folder.
        apt.args(["-o", "APT::Sandbox::User=root", "-q", "download", PACKAGE]);
        run(apt.current_dir(folder))
    };
    fetch().or_else(|error| {
        eprintln!("{error:#}; trying again with new package lists");
        tools::update()?;
        fetch()
    })
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("could not run {program}"))?;
    if status.success() { Ok(()) } else { bail!("{program} failed ({status})") }
}
