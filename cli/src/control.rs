//! Asking a running edge, over its control socket.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use stockade_contract::control::{Answer, Command, LINE_BYTES_MAX};

/// Longest wait for an answer that needs no proof.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest wait for a bundle to be proven, at half a processor.
const PROOF_TIMEOUT: Duration = Duration::from_secs(600);

/// Where the edge takes commands.
#[derive(Debug, clap::Args)]
pub(crate) struct ControlArgs {
    /// The edge's control socket.
    #[arg(long, value_name = "SOCKET", default_value = ".stockade/control.sock")]
    control: PathBuf,
}

impl ControlArgs {
    /// The edge's answer to a command.
    pub(crate) fn ask(&self, command: &Command) -> anyhow::Result<Answer> {
        let path = self.control.display();
        let mut stream = UnixStream::connect(&self.control)
            .with_context(|| format!("cannot reach the edge on `{path}`; is it up?"))?;
        stream.set_read_timeout(Some(patience(command)))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        writeln!(stream, "{}", serde_json::to_string(command)?)?;
        let mut line = String::new();
        let bound = u64::try_from(LINE_BYTES_MAX)?;
        BufReader::new(stream.take(bound))
            .read_line(&mut line)
            .context("the edge did not answer")?;
        serde_json::from_str(&line).context("the edge's answer is not one of this version's")
    }
}

fn patience(command: &Command) -> Duration {
    match command {
        Command::PolicyReload { .. }
        | Command::PolicyRollback { .. }
        | Command::PolicyShadow { .. }
        | Command::PolicyPromote => PROOF_TIMEOUT,
        Command::Ban { .. } | Command::Unban { .. } | Command::Bans | Command::PolicyStatus => {
            ANSWER_TIMEOUT
        }
    }
}
