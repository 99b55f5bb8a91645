//! `stockade up`: the whole system in one process, on embedded defaults.
//!
//! Edge and core each run on a runtime of their own and meet only over a Unix socket, exactly as
//! they do when they run apart; this is the only place that knows both. Everything it needs is
//! made on the first start and kept on the next, below the data folder.

mod certificates;
mod data_dir;
mod demo;
mod edge_files;
mod payments;
mod ready;
mod secrets;
mod tour;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use stockade_core_api::{Clock, Core, PaymentMock};
use stockade_policy::Finding;
use stockade_proxy::{LoadedPolicy, PolicyError, Proxy};
use stockade_settings::store::StoreUrl;
use stockade_settings::{Issuer, LogFormat, PolicyWatch, Settings};
use stockade_telemetry::logs::{self, LogStyle};
use stockade_telemetry::{Readiness, stop};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use self::data_dir::DataDir;
use self::demo::Demo;
pub(crate) use self::edge_files::make_edge_files;
use self::payments::MockPlan;
use self::ready::Ready;
use crate::exit::Exit;

/// The settings file that is read when it is there and none is named.
const SETTINGS_FILE: &str = "stockade.toml";

/// Arguments of `stockade up`.
#[derive(Debug, clap::Args)]
pub(crate) struct UpArgs {
    /// Where HTTPS is served; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the edge's metrics and probes are served.
    #[arg(long, value_name = "ADDRESS")]
    ops_listen: Option<SocketAddr>,
    /// Where the core's metrics and probes are served.
    #[arg(long, value_name = "ADDRESS")]
    core_ops_listen: Option<SocketAddr>,
    /// Where the mock of a payment provider answers, while no secret key is set.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9903")]
    payments_listen: SocketAddr,
    /// The database, `sqlite:FILE` or `postgres://...`; comes before `core.store.url`.
    #[arg(long, value_name = "DATABASE", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<StoreUrl>,
    /// The folder for everything that is made and kept.
    #[arg(long, value_name = "DIR", default_value = ".stockade")]
    data_dir: PathBuf,
    /// The settings file; `stockade.toml` when there is one.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The policy folder.
    #[arg(long, value_name = "DIR", default_value = "policies")]
    policies: PathBuf,
}

pub(crate) fn run(args: &UpArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let edge_runtime = runtime("edge")?;
    // First of all, so that a start that is cut short ends in good order, too.
    let stop = edge_runtime.block_on(async { stop::on_signal() })?;
    let mut settings = args.settings()?;
    let Some(policy) = load_policy(&args.policies)? else { return Ok(Exit::Failed) };
    refuse_public_address(&settings, args.payments_listen)?;
    let data = DataDir::open(&args.data_dir)?;
    fill_in(&mut settings, &data)?;
    logs::init(match settings.log.format {
        LogFormat::Human => LogStyle::Human,
        LogFormat::Json => LogStyle::Json,
    });
    let demo = Demo::load_or_make(&data)?;
    let mock = MockPlan::of(&mut settings, &data, args.payments_listen)?;
    let system = System::start(edge_runtime, stop, settings, policy, (&demo, mock))?;
    system.serve(&data, &demo, out)?;
    Ok(Exit::Done)
}

impl UpArgs {
    /// The file's settings, overridden by the flags.
    fn settings(&self) -> anyhow::Result<Settings> {
        let default = Path::new(SETTINGS_FILE);
        let mut settings = match &self.config {
            Some(file) => Settings::load(file)?,
            None if default.exists() => Settings::load(default)?,
            None => Settings::default(),
        };
        settings.edge.listen = self.listen.unwrap_or(settings.edge.listen);
        settings.edge.ops_listen = self.ops_listen.unwrap_or(settings.edge.ops_listen);
        settings.core.ops_listen = self.core_ops_listen.unwrap_or(settings.core.ops_listen);
        settings.core.store.url = self.database.clone().or(settings.core.store.url);
        Ok(settings)
    }
}

