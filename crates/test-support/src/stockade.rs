//! The whole system: the built `stockade up`, on free ports and in a folder of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use crate::built;
use crate::client::{Client, Protocol};
use crate::command::Said;
use crate::deadline::eventually;
use crate::door::Door;
use crate::first_start::{FirstStart, Session};
use crate::process::Process;

/// How a system is to be started.
#[derive(Debug, Clone)]
pub struct Setup {
    config: Option<String>,
    policies: PathBuf,
    data_dir: Option<PathBuf>,
    listen: [(&'static str, String); 4],
    blank: bool,
}

impl Default for Setup {
    fn default() -> Self {
        let free = |flag| (flag, "127.0.0.1:0".to_owned());
        Self {
            config: None,
            policies: built::policies(),
            data_dir: None,
            listen: [
                free("--listen"),
                free("--ops-listen"),
                free("--core-ops-listen"),
                free("--payments-listen"),
            ],
            blank: false,
        }
    }
}

impl Setup {
    /// With the text of a settings file.
    #[must_use]
    pub fn config(mut self, text: impl Into<String>) -> Self {
        self.config = Some(text.into());
        self
    }

    /// With other policies than the shipped ones.
    #[must_use]
    pub fn policies(mut self, folder: impl Into<PathBuf>) -> Self {
        self.policies = folder.into();
        self
    }

    /// With a data folder somewhere else, as it is there.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// With another address than a free one for `--listen` and its like.
    #[must_use]
    pub fn listen(mut self, flag: &str, address: &str) -> Self {
        let listen = self.listen.iter_mut().find(|(name, _)| *name == flag);
        listen.expect("the flag of a listener").1 = address.to_owned();
        self
    }

    /// Without any data, so that everything is made: a second of bcrypt for each demo account.
    #[must_use]
    pub fn blank(mut self) -> Self {
        self.blank = true;
        self
    }

    /// Starts, and waits until everything answers.
    pub async fn start(self) -> Stockade {
        let folder = self.furnish().await;
        let sessions = if self.blank { Vec::new() } else { FirstStart::get().await.sessions() };
        let process = self.spawn(&folder);
        let mut stockade = Stockade { process, setup: self, folder, sessions, ready: None };
        stockade.await_ready().await;
        stockade
    }

    /// Starts what must not come up, and waits until it has given up.
    pub async fn fail(self) -> FailedStart {
        let folder = self.furnish().await;
        let mut process = self.spawn(&folder);
        let status = process.end().await;
        FailedStart { status, process, data: self.data(&folder), _folder: folder }
    }

    /// Starts, and waits for nothing.
    pub async fn begin(self) -> Stockade {
        let folder = self.furnish().await;
        let process = self.spawn(&folder);
        Stockade { process, setup: self, folder, sessions: Vec::new(), ready: None }
    }

    async fn furnish(&self) -> TempDir {
        let folder = tempfile::Builder::new().prefix("stockade-").tempdir().unwrap();
        if let Some(text) = &self.config {
            fs::write(folder.path().join("settings.toml"), text).unwrap();
        }
        if !self.blank && self.data_dir.is_none() {
            FirstStart::get().await.copy_to(&self.data(&folder));
        }
        folder
    }

    fn data(&self, folder: &TempDir) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(|| folder.path().join("data"))
    }

    fn spawn(&self, folder: &TempDir) -> Process {
        let mut arguments = vec!["up".into(), "--data-dir".into(), self.data(folder)];
        arguments.extend(["--policies".into(), self.policies.clone()]);
        for (flag, address) in &self.listen {
            arguments.extend([flag.into(), address.into()]);
        }
        if self.config.is_some() {
            arguments.extend(["--config".into(), "settings.toml".into()]);
        }
        Process::spawn(&built::program("stockade"), arguments, folder.path())
    }
}

/// What `ready.json` says.
#[derive(Debug, Clone, Deserialize)]
struct Ready {
    url: String,
    listen: SocketAddr,
    ops: SocketAddr,
    core_ops: SocketAddr,
    ca: PathBuf,
    demo: PathBuf,
    pid: u32,
}

/// A running system. It ends when dropped.
#[derive(Debug)]
pub struct Stockade {
    process: Process,
    setup: Setup,
    folder: TempDir,
    sessions: Vec<Session>,
    ready: Option<Ready>,
}

impl Stockade {
    /// A system of its own for one test, with the demo's accounts, stock and nothing else.
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// What clients put before a path.
    pub fn url(&self) -> &str {
        &self.ready().url
    }

