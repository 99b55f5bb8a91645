//! The edge by itself: the built `stockade-proxy`, in front of a recorder.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::built;
use crate::client::{Client, Protocol};
use crate::command::Said;
use crate::deadline::{eventually, eventually_yes};
use crate::door::Door;
use crate::issuer::{AUDIENCE, ISSUER, TestIssuer};
use crate::process::Process;
use crate::recorder::Recorder;

const SECRET: &str = "a secret of the tests, which nobody else has to know";

/// How an edge is to be started.
#[derive(Debug, Default)]
pub struct EdgeSetup {
    policies: PolicyFolder,
    edge: String,
    connections: String,
    upstream: String,
    believes: Option<(String, Value)>,
    upstream_address: Option<SocketAddr>,
    keyless: bool,
}

impl EdgeSetup {
    /// With these policies instead of ones that let everybody do everything.
    #[must_use]
    pub fn policies(mut self, policies: PolicyFolder) -> Self {
        self.policies = policies;
        self
    }

    /// With these lines in `[edge]`.
    #[must_use]
    pub fn edge(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.edge);
        self
    }

    /// Believing one issuer with these lines in `[[edge.issuers]]` and these keys, instead of one
    /// whose tokens a test can sign.
    #[must_use]
    pub fn issuer(mut self, lines: &str, key_set: &Value) -> Self {
        self.believes = Some((lines.to_owned(), key_set.clone()));
        self
    }

    /// With these lines in `[edge.connections]`.
    #[must_use]
    pub fn connections(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.connections);
        self
    }

    /// With these lines in `[edge.upstream]`.
    #[must_use]
    pub fn upstream(mut self, lines: &str) -> Self {
        lines.clone_into(&mut self.upstream);
        self
    }

    /// In front of something else than a recorder.
    #[must_use]
    pub fn in_front_of(mut self, address: SocketAddr) -> Self {
        self.upstream_address = Some(address);
        self
    }

    /// With an issuer whose keys the upstream would have to give; a recorder does not.
    #[must_use]
    pub fn keyless(mut self) -> Self {
        self.keyless = true;
        self
    }

    /// Starts, and waits until it is ready; one without keys, until it lives.
    pub async fn start(self) -> EdgeAlone {
        let recorder = Recorder::start().await;
        let (folder, issuer) = (tempfile::tempdir().unwrap(), TestIssuer::default());
        let address = self.upstream_address.unwrap_or(recorder.address());
        self.write(folder.path(), &issuer, address);
        let arguments = ["--config", "stockade.toml", "--policies"].map(PathBuf::from);
        let arguments = arguments.into_iter().chain([self.policies.path().to_owned()]);
        let program = built::program("stockade-proxy");
        let mut process = Process::spawn(&program, arguments, folder.path());
        let (address, ops) = eventually("the edge's addresses", || {
            assert!(process.ended().is_none(), "the edge ended:\n{}", process.stderr());
            edge_addresses(&process.stderr())
        })
        .await;
        let probe = if self.keyless { "/livez" } else { "/readyz" };
        eventually_yes(format!("{probe} of the edge"), || async {
            crate::client::plain_get(ops, probe).await.0 == 200
        })
        .await;
        let door = Door::new(address, &folder.path().join("certificate.pem"));
        EdgeAlone { process, door, ops, issuer, recorder, folder, policies: self.policies }
    }

    fn write(&self, folder: &Path, issuer: &TestIssuer, upstream: SocketAddr) {
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        };
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        file("certificate.pem", &made.cert.pem());
        file("key.pem", &made.signing_key.serialize_pem());
        file("secret", SECRET);
        let keys = self.believes.as_ref().map(|(_, keys)| keys.to_string());
        file("jwks.json", &keys.unwrap_or_else(|| issuer.key_set().to_string()));
        file("stockade.toml", &self.settings(upstream));
    }

    fn settings(&self, upstream: SocketAddr) -> String {
        let Self { edge, connections, upstream: more, .. } = self;
        let keys = if self.keyless { "" } else { r#"jwks_file = "jwks.json""# };
        let issuer = match &self.believes {
            Some((lines, _)) => lines.clone(),
            None => format!("issuer = \"{ISSUER}\"\naudience = \"{AUDIENCE}\""),
        };
        format!(
            r#"
[log]
format = "json"
[edge]
listen = "127.0.0.1:0"
ops_listen = "127.0.0.1:0"
access_log_file = "access.log"
control_socket = "control.sock"
{edge}
[edge.tls]
certificate_file = "certificate.pem"
private_key_file = "key.pem"
[edge.upstream]
name = "recorder"
address = "{upstream}"
assertion_secret_file = "secret"
{more}
[[edge.issuers]]
{issuer}
{keys}
[edge.connections]
{connections}
"#
        )
    }
}

