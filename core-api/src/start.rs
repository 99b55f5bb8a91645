//! Starting: settings become a running core, or one clear line says why not.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use prometheus::Registry;
use stockade_contract::assertion::{AssertionKey, Keyring, WeakMaster};
use stockade_settings::secret::{self, SecretError};
use stockade_settings::store::StoreUrl;
use stockade_settings::{CoreSettings, PaymentSettings};
use stockade_telemetry::Readiness;
use stockade_telemetry::ops::OpsListener;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::Core;
use crate::accounts::{Lives, Passwords, SigningKeyError, SigningKeys, TokenIssuer, WeakPepper};
use crate::app::App;
use crate::audit::{AuditKeyError, AuditKeys, CheckpointFile};
use crate::clock::Clock;
use crate::http::CursorKey;
use crate::ids::IdSource;
use crate::images::{
    BadAddress, Images, LinkKeys, LinkKeysError, Objects, OpenObjectsError, Scanner,
};
use crate::inventory::{NotUnits, Units};
use crate::listener::{BindError, EdgeListener};
use crate::mail::{Post, PostError, Texts};
use crate::metrics::CoreMetrics;
use crate::outbox::Outbox;
use crate::payments::{NoGateway, Provider, SetupError, Stripe, WeakSecret, WebhookSecret};
use crate::privacy::{ErasureJournal, JournalError, ReplayError, replay};
use crate::store::{OpenError, Opened, open};
use crate::vault::{Vault, VaultKey, WeakKey};
use crate::writer::{self, Desk};

/// Who the core is, to the edge: the audience of the assertions it believes.
pub(crate) const AUDIENCE: &str = "core";

/// Work that may go on after its answer at once.
const ERRANDS_MAX: usize = 64;

/// Why the core did not start.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct StartError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("core.{0} is not set in stockade.toml")]
    NotSet(&'static str),
    #[error("core.{setting}: {why}")]
    Secret { setting: &'static str, why: SecretError },
    #[error("core.assertion_secret_file `{}`: {why}; make one with `openssl rand -hex 32`", .path.display())]
    WeakSecret { path: PathBuf, why: WeakMaster },
    #[error("core.password_pepper_file `{}`: {why}; make one with `openssl rand -hex 32`", .path.display())]
    WeakPepper { path: PathBuf, why: WeakPepper },
    #[error("core.{setting} `{}`: {why}; make one with `openssl rand -hex 32`", .path.display())]
    WeakKey { setting: &'static str, path: PathBuf, why: WeakKey },
    #[error("core.audit_key_file: {0}")]
    AuditKey(AuditKeyError),
    #[error("core.audit_checkpoints_file `{}`: {why}", .path.display())]
    Checkpoints { path: PathBuf, why: io::Error },
    #[error("core.signing_key_file: {0}")]
    SigningKey(SigningKeyError),
    #[error(transparent)]
    Mail(PostError),
    #[error("core.images.link_keys_file: {0}")]
    LinkKeys(LinkKeysError),
    #[error(transparent)]
    Objects(OpenObjectsError),
    #[error(transparent)]
    Scanner(BadAddress),
    #[error("core.store.url `{url}`: {why}")]
    Database { url: Box<StoreUrl>, why: OpenError },
    #[error(transparent)]
    Journal(JournalError),
    #[error("the erasure journal cannot be replayed: {0}")]
    Replay(ReplayError),
    #[error("core.low_stock_at `{value}`: {why}")]
    LowStock { value: u32, why: NotUnits },
    #[error("core.socket `{}`: {why}", .path.display())]
    Socket { path: PathBuf, why: BindError },
    #[error("core.ops_listen `{addr}`: {why}")]
    Ops { addr: SocketAddr, why: io::Error },
    #[error("core.payments.{0}")]
    Provider(SetupError),
    #[error(
        "core.payments.secret_key_file is set and core.payments.webhook_secret_files names no \
         file: no payment could ever be taken"
    )]
    NoWebhookSecret,
    #[error("core.payments.webhook_secret_files `{}`: {why}", .path.display())]
    WeakWebhookSecret { path: PathBuf, why: WeakSecret },
    #[error("metrics cannot be registered: {0}")]
    Metrics(prometheus::Error),
}