/// The policy, or `None` when it is refused; every finding has been told by then.
fn load_policy(folder: &Path) -> anyhow::Result<Option<LoadedPolicy>> {
    match LoadedPolicy::load(folder) {
        Ok(policy) => Ok(Some(policy)),
        Err(PolicyError::Refused { folder, findings }) => {
            tell(&folder, &findings);
            Ok(None)
        }
        Err(error @ (PolicyError::Folder(_) | PolicyError::Changing(_))) => Err(error.into()),
    }
}

fn tell(folder: &Path, findings: &[Finding]) {
    for finding in findings {
        let path = folder.join("").display().to_string();
        // Standard error may be closed; the exit code still tells.
        drop(writeln!(std::io::stderr(), "stockade: {path}{finding}"));
    }
}

/// What `up` makes is for development: its certificate, its keys, its demo accounts.
fn refuse_public_address(settings: &Settings, payments: SocketAddr) -> anyhow::Result<()> {
    let addresses = [
        ("edge.listen", settings.edge.listen),
        ("edge.ops_listen", settings.edge.ops_listen),
        ("core.ops_listen", settings.core.ops_listen),
        ("--payments-listen", payments),
    ];
    for (setting, address) in addresses {
        if !address.ip().is_loopback() {
            bail!(
                "`{setting}` is {address}, but `stockade up` serves demo accounts and development \
                 keys; choose a loopback address such as 127.0.0.1:{}, or run `stockade-proxy` \
                 and `stockade-core-api` with your own keys",
                address.port()
            );
        }
    }
    Ok(())
}

/// Everything the settings leave out is made below the data folder, or found there.
fn fill_in(settings: &mut Settings, data: &DataDir) -> anyhow::Result<()> {
    let assertion_secret = secrets::secret(data, "assertion-secret")?;
    let core = &mut settings.core;
    let socket = core.socket.get_or_insert_with(|| data.path("core.sock")).clone();
    core.store.url.get_or_insert_with(|| StoreUrl::Sqlite(data.path("stockade.db")));
    core.assertion_secret_file.get_or_insert_with(|| assertion_secret.clone());
    if core.signing_key_file.is_none() {
        core.signing_key_file = Some(secrets::signing_key(data)?);
    }
    if core.password_pepper_file.is_none() {
        core.password_pepper_file = Some(secrets::secret(data, "password-pepper")?);
    }
    if core.data_key_file.is_none() {
        core.data_key_file = Some(secrets::secret(data, "data-key")?);
    }
    if core.index_key_file.is_none() {
        core.index_key_file = Some(secrets::secret(data, "index-key")?);
    }
    core.erasure_journal_file.get_or_insert_with(|| data.path("erasures.jsonl"));
    if core.audit_key_file.is_none() {
        core.audit_key_file = Some(secrets::audit_key(data)?);
    }
    core.audit_checkpoints_file.get_or_insert_with(|| data.path("audit-checkpoints.jsonl"));
    if core.images.link_keys_file.is_none() {
        core.images.link_keys_file = Some(secrets::secret(data, "image-link-keys")?);
    }
    if core.images.bucket.is_none() {
        core.images.folder.get_or_insert_with(|| data.path("images"));
    }
    core.mail.folder.get_or_insert_with(|| data.path("mail"));
    let edge = &mut settings.edge;
    if edge.tls.certificate_file.is_none() && edge.tls.private_key_file.is_none() {
        let made = certificates::for_localhost(data)?;
        edge.tls.certificate_file = Some(made.certificate);
        edge.tls.private_key_file = Some(made.key);
    }
    if edge.upstream.address.is_none() {
        edge.upstream.socket.get_or_insert(socket);
    }
    edge.upstream.assertion_secret_file.get_or_insert(assertion_secret);
    edge.bans_file.get_or_insert_with(|| data.path("bans.json"));
    edge.policy_watch.get_or_insert(PolicyWatch::Files);
    edge.control_socket.get_or_insert_with(|| data.path("control.sock"));
    edge.access_log_file.get_or_insert_with(|| data.path("access.log"));
    if edge.issuers.is_empty() {
        let (issuer, audience) = (core.issuer.clone(), core.audience.clone());
        edge.issuers.push(Issuer::of_the_upstream(issuer, audience));
    }
    Ok(())
}

