//! A world for one test: a folder, a core in it, and a clock that stands still.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use stockade_contract::assertion::Scope;
use stockade_core_api::{Clock, Core, ServeError, SetClock, Timestamp, verify};
use stockade_settings::{CoreSettings, ImageSettings, MailSettings};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::backend::{self, Connection};
use crate::call::{Call, SECRET, call};

/// When every world begins, in seconds since 1970 UTC.
pub(crate) const BEGINNING: u64 = 1_800_000_000;

/// A SKU of the demo catalog, of which there are ten.
pub(crate) const PRINT: &str = "PRINT-10";

pub(crate) struct World {
    pub(crate) settings: CoreSettings,
    pub(crate) clock: SetClock,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Result<(), ServeError>>,
    ops: SocketAddr,
    _folder: TempDir,
}

/// Settings of a core that lives in `folder`, and the secrets they name.
pub(crate) fn settings(folder: &Path) -> CoreSettings {
    let secret = |name: &str, text: &str| secret(folder, name, text);
    CoreSettings {
        socket: Some(folder.join("core.sock")),
        ops_listen: "127.0.0.1:0".parse().unwrap(),
        store: backend::store(folder),
        assertion_secret_file: secret("assertion", SECRET),
        signing_key_file: secret("signing.pem", &signing_key()),
        password_pepper_file: secret("pepper", "a password pepper of 32 bytes!!!"),
        data_key_file: secret("data-key", "a data key that has 32 bytes!!!!"),
        index_key_file: secret("index-key", "an index key that has 32 bytes!!"),
        erasure_journal_file: Some(folder.join("erasures.jsonl")),
        audit_key_file: secret("audit-key.pem", &audit_key()),
        audit_checkpoints_file: Some(folder.join("audit-checkpoints.jsonl")),
        images: ImageSettings {
            folder: Some(folder.join("images")),
            link_keys_file: secret("image-link-keys", "an image link key of 32 bytes!!!"),
            ..ImageSettings::default()
        },
        mail: MailSettings { folder: Some(folder.join("mail")), ..MailSettings::default() },
        ..CoreSettings::default()
    }
}

pub(crate) fn audit_key() -> String {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem()
}

/// A file that holds a secret.
pub(crate) fn secret(folder: &Path, name: &str, text: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    Some(path)
}

