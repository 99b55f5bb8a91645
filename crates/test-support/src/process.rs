//! A program of ours as the system sees it: a process with an exit code and two streams.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::deadline::eventually;

/// A running program. It is killed when dropped: this one, and no other.
#[derive(Debug)]
pub struct Process {
    child: Child,
    streams: PathBuf,
}

impl Process {
    /// Starts a program in `folder`, where its two streams are kept as files.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
    ) -> Self {
        let stream = |name| File::create(folder.join(name)).unwrap();
        let child = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(stream("stdout"))
            .stderr(stream("stderr"))
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start `{}`: {error}", program.display()));
        Self { child, streams: folder.to_owned() }
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far.
    pub fn stdout(&self) -> String {
        self.stream("stdout")
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.stream("stderr")
    }

    fn stream(&self, name: &str) -> String {
        let bytes = fs::read(self.streams.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child can be waited for")
    }

    /// How it ends.
    pub async fn end(&mut self) -> ExitStatus {
        let program = format!("the end of process {}", self.child.id());
        eventually(program, || self.ended()).await
    }

    /// Asks it to stop: SIGTERM.
    pub fn ask_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("our child can be asked");
    }

    /// Asks it to stop, and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.ask_to_stop();
        self.end().await
    }

    /// Ends it where it stands: SIGKILL.
    pub fn kill(&mut self) {
        // One that has ended already needs no killing.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
