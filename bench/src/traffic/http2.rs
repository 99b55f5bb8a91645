//! HTTP/2 clients: streams of hyper's, several to a connection.

use anyhow::ensure;
use bytes::Bytes;
use http::Request;
use http::header::{ACCEPT, AUTHORIZATION, USER_AGENT};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Ask;

/// One stream at a time, on a connection shared with others.
pub(crate) struct Client {
    connection: SendRequest<Empty<Bytes>>,
    request: Request<Empty<Bytes>>,
    statuses: &'static [u16],
}

/// Makes a connection into `streams` clients.
pub(super) async fn connect(
    stream: Box<TlsStream<TcpStream>>,
    streams: usize,
    ask: &Ask,
) -> anyhow::Result<Vec<Client>> {
    let (connection, driver) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
    // A connection that fails shows in its requests.
    tokio::spawn(async move { drop(driver.await) });
    let mut request = Request::get(format!("https://localhost{}", ask.path))
        .header(USER_AGENT, "stockade-bench")
        .header(ACCEPT, "application/json");
    if let Some(token) = &ask.token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::new())?;
    let client = Client { connection, request, statuses: ask.statuses };
    Ok((0..streams).map(|_| client.clone()).collect())
}

impl Clone for Client {
    fn clone(&self) -> Self {
        Self {
            connection: self.connection.clone(),
            request: self.request.clone(),
            statuses: self.statuses,
        }
    }
}

impl Client {
    pub(super) async fn send(mut self, count: usize) -> anyhow::Result<Self> {
        for _ in 0..count {
            let answer = self.connection.send_request(self.request.clone()).await?;
            let status = answer.status().as_u16();
            answer.into_body().collect().await?;
            ensure!(self.statuses.contains(&status), "unexpected: {status}");
        }
        Ok(self)
    }
}
