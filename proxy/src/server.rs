//! The edge as a whole: bound all at once or not at all, served until told to stop.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;

use ipnetwork::IpNetwork;
use prometheus::Registry;
use rustls::ServerConfig;
use stockade_audit::RecordLog;
use stockade_settings::EdgeSettings;
use stockade_telemetry::Readiness;
use stockade_telemetry::ops::OpsListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::bans::Bans;
use crate::client_addr::TrustedProxies;
use crate::config::{self, ConfigError, ConnectionLimits};
use crate::control::{self, Desk};
use crate::crypto;
use crate::fit::{self, UnfitPolicy};
use crate::issuers::{IssuerError, Issuers};
use crate::key_refresh;
use crate::limits::{Limiter, Quota};
use crate::listener::caps::Caps;
use crate::listener::worker::{self, Parts};
use crate::live_policy::{InForce, LivePolicy};
use crate::metrics::EdgeMetrics;
use crate::policy_folder::LoadedPolicy;
use crate::policy_keeper::{self, Origin};
use crate::records::{self, Records};
use crate::respond::Respond;
use crate::response_headers;
use crate::revocations::Revocations;
use crate::shared::Shared;
use crate::tls::{self, TlsError};
use crate::token::TokenVerifier;
use crate::token::keys::IssuerKeys;
use crate::upstream::Upstream;