/// Edge and core, bound and not yet serving.
struct System {
    core_runtime: Runtime,
    edge_runtime: Runtime,
    /// True once a signal asks to stop.
    stop: watch::Receiver<bool>,
    core: Core,
    proxy: Proxy,
    /// Ends with the system.
    mock: Option<PaymentMock>,
}

impl System {
    fn start(
        edge_runtime: Runtime,
        stop: watch::Receiver<bool>,
        mut settings: Settings,
        policy: LoadedPolicy,
        (demo, mock): (&Demo, Option<MockPlan>),
    ) -> anyhow::Result<Self> {
        let core_runtime = runtime("core")?;
        let proxy = Proxy::bind(&settings.edge, policy)?;
        let (core, mock) = core_runtime.block_on(async {
            let mock = match mock {
                Some(mock) => Some(mock.start(&mut settings, proxy.addr().port()).await?),
                None => None,
            };
            let core = Core::start(&settings.core, Clock::system()).await?;
            let accounts = demo.for_the_core();
            // Passwords take seconds. What is not seeded by then, the next start seeds.
            tokio::select! {
                seeded = core.seed_demo(&accounts) => seeded?,
                () = asked(stop.clone()) => {}
            }
            anyhow::Ok((core, mock))
        })?;
        Ok(Self { core_runtime, edge_runtime, stop, core, proxy, mock })
    }

    /// Serves until a signal asks to stop; then the edge drains first, and the core after it.
    fn serve(self, data: &DataDir, demo: &Demo, out: &mut dyn Write) -> anyhow::Result<()> {
        let Self { core_runtime, edge_runtime, stop: edge_stop, core, proxy, mock } = self;
        let ready = Ready::of(data, &proxy, &core, mock.as_ref());
        let readiness = proxy.readiness();
        let (stop_core, core_stop) = watch::channel(false);
        let core = core_runtime.spawn(core.serve(core_stop));
        let edge = edge_runtime.spawn(proxy.serve(edge_stop.clone()));

        let served = edge_runtime.block_on(async {
            if becomes_ready(&readiness, edge_stop.clone()).await {
                demo.write(data, &ready)?;
                ready.write(data)?;
                tour::print(&ready, out)?;
            }
            tokio::select! {
                edge = edge => edge.context("the edge ended")?.context("the edge failed"),
                () = gone(&core) => Err(anyhow::anyhow!("the core ended before the edge")),
            }
        });
        ready::remove(data);
        stop_core.send_replace(true);
        let drained = core_runtime.block_on(core).context("the core ended")?;
        served?;
        drained.context("the core failed")
    }
}

/// Until the edge can serve; false when a signal came first.
async fn becomes_ready(readiness: &Readiness, stop: watch::Receiver<bool>) -> bool {
    tokio::select! {
        biased;
        () = asked(stop) => false,
        () = readiness.until_ready() => true,
    }
}

/// Until a signal asks to stop.
async fn asked(mut stop: watch::Receiver<bool>) {
    // An error says that nobody listens for signals any more, which is a stop, too.
    drop(stop.wait_for(|&stop| stop).await);
}

/// Until a task has ended, leaving its result where it is.
async fn gone<T>(task: &tokio::task::JoinHandle<T>) {
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(100));
    while !task.is_finished() {
        tick.tick().await;
    }
}

fn runtime(name: &str) -> anyhow::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name(name)
        .enable_all()
        .build()
        .context("cannot start threads")
}
