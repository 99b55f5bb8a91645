//! Layer: what an answer leaves unread of a request's body is read before the answer is given.
//!
//! Whoever refuses by the head alone leaves the body on its way. Then hyper closes the
//! connection after the answer, unannounced, and the edge may have sent its next request on it.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes, HttpBody as _};
use axum::extract::Request;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Response};
use axum::middleware::Next;
use futures::stream::{Fuse, Stream as _, StreamExt as _, poll_fn};
use tokio::time::timeout;

use super::image_form::FORM_BYTES_MAX;

/// Longest time to read what is left. A client may be slow; the answer is not.
const DRAIN_MAX: Duration = Duration::from_secs(2);

/// A body that is lent to a handler.
#[derive(Debug, Clone)]
struct Lent(Arc<Mutex<Fuse<BodyDataStream>>>);

/// Answers when the body has been read, too. One that goes on too long, or comes too slowly,
/// costs the connection.
pub(super) async fn read_out(request: Request, next: Next) -> Response<Body> {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let lent = Lent(Arc::new(Mutex::new(body.into_data_stream().fuse())));
    let body = Body::from_stream(lent.clone().stream());
    let mut response = next.run(Request::from_parts(head, body)).await;
    let drained = timeout(DRAIN_MAX, lent.drain()).await;
    if !matches!(drained, Ok(Some(()))) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Lent {
    /// What has not been read yet.
    fn stream(self) -> impl futures::Stream<Item = Result<Bytes, axum::Error>> {
        poll_fn(move |context| self.poll(context))
    }

    fn poll(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        // Nobody panics while holding it, and a body is none the worse for that.
        let mut body = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Pin::new(&mut *body).poll_next(context)
    }

    /// Reads the rest; `None` when it is too long or broken.
    async fn drain(self) -> Option<()> {
        let mut bytes_left = FORM_BYTES_MAX;
        let mut rest = self.stream();
        while let Some(bytes) = rest.next().await {
            bytes_left = bytes_left.checked_sub(bytes.ok()?.len())?;
        }
        Some(())
    }
}
