//! Load: connections that are kept open, each waiting for an answer before it asks again.
//!
//! Every answer's status is checked, so a proxy that fails cannot look fast.

mod http1;
mod http2;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Streams that share one HTTP/2 connection.
const STREAMS_PER_CONNECTION: usize = 8;

/// Longest time for one round of requests.
const ROUND_TIMEOUT: Duration = Duration::from_secs(180);

/// Longest time for one connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What clients speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// Its name in TLS.
    pub(crate) fn alpn(self) -> &'static [u8] {
        match self {
            Self::Http1 => b"http/1.1",
            Self::Http2 => b"h2",
        }
    }
}

/// A request, and the answers it may get.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) path: &'static str,
    pub(crate) token: Option<String>,
    pub(crate) statuses: &'static [u16],
}

/// Clients with open connections, each asking the same.
pub(crate) enum Clients {
    Http1(Vec<http1::Client>),
    Http2(Vec<http2::Client>),
}

impl Clients {
    /// Opens connections for `count` requests at once.
    pub(crate) async fn connect(
        addr: SocketAddr,
        (protocol, tls): (Protocol, &Arc<ClientConfig>),
        count: usize,
        ask: &Ask,
    ) -> anyhow::Result<Self> {
        let mut http1 = Vec::new();
        let mut http2 = Vec::new();
        match protocol {
            Protocol::Http1 => {
                for _ in 0..count {
                    http1.push(http1::Client::new(open(addr, tls).await?, ask));
                }
                Ok(Self::Http1(http1))
            }
            Protocol::Http2 => {
                while http2.len() < count {
                    let streams = STREAMS_PER_CONNECTION.min(count - http2.len());
                    http2.extend(http2::connect(open(addr, tls).await?, streams, ask).await?);
                }
                Ok(Self::Http2(http2))
            }
        }
    }

    /// Sends at least `requests` requests, shared evenly; says how many there were.
    pub(crate) async fn send(&mut self, requests: usize) -> anyhow::Result<usize> {
        let each = requests.div_ceil(self.count());
        let sent = each * self.count();
        let round = async {
            match self {
                Self::Http1(clients) => {
                    let mut tasks = JoinSet::new();
                    for client in clients.drain(..) {
                        tasks.spawn(client.send(each));
                    }
                    *clients = all(tasks).await?;
                }
                Self::Http2(clients) => {
                    let mut tasks = JoinSet::new();
                    for client in clients.drain(..) {
                        tasks.spawn(client.send(each));
                    }
                    *clients = all(tasks).await?;
                }
            }
            anyhow::Ok(sent)
        };
        timeout(ROUND_TIMEOUT, round).await.context("the round took too long")?
    }

    fn count(&self) -> usize {
        match self {
            Self::Http1(clients) => clients.len(),
            Self::Http2(clients) => clients.len(),
        }
    }
}

async fn all<T: 'static>(mut tasks: JoinSet<anyhow::Result<T>>) -> anyhow::Result<Vec<T>> {
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(task) = tasks.join_next().await {
        done.push(task??);
    }
    Ok(done)
}

async fn open(
    addr: SocketAddr,
    tls: &Arc<ClientConfig>,
) -> anyhow::Result<Box<TlsStream<TcpStream>>> {
    let opened = async {
        let socket = TcpStream::connect(addr).await?;
        socket.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        anyhow::Ok(TlsConnector::from(tls.clone()).connect(name, socket).await?)
    };
    Ok(Box::new(timeout(CONNECT_TIMEOUT, opened).await.context("no connection in time")??))
}
