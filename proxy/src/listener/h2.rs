//! An HTTP/2 connection: streams to Pingora's proxy app, under our deadlines and caps.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::header;
use pingora::apps::HttpServerApp as _;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{
    H2Accept, H2Options, HttpSession, default_h2_options, handshake,
};
use pingora::protocols::{Digest, GetSocketDigest as _, Stream};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::head::HEAD_BYTES_MAX;
use super::pace::BodyPace;
use super::stream::ClientStream;
use super::worker::Worker;
use crate::journey::{Journey, Step};
use crate::metrics::Refused;
use crate::records::Sent;
use crate::rejection::{Reason, Rejection};

/// Streams one connection may have open at once.
const STREAMS_MAX: u32 = 128;

/// Malformed streams one connection may send before it is closed.
const MALFORMED_MAX: usize = 32;

/// Streams reset by the client that may wait to be noticed (CVE-2023-44487).
const PENDING_RESETS_MAX: usize = 32;

pub(super) async fn serve(worker: &Arc<Worker>, mut stream: Box<ClientStream>) {
    let limits = &worker.shared.limits;
    stream.watch_heads(limits.head_timeout);
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
    let (mut stop, mut stopping) = (pin!(worker.stopping()), false);
    loop {
        let accepted = tokio::select! {
            biased;
            accepted = HttpSession::from_h2_conn(&mut connection, digest.clone()) => accepted,
            () = &mut stop, if !stopping => {
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

fn serve_stream(worker: &Arc<Worker>, mut session: HttpSession, active: &Arc<Active>) {
    let (worker, guard) = (worker.clone(), active.begin());
    let body_timeout = worker.shared.limits.body_timeout;
    let pace = BodyPace::new();
    session.req_header_mut().extensions_mut().insert(pace.clone());
    tokio::spawn(async move {
        if !is_well_formed(&mut session, body_timeout).await {
            // The client hears of it by a reset, as of whatever else HTTP/2 itself refuses.
            return worker.shared.metrics.refused(Refused::Http2);
        }
        let mut session = ServerSession::new_http2(session);
        session.set_write_timeout(Some(body_timeout));
        tokio::select! {
            // Nothing comes back: a stream carries one request.
            _ = worker.app.process_new_http(session, &worker.stop) => {}
            () = pace.stopped(body_timeout) => record_stopped(&worker, &pace),
        }
        drop(guard);
    });
}

/// A stream whose body stopped is reset; its journey went with it.
fn record_stopped(worker: &Worker, pace: &BodyPace) {
    let mut journey = Journey::begin();
    (journey.id, journey.client) = pace.owner().unwrap_or((journey.id, journey.client));
    journey.refuse(Step::Body, Rejection::new(Reason::BodyTimeout));
    let sent = Sent { method: "-", status: 0, bytes: 0, user_agent: None };
    worker.shared.records.record(&journey, sent);
}

/// What RFC 9113 calls malformed and the library lets pass.
async fn is_well_formed(session: &mut HttpSession, body_timeout: Duration) -> bool {
    let head = session.req_header();
    // A scheme has a letter at least (8.3.1; RFC 3986, 3.1), and ours are two.
    let is_ours = |scheme: &str| ["https", "http"].iter().any(|s| scheme.eq_ignore_ascii_case(s));
    if !head.uri.scheme_str().is_none_or(is_ours) {
        return false;
    }
    if head.headers.get(header::CONTENT_LENGTH).is_none_or(|length| length != "0") {
        return true;
    }
    // SECURITY: a body that is announced to be empty may still come (8.1.1). The proxy app would
    // not wait for it, and a malformed request would be forwarded before it is known to be one.
    let ends_empty = async {
        loop {
            match session.read_body_bytes().await {
                Ok(Some(bytes)) if bytes.is_empty() => {}
                Ok(None) => return true,
                Ok(Some(_)) | Err(_) => return false,
            }
        }
    };
    timeout(body_timeout, ends_empty).await.unwrap_or(false)
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
