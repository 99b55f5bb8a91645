//! A command of the built `stockade`, as an operator types it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::built;
use crate::deadline::soon;

/// What a command said, and how it ended.
#[derive(Debug, Clone)]
pub struct Said {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub error: String,
}

impl Said {
    /// The output, read as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Types a command to the edge behind a control socket.
pub(crate) async fn to_edge(control: &Path, words: &[&str]) -> Said {
    let mut command = Command::new(built::program("stockade"));
    command.args(words).arg("--control").arg(control);
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    let output = soon(format!("the end of `stockade {}`", words.join(" ")), run).await.unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said { code: output.status.code(), out: text(&output.stdout), error: text(&output.stderr) }
}