/// What is read before anything is opened.
struct Keys {
    passwords: Passwords,
    tokens: TokenIssuer,
    vault: Vault,
    assertions: Keyring,
    cursors: CursorKey,
    audit: AuditKeys,
    checkpoints: CheckpointFile,
}

pub(crate) async fn start(settings: &CoreSettings, clock: Clock) -> Result<Core, StartError> {
    let socket = set("socket", settings.socket.as_deref())?;
    let url = settings.store.url.as_ref().ok_or(Cause::NotSet("store.url"))?;
    let journal_file = set("erasure_journal_file", settings.erasure_journal_file.as_deref())?;
    let registry = Registry::new();
    let metrics = Arc::new(CoreMetrics::register(&registry).map_err(Cause::Metrics)?);
    let keys = read_keys(settings, Arc::clone(&metrics))?;
    let low_at = low_at(settings.low_stock_at)?;
    let provider = read_provider(&settings.payments)?;
    let post = Post::open(&settings.mail).map_err(Cause::Mail)?;
    let images = open_images(settings)?;
    let (ops, ops_addr) = bind_ops(settings.ops_listen)?;
    let listener = EdgeListener::bind(socket)
        .await
        .map_err(|why| Cause::Socket { path: socket.to_owned(), why })?;
    let vault = Arc::new(keys.vault);
    let Opened { store, writers } = open(url, &settings.store, &vault)
        .await
        .map_err(|why| Cause::Database { url: Box::new(url.clone()), why })?;

    let ids = IdSource::default();
    let desk = |store| Desk {
        store,
        clock: clock.clone(),
        ids: ids.clone(),
        metrics: Arc::clone(&metrics),
        low_at,
    };
    let desks = writers.into_iter().map(desk).collect();
    let (writer, writers) = writer::start(desks, settings.write_queue_max.get());
    let (journal, erasures) = ErasureJournal::open(journal_file, &vault).map_err(Cause::Journal)?;
    // Before anybody is answered: a restored backup may have brought back who was erased.
    replay(&*store, &mut writer.clone(), &journal, &erasures).await.map_err(Cause::Replay)?;
    let app = App {
        store: Arc::from(store),
        writer,
        clock,
        ids,
        passwords: keys.passwords,
        tokens: keys.tokens,
        provider,
        outbox: Outbox::default(),
        vault,
        journal,
        texts: Texts::new(&settings.mail.site),
        images,
        errands: Arc::new(Semaphore::new(ERRANDS_MAX)),
        assertions: keys.assertions,
        cursors: keys.cursors,
        audit_keys: keys.audit,
        checkpoints: keys.checkpoints,
        metrics,
        low_at,
        readiness: Readiness::new(),
    };
    Ok(Core { app: Arc::new(app), writers, post, listener, ops, ops_addr, registry })
}

fn low_at(value: Option<u32>) -> Result<Option<Units>, Cause> {
    let units = |value: u32| {
        Units::try_from(i64::from(value)).map_err(|why| Cause::LowStock { value, why })
    };
    value.map(units).transpose()
}

fn set<'a>(setting: &'static str, path: Option<&'a Path>) -> Result<&'a Path, Cause> {
    path.ok_or(Cause::NotSet(setting))
}

fn read_keys(settings: &CoreSettings, metrics: Arc<CoreMetrics>) -> Result<Keys, Cause> {
    let secret_file = set("assertion_secret_file", settings.assertion_secret_file.as_deref())?;
    let key_file = set("signing_key_file", settings.signing_key_file.as_deref())?;
    let pepper_file = set("password_pepper_file", settings.password_pepper_file.as_deref())?;

    let master = read("assertion_secret_file", secret_file)?;
    let key = AssertionKey::derive(&master, AUDIENCE)
        .map_err(|why| Cause::WeakSecret { path: secret_file.to_owned(), why })?;
    let pepper = read("password_pepper_file", pepper_file)?;
    let passwords = Passwords::new(pepper.to_vec(), settings.password_hashes_max.get(), metrics)
        .map_err(|why| Cause::WeakPepper { path: pepper_file.to_owned(), why })?;
    let vault = read_vault(settings)?;
    let signing_keys = SigningKeys::read(key_file).map_err(Cause::SigningKey)?;
    let lives = Lives {
        access_token: Duration::from_secs(u64::from(settings.access_token_secs.get())),
        session: Duration::from_secs(u64::from(settings.refresh_token_secs.get())),
    };
    let (issuer, audience) = (settings.issuer.clone(), settings.audience.clone());
    Ok(Keys {
        passwords,
        tokens: TokenIssuer::new(signing_keys, issuer, audience, lives),
        vault,
        assertions: Keyring::new(key),
        cursors: CursorKey::derive(&master),
        audit: read_audit_keys(settings)?,
        checkpoints: open_checkpoints(settings)?,
    })
}

