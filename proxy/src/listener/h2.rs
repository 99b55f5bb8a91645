//! An HTTP/2 connection: streams to Pingora's proxy app, under our deadlines and caps.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pingora::apps::HttpServerApp as _;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{
    H2Accept, H2Options, HttpSession, default_h2_options, handshake,
};
use pingora::protocols::{Digest, GetSocketDigest as _, Stream};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::head::HEAD_BYTES_MAX;
use super::stream::ClientStream;
use super::worker::Worker;
use crate::metrics::Refused;

/// Streams one connection may have open at once.
const STREAMS_MAX: u32 = 128;

/// Malformed streams one connection may send before it is closed.
const MALFORMED_MAX: usize = 32;

/// Streams reset by the client that may wait to be noticed (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 32;

pub(super) async fn serve(worker: &Arc<Worker>, stream: Box<ClientStream>) {
    let limits = &worker.shared.limits;
    let digest =
        Arc::new(Digest { socket_digest: stream.get_socket_digest(), ..Digest::default() });
    let stream: Stream = stream;
    let handshake = timeout(limits.handshake_timeout, handshake(stream, Some(options())));
    let Ok(Ok(mut connection)) = handshake.await else {
        worker.shared.metrics.refused(Refused::Http2);
        return;
    };
    let active = Arc::new(Active::default());
    let mut malformed = 0;
    let mut stopping = false;
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = HttpSession::from_h2_conn(&mut connection, digest.clone()) => accepted,
            () = worker.stopping(), if !stopping => {
                stopping = true;
                connection.graceful_shutdown();
                continue;
            }
            _ = timeout(limits.idle_timeout, std::future::pending::<()>()), if active.is_idle() => {
                return;
            }
            () = active.ended(), if !active.is_idle() => continue,
        };
        match accepted {
            Ok(Some(H2Accept::Session(session))) => serve_stream(worker, session, &active),
            Ok(Some(H2Accept::Rejected)) => {
                malformed += 1;
                worker.shared.metrics.refused(Refused::Http2);
                if malformed >= MALFORMED_MAX {
                    return;
                }
            }
            Ok(None) | Err(_) => return,
        }
    }
}

fn serve_stream(worker: &Arc<Worker>, session: HttpSession, active: &Arc<Active>) {
    let (worker, guard) = (worker.clone(), active.begin());
    let timeout = Some(worker.shared.limits.body_timeout);
    tokio::spawn(async move {
        let mut session = ServerSession::new_http2(session);
        session.set_write_timeout(timeout);
        // Nothing comes back: a stream carries one request.
        drop(worker.app.process_new_http(session, &worker.stop).await);
        drop(guard);
    });
}

fn options() -> H2Options {
    let mut options = default_h2_options();
    options.max_header_list_size(u32::try_from(HEAD_BYTES_MAX).unwrap_or(u32::MAX));
    options.max_concurrent_streams(STREAMS_MAX);
    options.max_pending_accept_reset_streams(PENDING_RESETS_MAX);
    options
}

/// Streams being served on one connection.
#[derive(Debug, Default)]
struct Active {
    count: AtomicUsize,
    ended: Notify,
}

struct ActiveGuard(Arc<Active>);

impl Active {
    fn begin(self: &Arc<Self>) -> ActiveGuard {
        self.count.fetch_add(1, Ordering::Relaxed);
        ActiveGuard(self.clone())
    }

    fn is_idle(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Until the last stream ends.
    async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl Drop for ActiveGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.ended.notify_one();
        }
    }
}