pub(crate) fn signing_key() -> String {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let text = STANDARD.encode(key.to_pkcs8v1().unwrap().as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut CoreSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        let start = Timestamp::from_micros(i64::try_from(BEGINNING).unwrap() * 1_000_000);
        Self::run(folder, settings, SetClock::at(start)).await
    }

    /// A world in which it is now, for what has no clock but the system's.
    pub(crate) async fn start_now() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        Self::run(folder, settings, SetClock::at(Clock::system().now())).await
    }

    async fn run(folder: TempDir, settings: CoreSettings, clock: SetClock) -> Self {
        let core = Core::start(&settings, clock.clock()).await.unwrap();
        core.seed_demo(&[]).await.unwrap();
        let ops = core.ops_addr();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(core.serve(stopped));
        Self { settings, clock, stop, serving, ops, _folder: folder }
    }

    /// Asks the core to stop.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Stops the core, waits until it has ended, and starts another in its place.
    pub(crate) async fn restart(self) -> Self {
        self.stop();
        self.serving.await.unwrap().unwrap();
        assert!(!self.settings.socket.as_ref().unwrap().exists(), "the socket is gone");
        backend::check_at_rest(&self.settings.store);
        Self::run(self._folder, self.settings, self.clock).await
    }

    /// The same, after something was done to what lies in its folder.
    pub(crate) async fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        self.stop();
        self.serving.await.unwrap().unwrap();
        change(&self._folder.path().join("core.db"));
        Self::run(self._folder, self.settings, self.clock).await
    }

    /// Stops the core and waits until it has ended; what is left is its folder and its settings.
    pub(crate) async fn end(self) -> (TempDir, CoreSettings) {
        self.stop();
        self.serving.await.unwrap().unwrap();
        (self._folder, self.settings)
    }

    /// Ends the core where it stands and starts another in its place.
    pub(crate) async fn crash(self) -> Self {
        self.serving.abort();
        assert!(self.serving.await.unwrap_err().is_cancelled());
        Self::run(self._folder, self.settings, self.clock).await
    }

    /// A request as the edge would forward it: by an anonymous caller with full reach.
    pub(crate) fn call(&self, method: &'static str, path: impl Into<String>) -> Call {
        call(self.settings.socket.as_deref().unwrap(), &self.clock.clock(), method, path)
    }

    /// A request by an account, for its own things.
    pub(crate) fn by(&self, account: Uuid, method: &'static str, path: impl Into<String>) -> Call {
        self.call(method, path).by(&account.to_string()).scope(Scope::Own)
    }

    /// Orders units of one SKU, under a fresh key.
    pub(crate) fn order(&self, account: Uuid, sku: &str, quantity: u32) -> Call {
        self.by(account, "POST", "/api/orders")
            .key(&fresh_key())
            .json(&json!({"lines": [{"sku": sku, "quantity": quantity}]}))
    }

    pub(crate) fn receive(&self, sku: &str, quantity: u32) -> Call {
        self.by(someone(), "POST", format!("/api/inventory/{sku}/movements"))
            .scope(Scope::Any)
            .key(&fresh_key())
            .json(&json!({"kind": "receive", "quantity": quantity}))
    }

    /// Corrects what is on hand.
    pub(crate) fn adjust(&self, sku: &str, delta: i64, reason: &str) -> Call {
        self.by(someone(), "POST", format!("/api/inventory/{sku}/movements"))
            .scope(Scope::Any)
            .key(&fresh_key())
            .json(&json!({"kind": "adjust", "delta": delta, "reason": reason}))
    }

    /// Tells what was counted.
    pub(crate) fn stocktake(&self, sku: &str, counted: i64) -> Call {
        self.by(someone(), "POST", format!("/api/inventory/{sku}/stocktake"))
            .scope(Scope::Any)
            .key(&fresh_key())
            .json(&json!({"counted": counted, "reason": "counted"}))
    }

    /// Cancels an order of this account.
    pub(crate) fn cancel(&self, account: Uuid, order: &str) -> Call {
        self.by(account, "POST", format!("/api/orders/{order}/cancel"))
    }

    pub(crate) async fn stock(&self, sku: &str) -> Stock {
        let list = self.call("GET", "/api/inventory?limit=100").send().await;
        let items = list.body["items"].as_array().unwrap();
        let row = items.iter().find(|item| item["sku"] == sku).unwrap();
        let number = |name: &str| row[name].as_i64().unwrap();
        assert_eq!(number("available"), number("on_hand") - number("reserved"));
        Stock { on_hand: number("on_hand"), reserved: number("reserved") }
    }

    /// Nothing in the database contradicts anything else.
    pub(crate) async fn intact(&self) {
        let url = self.settings.store.url.as_ref().unwrap();
        let report = verify(url, None).await.unwrap();
        assert!(report.is_intact(), "{report}");
    }

    /// What Prometheus would see.
    pub(crate) async fn metrics(&self) -> String {
        self.ops("/metrics").await.1
    }

    /// What the ops listener says.
    pub(crate) async fn ops(&self, path: &str) -> (StatusCode, String) {
        let stream = TcpStream::connect(self.ops).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::get(path).header("host", "ops").body(Full::<Bytes>::default());
        let response = sender.send_request(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    /// Holds what every order needs, so that the writer waits.
    pub(crate) async fn hold_writes(&self) -> Connection {
        backend::hold_writes(&self.settings.store).await
    }

    /// The database itself, past the core.
    pub(crate) async fn database(&self) -> Connection {
        backend::connect(&self.settings.store).await
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stock {
    pub(crate) on_hand: i64,
    pub(crate) reserved: i64,
}

/// An account id nobody has used yet.
pub(crate) fn someone() -> Uuid {
    Uuid::now_v7()
}

pub(crate) fn fresh_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("key-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