/// Where an edge listens and where its probes are, by its log in JSON. With port 0 the addresses are
/// known from there alone.
pub fn edge_addresses(log: &str) -> Option<(SocketAddr, SocketAddr)> {
    let mut events = log.lines().filter_map(|line| serde_json::from_str(line).ok());
    let event = events.find(|event: &Value| event["message"] == "the edge runs")?;
    let address = |name: &str| event[name].as_str()?.parse().ok();
    Some((address("listen")?, address("ops.listen")?))
}

/// A running edge. It ends when dropped.
#[derive(Debug)]
pub struct EdgeAlone {
    process: Process,
    door: Door,
    ops: SocketAddr,
    issuer: TestIssuer,
    recorder: Recorder,
    folder: TempDir,
    policies: PolicyFolder,
}

impl EdgeAlone {
    /// An edge that forwards every clean request of everybody.
    pub async fn start() -> Self {
        EdgeSetup::default().start().await
    }

    /// The edge, for clients.
    pub fn door(&self) -> Door {
        self.door.clone()
    }

    /// A client that shows no token.
    pub fn visitor(&self) -> Client {
        Client::new(self.door(), Protocol::Http1)
    }

    /// Metrics and probes.
    pub fn ops(&self) -> SocketAddr {
        self.ops
    }

    /// Whose tokens it believes.
    pub fn issuer(&self) -> &TestIssuer {
        &self.issuer
    }

    /// What is behind it.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Its policies.
    pub fn policies(&self) -> &PolicyFolder {
        &self.policies
    }

    /// The number of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// The process it runs as.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// What a command of `stockade` does to this edge.
    pub async fn command(&self, words: &[&str]) -> Said {
        crate::command::to_edge(&self.control(), words).await
    }

    /// The socket on which it takes commands.
    pub fn control(&self) -> PathBuf {
        self.folder.path().join("control.sock")
    }

    /// The file of its decision records.
    pub fn access_log(&self) -> PathBuf {
        self.folder.path().join("access.log")
    }

    /// Its metrics.
    pub async fn metrics(&self) -> String {
        crate::client::plain_get(self.ops, "/metrics").await.1
    }

    /// The decision record of one request, once it is written.
    pub async fn record(&self, decision_id: &str) -> Value {
        crate::records::find(&self.access_log(), decision_id).await
    }
}

/// A folder of policies that a test wrote, or somebody else.
#[derive(Debug)]
pub struct PolicyFolder {
    path: PathBuf,
    _made: Option<TempDir>,
}

impl Default for PolicyFolder {
    /// Everybody may do everything, whichever token they show; a body is `text/plain`.
    fn default() -> Self {
        let routes = r#"
[resources]
anything = { actions = ["do"] }
[routes]
everything = { match = "* /{**rest}", needs = "anything.do", auth = "none", body = { max = "1MiB", media = ["text/plain"] } }
root       = { match = "* /", needs = "anything.do", auth = "none", body = { max = "1MiB", media = ["text/plain"] } }
"#;
        Self::with(routes, "p, anonymous, anything, do, any, allow\n")
    }
}

impl PolicyFolder {
    /// The shipped model and roles, with this `routes.toml` and this `policy.csv`.
    pub fn with(routes: &str, policy: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shipped = |name: &str| fs::read(built::policies().join(name)).unwrap();
        let this = Self { path: folder.path().to_owned(), _made: Some(folder) };
        this.write("model.conf", shipped("model.conf"));
        this.write("roles.csv", shipped("roles.csv"));
        this.write("routes.toml", routes);
        this.write("policy.csv", policy);
        this
    }

    /// Writes one of its files anew.
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path.join(name);
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }

    /// A folder that is there.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), _made: None }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}
