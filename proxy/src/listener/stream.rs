//! A client's TLS connection as Pingora's proxy app sees it.
//!
//! Reads pass the [`Fence`] of the current request. Small writes are gathered until a flush, so
//! that a head and its body leave in one TLS record. No buffer is held while nothing waits.

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Buf as _, BytesMut};
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    TimingDigest, UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio_rustls::server::TlsStream;

use super::fence::Fence;
use super::h2_heads::HeadWatch;
use super::head::Framing;
use super::socket::ClientSocket;

/// Bytes taken from TLS at once.
const READ_BYTES: usize = 8 * 1024;

/// Bytes gathered before they are sent without a flush: one TLS record.
const GATHER_BYTES: usize = 16 * 1024;

/// How long a closing connection is read on, so that its last answer is not lost to a reset.
const LINGER: Duration = Duration::from_secs(1);

/// Most bytes read and thrown away while lingering.
const LINGER_BYTES_MAX: usize = 256 * 1024;

#[derive(Debug)]
pub(super) struct ClientStream {
    tls: TlsStream<ClientSocket>,
    socket: Arc<SocketDigest>,
    id: UniqueIDType,
    fence: Fence,
    unread: BytesMut,
    gathered: BytesMut,
    /// For HTTP/2.
    heads: Option<HeadWatch>,
}

impl ClientStream {
    pub(super) fn new(tls: TlsStream<ClientSocket>, peer: SocketAddr) -> Self {
        use std::os::fd::AsRawFd as _;
        let id = tls.get_ref().0.as_raw_fd();
        let socket = SocketDigest::from_raw_fd(id);
        // A new cell takes its first value.
        drop(socket.peer_addr.set(Some(pingora::protocols::l4::socket::SocketAddr::Inet(peer))));
        Self {
            tls,
            socket: Arc::new(socket),
            id,
            fence: Fence::Open,
            unread: BytesMut::new(),
            gathered: BytesMut::new(),
            heads: None,
        }
    }

    /// From here on, reads are HTTP/2 frames, whose heads must each arrive within this time.
    pub(super) fn watch_heads(&mut self, whole: Duration) {
        self.heads = Some(HeadWatch::new(whole));
    }

    /// Whether HTTP/2 was agreed on.
    pub(super) fn is_http2(&self) -> bool {
        self.tls.get_ref().1.alpn_protocol() == Some(b"h2")
    }

    /// Bytes that arrived and were handed to nobody.
    pub(super) fn unread(&self) -> &[u8] {
        &self.unread
    }

    pub(super) fn unread_mut(&mut self) -> &mut BytesMut {
        &mut self.unread
    }

    /// From here on, reads are the body of one request.
    pub(super) fn expect_body(&mut self, framing: Framing) {
        self.fence = Fence::around(framing);
    }

    /// Whether the current request's body was read to its end.
    pub(super) fn is_body_read(&self) -> bool {
        self.fence == Fence::Done
    }

    /// Reads more into [`unread`](Self::unread); 0 is the end.
    pub(super) async fn fill(&mut self) -> io::Result<usize> {
        std::future::poll_fn(|cx| self.poll_fill(cx)).await
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        // Not zeroed: this is polled several times a request, mostly for nothing.
        let mut space = [MaybeUninit::uninit(); READ_BYTES];
        let mut buf = ReadBuf::uninit(&mut space);
        ready!(Pin::new(&mut self.tls).poll_read(cx, &mut buf))?;
        self.unread.extend_from_slice(buf.filled());
        Poll::Ready(Ok(buf.filled().len()))
    }

    /// HTTP/2 frames, as long as no head among them takes too long.
    fn poll_frames(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.tls).poll_read(cx, buf);
        if let Some(heads) = &mut self.heads {
            heads.saw(buf.filled().get(before..).unwrap_or_default());
            if heads.is_overdue(cx) {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
        }
        read
    }

    /// A body's bytes, and not one more.
    fn poll_fenced(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.unread.is_empty() && ready!(self.poll_fill(cx))? == 0 {
            return Poll::Ready(Ok(()));
        }
        let wanted = buf.remaining().min(self.unread.len());
        let offered = self.unread.get(..wanted).unwrap_or_default();
        let passed = self
            .fence
            .pass(offered)
            .map_err(|malformed| io::Error::new(io::ErrorKind::InvalidData, malformed))?;
        buf.put_slice(offered.get(..passed).unwrap_or_default());
        self.unread.advance(passed);
        self.release();
        Poll::Ready(Ok(()))
    }

    /// After the body: the proxy app may learn that the client left, and nothing else.
    fn poll_left(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.unread.is_empty() || ready!(self.poll_fill(cx))? > 0 {
            // The next request waits until this one is answered. No waker is needed: whoever
            // polls this also waits for the upstream.
            return Poll::Pending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_send_gathered(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.gathered.is_empty() {
            let sent = ready!(Pin::new(&mut self.tls).poll_write(cx, &self.gathered))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.gathered.advance(sent);
        }
        self.gathered = BytesMut::new();
        Poll::Ready(Ok(()))
    }

    /// Gives the read buffer back when nothing is in it.
    fn release(&mut self) {
        if self.unread.is_empty() {
            self.unread = BytesMut::new();
        }
    }
}

impl AsyncRead for ClientStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.fence {
            Fence::Open => this.poll_frames(cx, buf),
            Fence::Done => this.poll_left(cx),
            Fence::Length(_) | Fence::Chunked(_) => this.poll_fenced(cx, buf),
        }
    }
}

impl AsyncWrite for ClientStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.gathered.len() + bytes.len() > GATHER_BYTES {
            ready!(this.poll_send_gathered(cx))?;
            if bytes.len() > GATHER_BYTES {
                return Pin::new(&mut this.tls).poll_write(cx, bytes);
            }
        }
        this.gathered.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send_gathered(cx))?;
        Pin::new(&mut this.tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send_gathered(cx))?;
        Pin::new(&mut this.tls).poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for ClientStream {
    async fn shutdown(&mut self) {
        self.close().await;
    }
}

impl ClientStream {
    /// Says goodbye, and reads on for a moment when the client is still sending: closing a
    /// socket with unread bytes resets it, and the client may lose the answer.
    pub(super) async fn close(&mut self) {
        let farewell = AsyncWriteExt::shutdown(self);
        let said = matches!(tokio::time::timeout(LINGER, farewell).await, Ok(Ok(())));
        if !said || self.is_body_read() {
            return;
        }
        let discard = async {
            let (mut sink, mut total) = ([0; 4096], 0);
            while total < LINGER_BYTES_MAX {
                match self.tls.read(&mut sink).await {
                    Ok(read) if read > 0 => total += read,
                    Ok(_) | Err(_) => return,
                }
            }
        };
        // The time is up, or the client has closed: either way we are done.
        drop(tokio::time::timeout(LINGER, discard).await);
    }
}

impl UniqueID for ClientStream {
    fn id(&self) -> UniqueIDType {
        self.id
    }
}

impl GetSocketDigest for ClientStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(self.socket.clone())
    }
}

impl GetTimingDigest for ClientStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for ClientStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl Ssl for ClientStream {}

impl Peek for ClientStream {}
