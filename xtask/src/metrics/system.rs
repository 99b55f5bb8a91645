//! A `stockade up` of our own: on free ports, in a new folder, gone when dropped.

use std::fs::{self, DirBuilder};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::workspace::Workspace;

/// The longest first start: four passwords are hashed.
const START_MAX: Duration = Duration::from_secs(120);

/// The longest stop: longer than edge and core may drain.
const STOP_MAX: Duration = Duration::from_secs(60);

/// The longest wait for one answer.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How often we look whether something has happened.
const LOOK_EVERY: Duration = Duration::from_millis(50);

const ORDER: &str = r#"{"lines":[{"sku":"MUG-BLUE","quantity":1}]}"#;

/// A running system.
#[derive(Debug)]
pub(super) struct System {
    up: Up,
    folder: Folder,
    /// Where everything is, as the system says.
    ready: Value,
}

/// The process; ended with us.
#[derive(Debug)]
struct Up(Child);

/// A folder of our own; gone with us.
#[derive(Debug)]
struct Folder(PathBuf);

impl System {
    /// Starts the debug build, and waits until everything answers.
    pub(super) fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        let folder = Folder::new()?;
        let program = workspace.target.join("debug").join("stockade");
        let mut command = Command::new(&program);
        command.current_dir(&workspace.root).arg("up").arg("--data-dir").arg(&folder.0);
        for listener in ["--listen", "--ops-listen", "--core-ops-listen", "--payments-listen"] {
            command.args([listener, "127.0.0.1:0"]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        let child =
            command.spawn().with_context(|| format!("could not run `{}`", program.display()))?;
        let mut up = Up(child);
        let ready = up.ready(&folder.0.join("ready.json"))?;
        Ok(Self { up, folder, ready })
    }

    /// Looks around, logs in and buys something, as the demo's customer.
    pub(super) fn make_an_order(&self) -> anyhow::Result<()> {
        let demo: Value = serde_json::from_str(&fs::read_to_string(self.text("demo")?)?)?;
        let customer = demo.pointer("/accounts/0").context("the demo has no accounts")?;
        let field = |name: &str| customer.get(name).and_then(Value::as_str).unwrap_or_default();
        let login = format!(
            "grant_type=password&username={}&password={}",
            field("username"),
            field("password")
        );
        let answer = self.curl("/api/auth/token", &["--data", &login])?;
        let answer: Value = serde_json::from_str(&answer).context("the login's answer")?;
        let token = answer.get("access_token").and_then(Value::as_str).context("no token")?;
        let order = [
            ("--header", format!("Authorization: Bearer {token}")),
            ("--header", "Content-Type: application/json".to_owned()),
            ("--header", format!("Idempotency-Key: xtask-{}", process::id())),
            ("--data", ORDER.to_owned()),
        ];
        let order: Vec<_> = order.iter().flat_map(|(flag, value)| [*flag, value]).collect();
        self.curl("/api/orders", &order)?;
        Ok(())
    }

    /// What nobody but the edge may do: the core refuses it, and counts it.
    pub(super) fn ask_the_core_directly(&self) -> anyhow::Result<()> {
        let socket = self.folder.0.join("core.sock");
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--max-time", "10", "--unix-socket"])
            .arg(socket)
            .args(["--output", "/dev/null", "--write-out", "%{http_code}"])
            .arg("http://core/api/products")
            .output()
            .context("could not run curl")?;
        match output.stdout.as_slice() {
            b"401" => Ok(()),
            status => bail!("the core answered {} instead of 401", String::from_utf8_lossy(status)),
        }
    }

    pub(super) fn edge_metrics(&self) -> anyhow::Result<String> {
        metrics(self.text("ops")?.parse()?)
    }

    pub(super) fn core_metrics(&self) -> anyhow::Result<String> {
        metrics(self.text("core_ops")?.parse()?)
    }

    /// Asks the system to end, as an operator would, and waits until it has.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let child = &mut self.up.0;
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$1\"", "sh", &child.id().to_string()])
            .status()
            .context("could not run kill")?;
        if !asked.success() {
            bail!("could not ask `stockade up` to end");
        }
        let status = eventually(STOP_MAX, || Ok(child.try_wait()?)).context("asked to end")?;
        if status.success() { Ok(()) } else { bail!("`stockade up` ended with {status}") }
    }

    fn curl(&self, path: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail-with-body", "--max-time", "10"])
            .args(["--cacert", self.text("ca")?])
            .args(arguments)
            .arg(format!("{}{path}", self.text("url")?))
            .output()
            .context("could not run curl")?;
        let answer = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() { Ok(answer) } else { bail!("{path} was refused: {answer}") }
    }

    fn text(&self, key: &str) -> anyhow::Result<&str> {
        let text = self.ready.get(key).and_then(Value::as_str);
        text.with_context(|| format!("ready.json holds no `{key}`"))
    }
}

impl Up {
    fn ready(&mut self, file: &Path) -> anyhow::Result<Value> {
        let look = || match (fs::read(file), self.0.try_wait()?) {
            (Ok(bytes), None) => Ok(Some(serde_json::from_slice(&bytes)?)),
            (Err(_), None) => Ok(None),
            (_, Some(status)) => bail!("it ended with {status}"),
        };
        eventually(START_MAX, look).context("`stockade up` did not start")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        // Both say only that it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Folder {
    /// Below the folder for such things, whose short name a socket's path needs.
    fn new() -> anyhow::Result<Self> {
        let path = env::temp_dir().join(format!("stockade-xtask-{}", process::id()));
        // SECURITY: what is there already was made by somebody else, and is not used.
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make `{}`", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

/// Looks until there is something.
fn eventually<T>(
    at_most: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + at_most;
    while Instant::now() < deadline {
        if let Some(found) = look()? {
            return Ok(found);
        }
        thread::park_timeout(LOOK_EVERY);
    }
    bail!("nothing happened within {at_most:?}")
}

/// What an ops listener says at `/metrics`.
fn metrics(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, ANSWER_MAX)?;
    stream.set_read_timeout(Some(ANSWER_MAX))?;
    write!(stream, "GET /metrics HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
    let is_ok = head.split(' ').nth(1) == Some("200");
    if is_ok && !body.is_empty() { Ok(body.to_owned()) } else { bail!("{address}: {head}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_happen_is_given_up() {
        let never = eventually(LOOK_EVERY, || Ok(None::<()>)).unwrap_err().to_string();
        assert_eq!(never, "nothing happened within 50ms");
        assert_eq!(eventually(LOOK_EVERY, || Ok(Some(1))).unwrap(), 1);
    }

    #[test]
    fn a_process_that_ends_instead_of_starting_is_told() {
        let mut up = Up(Command::new("false").spawn().unwrap());
        let error = up.ready(Path::new("/nonexistent/ready.json")).unwrap_err();
        assert!(format!("{error:#}").contains("did not start: it ended with exit status: 1"));
    }
}
