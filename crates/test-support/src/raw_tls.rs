//! A client that sends exactly these bytes, inside TLS.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Version;
use hyper::header::{HeaderName, HeaderValue};
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::interval;
use tokio_rustls::client::TlsStream;

use crate::client::Answer;
use crate::deadline::soon;
use crate::door::Door;

/// A TLS connection, byte by byte.
#[derive(Debug)]
pub struct RawTls {
    stream: TlsStream<TcpStream>,
    /// Bytes that have arrived and belong to no response yet.
    unread: Vec<u8>,
}

/// How the other side ended a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// In good order: TLS said goodbye.
    Closed,
    /// The socket closed without a goodbye.
    CutOff,
    /// The socket was reset: bytes on the way may be lost.
    Reset,
}

impl RawTls {
    /// Connects and offers one protocol by ALPN.
    ///
    /// # Errors
    /// When nobody listens, or the handshake fails.
    pub async fn connect(door: &Door, alpn: &str) -> io::Result<Self> {
        Self::connect_from(door, alpn, None).await
    }

    /// As [`connect`](Self::connect), from an address of ours.
    ///
    /// # Errors
    /// When nobody listens, or the handshake fails.
    pub async fn connect_from(door: &Door, alpn: &str, from: Option<IpAddr>) -> io::Result<Self> {
        let config = Arc::new(door.tls(&[&TLS13, &TLS12], &[alpn]));
        let stream = soon("a TLS handshake", door.shake_hands(config, from)).await?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Connects to speak HTTP/1.1.
    ///
    /// # Panics
    /// When it cannot.
    pub async fn http1(door: &Door) -> Self {
        Self::connect(door, "http/1.1").await.unwrap()
    }

    /// Sends bytes, and fails if the other side has closed.
    ///
    /// # Errors
    /// When the other side takes no more.
    pub async fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let send = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        soon("the other side to take bytes", send).await
    }

    /// Sends bytes.
    ///
    /// # Panics
    /// When the other side takes no more.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.try_send(bytes.as_ref()).await.unwrap();
    }

    /// Sends bytes one at a time, at a pace, for as long as the other side takes them.
    pub async fn trickle(&mut self, bytes: impl AsRef<[u8]>, every: Duration) {
        let mut tick = interval(every);
        for byte in bytes.as_ref() {
            tick.tick().await;
            if self.try_send(&[*byte]).await.is_err() {
                return;
            }
        }
    }

    /// Says that nothing more will be sent; what comes back can still be read.
    pub async fn half_close(&mut self) {
        // The other side may have closed already, which is as good.
        drop(self.stream.shutdown().await);
    }

    /// Everything until the other side ends the connection, and how it does.
    pub async fn read_to_end(&mut self) -> (Vec<u8>, Ending) {
        let ending = soon("the end of the connection", async {
            loop {
                match self.read_some().await {
                    Ok(0) => return Ending::Closed,
                    Ok(_) => {}
                    Err(error) => match error.kind() {
                        io::ErrorKind::UnexpectedEof => return Ending::CutOff,
                        _ => return Ending::Reset,
                    },
                }
            }
        });
        let ending = ending.await;
        (std::mem::take(&mut self.unread), ending)
    }

    /// The next bytes of any kind; 0 is the end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn read_some(&mut self) -> io::Result<usize> {
        self.stream.read_buf(&mut self.unread).await
    }

    /// Bytes that have arrived and were not taken.
    pub fn take_unread(&mut self, count: usize) -> Option<Vec<u8>> {
        (self.unread.len() >= count).then(|| self.unread.drain(..count).collect())
    }

    /// One whole response to anything but HEAD. A body without a length lasts to the end.
    ///
    /// # Panics
    /// When none comes.
    pub async fn response(&mut self) -> Answer {
        let mut response = self.response_head().await;
        let length = response.header("content-length").map(|length| length.parse().unwrap());
        if response.status < 200 || response.status == 204 || response.status == 304 {
            return response;
        }
        let body = match length {
            Some(length) => self.exactly(length).await,
            None if response.header("transfer-encoding").is_some() => self.chunks().await,
            None => self.read_to_end().await.0,
        };
        response.body = body.into();
        response
    }

    /// The head of a response alone, as HEAD is answered.
    ///
    /// # Panics
    /// When none comes.
    pub async fn response_head(&mut self) -> Answer {
        let head = self.through(b"\r\n\r\n").await;
        parse_head(&String::from_utf8(head).unwrap())
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let line = String::from_utf8(self.through(b"\r\n").await).unwrap();
            let size = usize::from_str_radix(line.trim_end(), 16).unwrap();
            body.extend(self.exactly(size).await);
            assert_eq!(self.exactly(2).await, b"\r\n");
            if size == 0 {
                return body;
            }
        }
    }

    async fn exactly(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            self.more().await;
        }
        self.unread.drain(..count).collect()
    }

    async fn through(&mut self, end: &[u8]) -> Vec<u8> {
        loop {
            let found = self.unread.windows(end.len()).position(|window| window == end);
            if let Some(at) = found {
                return self.unread.drain(..at + end.len()).collect();
            }
            self.more().await;
        }
    }

    async fn more(&mut self) {
        let read = soon("more of a response", self.read_some()).await;
        let seen = String::from_utf8_lossy(&self.unread);
        assert!(matches!(read, Ok(1..)), "the connection ended ({read:?}) after `{seen}`");
    }
}

fn parse_head(head: &str) -> Answer {
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next().unwrap();
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    let status = status.unwrap_or_else(|| panic!("`{line}` is no status line")).parse().unwrap();
    let field = |line: &str| -> (HeaderName, HeaderValue) {
        let (name, value) = line.split_once(':').unwrap();
        (name.parse().unwrap(), value.trim().parse().unwrap())
    };
    let headers = lines.map(field).collect();
    Answer { status, version: Version::HTTP_11, headers, body: Bytes::new() }
}
