//! One worker: a thread with a runtime, a proxy app and an upstream pool of its own.
//!
//! Nothing crosses from one worker to another but the shared collaborators; all accept from the
//! one listening socket.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use pingora::apps::HttpServerOptions;
use pingora::proxy::{HttpProxy, http_proxy};
use pingora::server::configuration::ServerConf;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;

use super::caps::Caps;
use super::socket::ClientSocket;
use super::stream::ClientStream;
use super::{h1, h2};
use crate::client_addr::ClientAddr;
use crate::edge::Edge;
use crate::metrics::Refused;
use crate::shared::Shared;

/// How long to wait when the system can open no more connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How soon the worker's next timer is always due.
const TIMER_DUE: Duration = Duration::from_secs(1);

/// What every connection of one worker needs.
pub(crate) struct Worker {
    pub(super) shared: Arc<Shared>,
    pub(super) app: Arc<HttpProxy<Edge>>,
    /// True when the edge is stopping.
    pub(super) stop: watch::Receiver<bool>,
    acceptor: TlsAcceptor,
    caps: Arc<Caps>,
}

/// What a worker is made of.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tls: Arc<ServerConfig>,
    pub(crate) caps: Arc<Caps>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Serves until the edge stops, then until every connection has ended or the drain's time is up.
///
/// # Errors
/// When the thread's runtime cannot be made or the socket cannot be watched.
pub(crate) fn run(parts: Parts, listener: StdListener) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let conf = Arc::new(ServerConf { upstream_keepalive_pool_size: 256, ..Default::default() });
        let worker = Arc::new(Worker {
            app: Arc::new(app(&conf, parts.shared.clone())),
            shared: parts.shared,
            stop: parts.stop,
            acceptor: TlsAcceptor::from(parts.tls),
            caps: parts.caps,
        });
        tokio::spawn(keep_a_timer_due());
        worker.accept(listener).await;
        Ok(())
    })
}

/// SECURITY: left to itself, the proxy app answers CONNECT without our headers and records
/// nothing. Told to let it pass, it asks the edge, whose routes never match it.
fn app(conf: &Arc<ServerConf>, shared: Arc<Shared>) -> HttpProxy<Edge> {
    let mut options = HttpServerOptions::default();
    options.allow_connect_method_proxying = true;
    let mut app = http_proxy(conf, Edge::new(shared));
    app.server_options = Some(options);
    app
}

/// While no timer is due sooner than one that is set, tokio wakes its driver with a system call to
/// tell it. Each request sets some, all of them later than this one.
async fn keep_a_timer_due() {
    loop {
        tokio::time::sleep(TIMER_DUE).await;
    }
}

impl Worker {
    /// Until the edge is told to stop.
    pub(super) async fn stopping(&self) {
        let mut stop = self.stop.clone();
        // An error says that whoever could stop the edge is gone, which is a stop too.
        drop(stop.wait_for(|&stop| stop).await);
    }

    async fn accept(self: &Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                biased;
                () = self.stopping() => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((socket, peer)) => {
                        let worker = self.clone();
                        connections.spawn(async move { worker.connection(socket, peer).await });
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        let deadline = Instant::now() + self.shared.limits.drain_timeout;
        while let Ok(Some(_)) = timeout_at(deadline, connections.join_next()).await {}
    }

    async fn connection(self: Arc<Self>, socket: TcpStream, peer: SocketAddr) {
        let place = match self.caps.take(peer.ip()) {
            Ok(place) => place,
            Err(why) => return self.shared.metrics.refused(why),
        };
        // Latency only: a connection without it still works.
        drop(socket.set_nodelay(true));
        let handshake = self.acceptor.accept(ClientSocket::new(socket));
        let tls = match timeout(self.shared.limits.handshake_timeout, handshake).await {
            Ok(Ok(tls)) => tls,
            Ok(Err(_)) => return self.shared.metrics.refused(Refused::Handshake),
            Err(_) => return self.shared.metrics.refused(Refused::HandshakeTimeout),
        };
        let stream = Box::new(ClientStream::new(tls, peer));
        let protocol = if stream.is_http2() { "h2" } else { "h1" };
        self.shared.metrics.connections(protocol, 1);
        if stream.is_http2() {
            h2::serve(&self, stream).await;
        } else {
            h1::serve(&self, stream, ClientAddr::from_socket(Some(peer.ip()))).await;
        }
        self.shared.metrics.connections(protocol, -1);
        drop(place);
    }
}