    /// The edge, for clients.
    pub fn door(&self) -> Door {
        let Ready { listen, ca, .. } = self.ready();
        Door::new(*listen, ca)
    }

    /// The edge's metrics and probes.
    pub fn ops(&self) -> SocketAddr {
        self.ready().ops
    }

    /// The core's metrics and probes.
    pub fn core_ops(&self) -> SocketAddr {
        self.ready().core_ops
    }

    /// The file of the authority to trust.
    pub fn authority(&self) -> &Path {
        &self.ready().ca
    }

    /// The folder in which it keeps everything.
    pub fn data(&self) -> PathBuf {
        self.setup.data(&self.folder)
    }

    /// The process it runs as.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A client that shows no token.
    pub fn visitor(&self) -> Client {
        Client::new(self.door(), Protocol::Http1)
    }

    /// A client that shows the token of the demo's account with this role.
    pub fn member(&self, role: &str) -> Client {
        self.visitor().with_token(&self.session(role).token)
    }

    /// The demo's account with this role, logged in.
    ///
    /// # Panics
    /// When there is none: a [`blank`](Setup::blank) start logs nobody in.
    pub fn session(&self, role: &str) -> &Session {
        let session = self.sessions.iter().find(|session| session.role == role);
        session.unwrap_or_else(|| panic!("nobody is logged in as `{role}`"))
    }

    /// Where `demo.json` is.
    pub(crate) fn demo(&self) -> &Path {
        &self.ready().demo
    }

    /// The demo's accounts, as `demo.json` names them: role, user name, password.
    pub fn accounts(&self) -> Vec<(String, String, String)> {
        crate::first_start::read_accounts(&self.ready().demo)
    }

    /// What the ops listener of edge or core says at a path.
    pub async fn probe(&self, ops: SocketAddr, path: &str) -> (u16, String) {
        crate::client::plain_get(ops, path).await
    }

    /// What a command of `stockade` does to this edge.
    pub async fn command(&self, words: &[&str]) -> Said {
        crate::command::to_edge(&self.data().join("control.sock"), words).await
    }

    /// The edge's metrics.
    pub async fn metrics(&self) -> String {
        self.probe(self.ops(), "/metrics").await.1
    }

    /// The decision record of one request, once it is written.
    pub async fn record(&self, decision_id: &str) -> Value {
        crate::records::find(&self.data().join("access.log"), decision_id).await
    }

    /// Asks it to stop, and waits until it has.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.process.terminate().await
    }

    /// Starts again on the same data, after it has ended.
    pub async fn start_again(&mut self) {
        self.process = self.setup.spawn(&self.folder);
        self.await_ready().await;
    }

    /// Waits until it answers.
    pub async fn await_ready(&mut self) {
        let path = self.data().join("ready.json");
        let process = &mut self.process;
        let ready = eventually("ready.json", || {
            if process.ended().is_some() {
                panic!("`stockade up` ended:\n{}{}", process.stdout(), process.stderr());
            }
            let ready: Ready = serde_json::from_str(&fs::read_to_string(&path).ok()?).unwrap();
            // One that was killed has left its own behind.
            (ready.pid == process.id()).then_some(ready)
        })
        .await;
        self.ready = Some(ready);
    }

    fn ready(&self) -> &Ready {
        self.ready.as_ref().expect("it has become ready")
    }
}

/// A system that gave up before it came up.
#[derive(Debug)]
pub struct FailedStart {
    status: ExitStatus,
    process: Process,
    data: PathBuf,
    _folder: TempDir,
}

impl FailedStart {
    /// Its exit code.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// What it said to the person who started it.
    pub fn stderr(&self) -> String {
        self.process.stderr()
    }

    /// The folder in which it would have kept everything.
    pub fn data(&self) -> &Path {
        &self.data
    }
}