/// Where the keys of the audit trail are, one of which can sign.
fn read_audit_keys(settings: &CoreSettings) -> Result<AuditKeys, Cause> {
    let keys = AuditKeys::at(set("audit_key_file", settings.audit_key_file.as_deref())?);
    keys.signer().map_err(Cause::AuditKey)?;
    keys.ring().map_err(Cause::AuditKey)?;
    Ok(keys)
}

fn open_checkpoints(settings: &CoreSettings) -> Result<CheckpointFile, Cause> {
    let file = set("audit_checkpoints_file", settings.audit_checkpoints_file.as_deref())?;
    CheckpointFile::open(file).map_err(|why| Cause::Checkpoints { path: file.to_owned(), why })
}

fn open_images(settings: &CoreSettings) -> Result<Images, Cause> {
    let file = set("images.link_keys_file", settings.images.link_keys_file.as_deref())?;
    let links = LinkKeys::read(file).map_err(Cause::LinkKeys)?;
    let objects = Objects::make(&settings.images).map_err(Cause::Objects)?;
    let scanner = Scanner::new(&settings.scanner).map_err(Cause::Scanner)?;
    let receive_max = Duration::from_millis(u64::from(settings.images.receive_timeout_ms.get()));
    Ok(Images::new(objects, links, scanner, receive_max))
}

/// Without a secret key, nobody can pay; with one, the provider's events have to be believed.
fn read_provider(settings: &PaymentSettings) -> Result<Provider, Cause> {
    let secrets = settings.webhook_secret_files.iter().map(|path| {
        let bytes = read("payments.webhook_secret_files", path)?;
        let weak = |why| Cause::WeakWebhookSecret { path: path.clone(), why };
        WebhookSecret::new(bytes).map_err(weak)
    });
    let webhook_secrets = secrets.collect::<Result<Vec<_>, _>>()?;
    let Some(path) = &settings.secret_key_file else {
        return Ok(Provider { gateway: Arc::new(NoGateway), webhook_secrets });
    };
    if webhook_secrets.is_empty() {
        return Err(Cause::NoWebhookSecret);
    }
    let key = read("payments.secret_key_file", path)?;
    let gateway = Stripe::at(&settings.provider_url, &key).map_err(Cause::Provider)?;
    Ok(Provider { gateway: Arc::new(gateway), webhook_secrets })
}

/// The vault that the settings name the keys of.
pub(crate) fn read_vault(settings: &CoreSettings) -> Result<Vault, Cause> {
    let data = read_key("data_key_file", settings.data_key_file.as_deref())?;
    let index = read_key("index_key_file", settings.index_key_file.as_deref())?;
    let previous = settings.previous_data_key_file.as_deref();
    let previous = previous.map(|file| read_key("previous_data_key_file", Some(file)));
    let previous = previous.transpose()?;
    Ok(Vault::derive(&data, previous.as_ref(), &index))
}

fn read_key(setting: &'static str, file: Option<&Path>) -> Result<VaultKey, Cause> {
    let file = set(setting, file)?;
    let weak = |why| Cause::WeakKey { setting, path: file.to_owned(), why };
    VaultKey::new(read(setting, file)?).map_err(weak)
}

fn read(setting: &'static str, file: &Path) -> Result<Zeroizing<Vec<u8>>, Cause> {
    secret::read(file).map(Zeroizing::new).map_err(|why| Cause::Secret { setting, why })
}

fn bind_ops(addr: SocketAddr) -> Result<(OpsListener, SocketAddr), Cause> {
    let bind = || {
        let ops = OpsListener::bind(addr)?;
        let addr = ops.local_addr()?;
        Ok((ops, addr))
    };
    bind().map_err(|why| Cause::Ops { addr, why })
}
