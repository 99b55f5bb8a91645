//! The core under measurement, with a shop in it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rcgen::KeyPair;
use serde_json::{Value, json};
use stockade_core_api::{Clock, Core, Report, ServeError, migrate, verify};
use stockade_settings::store::{StoreSettings, StoreUrl, Writers};
use stockade_settings::{CoreSettings, ImageSettings, MailSettings};
use stockade_test_support::postgres::PROGRAM;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::SKUS;
use super::line::Line;

/// What core and clients share.
pub(super) const SECRET: &[u8] = b"an assertion secret of 32 bytes!";

/// SKUs of one product.
const SKUS_EACH: usize = 100;

/// Connections by which the shop is filled.
const LINES: usize = 64;

/// A running core.
pub(super) struct Shop {
    folder: TempDir,
    url: StoreUrl,
    stop: watch::Sender<bool>,
    serving: JoinHandle<Result<(), ServeError>>,
    pub(super) ops: std::net::SocketAddr,
}

/// The name of a SKU by its number.
pub(super) fn sku(number: usize) -> String {
    format!("SKU-{number}")
}

impl Shop {
    pub(super) async fn on_postgres(owner: &str, url: &str, writers: u32) -> anyhow::Result<Self> {
        let StoreUrl::Postgres(owner) = owner.parse()? else { bail!("`{owner}`") };
        migrate(&owner, None, PROGRAM).await?;
        let writers = Writers::try_from(writers)?;
        Self::start(tempfile::tempdir()?, url.parse()?, writers).await
    }

    pub(super) async fn on_sqlite() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = StoreUrl::Sqlite(folder.path().join("stockade.db"));
        Self::start(folder, url, Writers::ONE).await
    }

    async fn start(folder: TempDir, url: StoreUrl, writers: Writers) -> anyhow::Result<Self> {
        let secret = |name: &str, bytes: &[u8]| write_secret(folder.path(), name, bytes);
        let audit_key = KeyPair::generate_for(&rcgen::PKCS_ED25519)?.serialize_pem();
        let settings = CoreSettings {
            socket: Some(folder.path().join("core.sock")),
            ops_listen: "127.0.0.1:0".parse()?,
            store: StoreSettings { url: Some(url.clone()), writers, ..StoreSettings::default() },
            assertion_secret_file: Some(secret("assertion", SECRET)?),
            signing_key_file: Some(secret("key", KeyPair::generate()?.serialize_pem().as_bytes())?),
            password_pepper_file: Some(secret("pepper", &[b'p'; 32])?),
            data_key_file: Some(secret("data-key", &[b'd'; 32])?),
            index_key_file: Some(secret("index-key", &[b'x'; 32])?),
            erasure_journal_file: Some(folder.path().join("erasures.jsonl")),
            audit_key_file: Some(secret("audit-key.pem", audit_key.as_bytes())?),
            audit_checkpoints_file: Some(folder.path().join("audit-checkpoints.jsonl")),
            images: ImageSettings {
                folder: Some(folder.path().join("images")),
                link_keys_file: Some(secret("image-link-keys", &[b'i'; 32])?),
                ..ImageSettings::default()
            },
            mail: MailSettings {
                folder: Some(folder.path().join("mail")),
                ..MailSettings::default()
            },
            ..CoreSettings::default()
        };
        let core = Core::start(&settings, Clock::system()).await?;
        let ops = core.ops_addr();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(core.serve(stopped));
        Ok(Self { folder, url, stop, serving, ops })
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.path().join("core.sock")
    }

    /// Publishes every SKU, with a million of each.
    pub(super) async fn fill(&self) -> anyhow::Result<()> {
        let mut line = Line::connect(&self.socket()).await?;
        for first in (0..SKUS).step_by(SKUS_EACH) {
            let skus: Vec<Value> = (first..first + SKUS_EACH)
                .map(|number| json!({"sku": sku(number), "price_minor": 100, "currency": "EUR"}))
                .collect();
            let product = json!({"name": "A hundred", "description": "Of all.", "skus": skus});
            line.post("/api/products", "/api/products", "", &product).await?;
        }
        let receiving = (0..LINES).map(|first| receive(self.socket(), first));
        for done in receiving.collect::<JoinSet<_>>().join_all().await {
            done?;
        }
        Ok(())
    }

    /// Ends the core, and proves what it leaves.
    pub(super) async fn close(self) -> anyhow::Result<Report> {
        self.stop.send_replace(true);
        self.serving.await.context("the core broke")??;
        Ok(verify(&self.url, None).await?)
    }
}

/// Receives every SKU whose turn it is on this line.
async fn receive(socket: PathBuf, first: usize) -> anyhow::Result<()> {
    let mut line = Line::connect(&socket).await?;
    let arrived = json!({"kind": "receive", "quantity": 1_000_000});
    for number in (first..SKUS).step_by(LINES) {
        let path = format!("/api/inventory/{}/movements", sku(number));
        let (route, key) = ("/api/inventory/{sku}/movements", format!("stock-{number}"));
        line.post(route, &path, &key, &arrived).await?;
    }
    Ok(())
}

fn write_secret(folder: &Path, name: &str, bytes: &[u8]) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(bytes)?;
    Ok(path)
}
