//! The ops listener: metrics for Prometheus, liveness and readiness for the platform.
//!
//! It needs a registry and a [`Readiness`], and stands on a port of its own that no client of the
//! shop can reach. It never changes anything, and asks nobody who they are: bind it to loopback or
//! to an internal network.
//!
//! A connection carries one request, and may neither dawdle over its header nor outlive its limit.

mod answers;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::Registry;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time;

use self::answers::Answers;
use crate::Readiness;

/// Connections answered at once. Further ones wait in the backlog.
const CONNECTIONS_MAX: usize = 64;

/// How long to leave a listener alone that could not accept, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The longest time a connection may take.
#[derive(Debug, Clone, Copy)]
struct Patience {
    header: Duration,
    connection: Duration,
}

impl Patience {
    const DEFAULT: Self =
        Self { header: Duration::from_secs(5), connection: Duration::from_secs(20) };
}

/// A bound socket, from which `/metrics`, `/livez` and `/readyz` can be served.
#[derive(Debug)]
pub struct OpsListener {
    listener: std::net::TcpListener,
    patience: Patience,
}

impl OpsListener {
    /// Takes the address, before there need be a runtime. Port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// An address that is taken or not ours.
    pub fn bind(addr: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(addr)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, patience: Patience::DEFAULT })
    }

    /// The address that was taken.
    ///
    /// # Errors
    ///
    /// What the system says when it no longer knows the socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `shutdown` is true, or nobody is left who could make it so.
    ///
    /// # Errors
    ///
    /// A socket that the runtime would not take over.
    pub async fn serve(
        self,
        registry: Registry,
        readiness: Readiness,
        mut shutdown: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        let answers = Answers::new(registry, readiness);
        tokio::select! {
            _ = shutdown.wait_for(|ended| *ended) => Ok(()),
            () = accept_forever(&listener, &answers, self.patience) => Ok(()),
        }
    }
}

/// Runs until it is dropped, and ends its connections with itself.
async fn accept_forever(listener: &TcpListener, answers: &Answers, patience: Patience) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    // The semaphore is never closed, so the loop does not end by itself.
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _peer)) = listener.accept().await else {
            time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let answers = answers.clone();
        connections.spawn(async move {
            answer(stream, answers, patience).await;
            drop(slot);
        });
    }
}

async fn answer(stream: TcpStream, answers: Answers, patience: Patience) {
    let service = service_fn(move |request: Request<Incoming>| {
        std::future::ready(answers.to(request.method(), request.uri().path()))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience.header)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    // A peer that leaves early or takes too long is its own loss.
    if let Ok(Err(error)) = time::timeout(patience.connection, connection).await {
        tracing::debug!("an ops connection ended early: {error}");
    }
}

#[cfg(test)]
mod tests;