/// Why the edge does not start. One line each, naming the setting or file and the way out.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be listened on.
    #[error("cannot listen on {address} (`{setting}`): {source}; is it in use? choose another")]
    Bind {
        /// The setting that names the address.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A setting does not make sense.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// TLS cannot be served.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The decision records cannot be written.
    #[error("cannot write `{}` (`edge.access_log_file`): {source}", .path.display())]
    Records {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// An issuer cannot be believed as it is set.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The bans of an earlier run cannot be taken up.
    #[error("cannot use `{}` (`edge.bans_file`): {source}; mend or remove it", .path.display())]
    Bans {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Commands cannot be taken.
    #[error("cannot listen on `{}` (`edge.control_socket`): {source}", .path.display())]
    Control {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The policy is not fit for this edge.
    #[error(transparent)]
    Policy(#[from] UnfitPolicy),
    /// Two metrics have one name.
    #[error("cannot register the metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// A bound edge, not yet serving.
#[derive(Debug)]
pub struct Proxy {
    listener: TcpListener,
    ops: OpsListener,
    control: Option<UnixListener>,
    origin: Origin,
    addr: SocketAddr,
    ops_addr: SocketAddr,
    workers: NonZeroUsize,
    tls: Arc<ServerConfig>,
    caps: Arc<Caps>,
    shared: Arc<Shared>,
    registry: Registry,
    readiness: Readiness,
    fetched_issuers: Vec<Arc<IssuerKeys>>,
    records: (Arc<RecordLog>, RecordSink),
}

/// Where decision records are written.
struct RecordSink(Box<dyn Write + Send>);

impl std::fmt::Debug for RecordSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecordSink")
    }
}

impl Proxy {
    /// Binds both listeners and checks every setting; nothing serves yet, and on an error
    /// nothing is left behind.
    ///
    /// # Errors
    /// [`StartError`].
    pub fn bind(settings: &EdgeSettings, policy: LoadedPolicy) -> Result<Self, StartError> {
        let tls = tls::server_config(&settings.tls, crypto::install())?;
        let address = config::upstream_address(&settings.upstream)?;
        let keys = config::keyring(&settings.upstream)?;
        let upstream = Upstream::new(&settings.upstream, address, keys)?;
        let Issuers { all: issuers, fetched: fetched_issuers } = Issuers::load(&settings.issuers)?;
        let registry = Registry::new();
        let metrics = Arc::new(EdgeMetrics::register(&registry)?);
        let proxies = config::networks("edge.trusted_proxies", &settings.trusted_proxies)?;
        fit::check(&policy.bundle, &proxies)?;
        let bans = Arc::new(load_bans(settings, &proxies)?);
        let LoadedPolicy { folder, bundle, signature } = policy;
        let origin = Origin { folder, signature, watch: settings.policy_watch.unwrap_or_default() };
        let policy = InForce::new(bundle);
        metrics.policy.in_force(&policy.hash, None);
        // Whoever gives the edge its keys tells it what they are not to be believed for.
        let revocations = match fetched_issuers.as_slice() {
            [] => Revocations::none(),
            _ => Revocations::to_follow(),
        };
        let revocations = Arc::new(revocations);
        let sink = record_sink(settings)?;
        let log = Arc::new(RecordLog::default());
        let shared = Arc::new(Shared {
            policy: LivePolicy::new(policy),
            tokens: TokenVerifier::new(issuers, revocations.clone()),
            revocations,
            proxies: TrustedProxies::new(proxies, settings.forwarded_header),
            bans,
            limiter: Limiter::new(),
            failure_quota: Quota::of_failures(&settings.authentication),
            upstream,
            respond: Respond::new(response_headers::hsts(settings.hsts_preload)),
            records: Records::new(log.clone(), metrics.clone()),
            metrics,
            limits: ConnectionLimits::from_settings(&settings.connections),
        });
        let (listener, addr) = bind(settings.listen)?;
        let (ops, ops_addr) = bind_ops(settings.ops_listen)?;
        let control = bind_control(settings)?;
        let connections = &settings.connections;
        Ok(Self {
            control,
            origin,
            listener,
            ops,
            addr,
            ops_addr,
            workers: settings.workers.unwrap_or_else(one_for_each_processor),
            tls,
            caps: Caps::new(connections.max.get(), connections.per_address_max.get()),
            shared,
            registry,
            readiness: Readiness::new(),
            fetched_issuers,
            records: (log, sink),
        })
    }

    /// Where HTTPS is served.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where metrics and probes are served.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops_addr
    }

    /// Turns ready when requests can be served.
    pub fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Serves until `stop` is true; then requests in flight are finished, within the drain's
    /// time, and the last records are written.
    ///
    /// # Errors
    /// When the system gives no threads, or a worker ends before it is told to.
    pub async fn serve(self, stop: watch::Receiver<bool>) -> io::Result<()> {
        let (drained, after_drain) = watch::channel(false);
        let metrics = self.shared.metrics.clone();
        let (log, sink) = self.records;
        let flusher =
            tokio::spawn(records::flush(log, sink.0, metrics.clone(), after_drain.clone()));
        let ops = self.ops.serve(self.registry, self.readiness.clone(), after_drain);
        let ops = tokio::spawn(ops);
        let policy = policy_keeper::start(self.shared.clone(), self.origin, stop.clone())?;
        if let Some(listener) = self.control {
            let desk = Desk { bans: self.shared.bans.clone(), policy };
            tokio::spawn(control::serve(listener, desk, stop.clone()));
        }
        let keys = if self.fetched_issuers.is_empty() {
            self.readiness.ready();
            None
        } else {
            let (shared, issuers) = (self.shared.clone(), self.fetched_issuers);
            let follow = follow_upstream(shared, issuers, self.readiness.clone(), stop.clone());
            Some(tokio::spawn(follow))
        };
        let parts =
            Parts { shared: self.shared, tls: self.tls, caps: self.caps, stop: stop.clone() };
        let mut workers = start_workers(self.workers, &parts, &self.listener)?;
        drop(self.listener);

        let mut stop = stop;
        let a_worker_ended = tokio::select! {
            // An error says that whoever could stop the edge is gone, which is a stop too.
            _ = stop.wait_for(|&stop| stop) => false,
            _ = workers.join_next() => true,
        };
        // A worker may have heard of the stop before this did. An edge that serves with fewer
        // workers than it should must not seem well.
        if a_worker_ended && !*stop.borrow() {
            self.readiness.not_ready("a worker ended");
            return Err(io::Error::other("a worker ended; its own message tells why"));
        }
        self.readiness.not_ready("stopping");
        while workers.join_next().await.is_some() {}
        drained.send_replace(true);
        // These tasks end with the drain; how they ended changes nothing any more.
        drop(flusher.await);
        drop(ops.await);
        if let Some(keys) = keys {
            drop(keys.await);
        }
        Ok(())
    }
}

/// Follows what the upstream revokes and by which keys it signs. The edge is ready once it holds
/// both: keys without revocations would believe too much.
async fn follow_upstream(
    shared: Arc<Shared>,
    issuers: Vec<Arc<IssuerKeys>>,
    readiness: Readiness,
    stop: watch::Receiver<bool>,
) {
    let (heard, mut on_heard) = watch::channel(false);
    let (upstream, metrics) = (shared.upstream.clone(), shared.metrics.clone());
    let revocations = shared.revocations.follow(&upstream, &metrics, heard, stop.clone());
    let keys = async {
        // An error says that the edge stops, which the keys' own loop hears of as well.
        drop(on_heard.wait_for(|&heard| heard).await);
        key_refresh::run(upstream.clone(), issuers, metrics.clone(), readiness, stop).await;
    };
    tokio::join!(revocations, keys);
}

/// Starts the workers' threads; each task ends when its thread has, in whatever way.
fn start_workers(
    count: NonZeroUsize,
    parts: &Parts,
    listener: &TcpListener,
) -> io::Result<JoinSet<()>> {
    let mut workers = JoinSet::new();
    for number in 0..count.get() {
        let (parts, listener) = (parts.clone(), listener.try_clone()?);
        let (ended, on_end) = oneshot::channel::<()>();
        std::thread::Builder::new().name(format!("edge-{number}")).spawn(move || {
            if let Err(error) = worker::run(parts, listener) {
                tracing::error!(%error, "a worker could not serve");
            }
            // Dropped by a panic as well.
            drop(ended);
        })?;
        workers.spawn(async move { drop(on_end.await) });
    }
    Ok(workers)
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { setting: "edge.listen", address, source };
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let addr = listener.local_addr().map_err(failed)?;
    Ok((listener, addr))
}

fn bind_ops(address: SocketAddr) -> Result<(OpsListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { setting: "edge.ops_listen", address, source };
    let ops = OpsListener::bind(address).map_err(failed)?;
    let addr = ops.local_addr().map_err(failed)?;
    Ok((ops, addr))
}

fn load_bans(settings: &EdgeSettings, proxies: &[IpNetwork]) -> Result<Bans, StartError> {
    let mut protected = config::networks("edge.never_ban", &settings.never_ban)?;
    protected.extend_from_slice(proxies);
    let path = settings.bans_file.clone();
    Bans::load(path.clone(), protected)
        .map_err(|source| StartError::Bans { path: path.unwrap_or_default(), source })
}

fn bind_control(settings: &EdgeSettings) -> Result<Option<UnixListener>, StartError> {
    let Some(path) = &settings.control_socket else { return Ok(None) };
    match control::bind(path) {
        Ok(listener) => Ok(Some(listener)),
        Err(source) => Err(StartError::Control { path: path.clone(), source }),
    }
}

fn record_sink(settings: &EdgeSettings) -> Result<RecordSink, StartError> {
    match &settings.access_log_file {
        None => Ok(RecordSink(Box::new(io::stdout()))),
        Some(path) => match records::open(path) {
            Ok(file) => Ok(RecordSink(Box::new(file))),
            Err(source) => Err(StartError::Records { path: path.clone(), source }),
        },
    }
}

fn one_for_each_processor() -> NonZeroUsize {
    std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
