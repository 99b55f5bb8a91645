//! A program that takes part in a run: a process of its own, its CPU time, its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context as _;

/// A running child. It is killed, by its id, when this is dropped.
#[derive(Debug)]
pub(crate) struct Contender {
    child: Child,
    log: PathBuf,
}

impl Contender {
    /// Starts a command that writes what it has to say to `log`.
    pub(crate) fn start(command: &mut Command, log: &Path) -> anyhow::Result<Self> {
        let output = File::create(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// CPU time that all threads have used so far, in user and kernel.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let tasks = format!("/proc/{}/task", self.child.id());
        let mut total = 0;
        for task in fs::read_dir(tasks).context("the process has ended")? {
            // `schedstat` begins with the nanoseconds on a processor.
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let nanos: u64 = text.split(' ').next().unwrap_or_default().parse()?;
            total += nanos;
        }
        Ok(Duration::from_nanos(total))
    }

    /// What it has said so far, for an error's message.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Contender {
    fn drop(&mut self) {
        // An error says that it has ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
