//! An HTTP/1.1 connection: head by head, each judged as raw bytes before Pingora sees it.

use std::pin::pin;
use std::time::Duration;

use pingora::apps::HttpServerApp as _;
use pingora::protocols::http::ServerSession;
use tokio::io::AsyncWriteExt as _;

use super::head::{self, Framing, Head, HeadDeadlines, NoHead};
use super::stream::ClientStream;
use super::worker::Worker;
use crate::client_addr::ClientAddr;
use crate::journey::{Journey, Step};
use crate::records::Sent;
use crate::rejection::Rejection;

/// A refused request's body up to this size is read and dropped, so that the connection can be
/// used again; a larger one closes it.
const DRAINED_BYTES_MAX: u64 = 64 * 1024;

/// Time for writing the answer to a head that was refused.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) async fn serve(worker: &Worker, mut stream: Box<ClientStream>, client: ClientAddr) {
    let limits = &worker.shared.limits;
    let mut deadlines =
        HeadDeadlines { first_byte: limits.head_timeout, whole: limits.head_timeout };
    let mut stopping = pin!(worker.stopping());
    loop {
        let read = tokio::select! {
            biased;
            read = head::read(&mut stream, deadlines) => read,
            () = &mut stopping => Err(NoHead::Closed),
        };
        let head = match read {
            Ok(head) => head,
            Err(NoHead::Closed) => return stream.close().await,
            Err(NoHead::Refused(rejection)) => {
                return refuse(worker, &mut stream, client, rejection).await;
            }
        };
        let Some(reused) = serve_one(worker, stream, head).await else { return };
        stream = reused;
        deadlines.first_byte = limits.idle_timeout;
    }
}

/// Hands one request to the proxy app; the stream comes back when it can be used again.
async fn serve_one(
    worker: &Worker,
    mut stream: Box<ClientStream>,
    head: Head,
) -> Option<Box<ClientStream>> {
    stream.expect_body(head.framing);
    let mut session = ServerSession::new_http1(stream);
    session.set_close_on_response_before_downstream_finish(!is_drainable(&head));
    session.set_read_timeout(Some(worker.shared.limits.body_timeout));
    session.set_write_timeout(Some(worker.shared.limits.body_timeout));
    session.set_pipelined_prefix(head.bytes);
    let reused = worker.app.process_new_http(session, &worker.stop).await?;
    let (stream, _settings) = reused.consume();
    let stream = stream.into_any().downcast::<ClientStream>().ok()?;
    stream.is_body_read().then_some(stream)
}

fn is_drainable(head: &Head) -> bool {
    match head.framing {
        Framing::None => true,
        Framing::Length(length) => length <= DRAINED_BYTES_MAX && !head.waits,
        Framing::Chunked => false,
    }
}

/// Answers a head that nobody else will see, records it, and closes.
async fn refuse(
    worker: &Worker,
    stream: &mut ClientStream,
    client: ClientAddr,
    rejection: Rejection,
) {
    let mut journey = Journey::begin();
    journey.client = client;
    let answer = worker.shared.respond.raw_refusal(&journey, &rejection);
    let status = rejection.reason.status();
    journey.refuse(Step::Hygiene, rejection);
    // A body may be on its way; it is read to nowhere while the answer is.
    stream.expect_body(Framing::Length(u64::MAX));
    let written = async {
        stream.write_all(&answer).await?;
        stream.flush().await
    };
    let sent = tokio::time::timeout(ANSWER_TIMEOUT, written).await.is_ok_and(|sent| sent.is_ok());
    worker.shared.records.record(
        &journey,
        Sent { method: "-", status: if sent { status } else { 0 }, bytes: 0, user_agent: None },
    );
    stream.close().await;
}
