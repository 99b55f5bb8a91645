//! A payment provider for development and tests: Stripe's API in small, over loopback HTTP.
//!
//! It moves no money. Its books are in memory, bounded, and gone when it ends. A payment is
//! made at its `confirm`, as a browser would with the client secret: any card pays but
//! `pm_card_chargeDeclined`. What happens is told by signed webhooks and listed under
//! `/v1/events`.

mod books;
mod courier;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::{fmt, io};

use axum::Json;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path as PathOf, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

use self::books::{Books, Declined, Form};
use self::courier::Courier;
use super::signature::WebhookSecret;
use super::wire::{Base, Wire};
use crate::clock::Clock;

/// Longest form read, in bytes.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// A mock that listens. It ends when dropped.
#[derive(Debug)]
pub struct PaymentMock {
    addr: SocketAddr,
    desk: Arc<Desk>,
    tasks: JoinSet<()>,
}

/// What the mock's handlers share.
struct Desk {
    books: Mutex<Books>,
    secret_key: Zeroizing<String>,
    clock: Clock,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk(..)")
    }
}

/// Why the mock cannot run.
#[derive(Debug, thiserror::Error)]
#[error("the payment mock: {0}")]
pub struct MockError(String);

impl PaymentMock {
    /// Listens on a loopback address and answers whoever shows the secret key.
    ///
    /// # Errors
    /// [`MockError`] when it cannot listen there.
    pub async fn start(
        listen: SocketAddr,
        secret_key: String,
        clock: Clock,
    ) -> Result<Self, MockError> {
        let failed = |error: io::Error| MockError(format!("cannot listen on {listen}: {error}"));
        if !listen.ip().is_loopback() {
            return Err(MockError(format!("{listen} is not a loopback address")));
        }
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        let secret_key = Zeroizing::new(secret_key);
        let desk = Arc::new(Desk { books: Mutex::default(), secret_key, clock });
        let serving = axum::serve(listener, router(Arc::clone(&desk)));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the payment mock failed");
            }
        });
        Ok(Self { addr, desk, tasks })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Tells every event from now on to a webhook, signed with this secret. `authority` is the
    /// file of whoever signed the webhook's certificate.
    ///
    /// # Errors
    /// [`MockError`] when the address, the authority or the secret is not one that can be used.
    pub fn tell(
        &mut self,
        webhook: &str,
        authority: &Path,
        secret: &[u8],
    ) -> Result<(), MockError> {
        let unusable = |error: &dyn fmt::Display| MockError(error.to_string());
        let courier = Courier {
            base: Base::parse(webhook).map_err(|error| unusable(&error))?,
            wire: Wire::private(authority).map_err(|error| unusable(&error))?,
            secret: WebhookSecret::new(Zeroizing::new(secret.to_vec()))
                .map_err(|error| unusable(&error))?,
            clock: self.desk.clock.clone(),
        };
        let events = self.desk.books().subscribe();
        self.tasks.spawn(courier.carry(events));
        Ok(())
    }
}

impl Desk {
    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        shown.and_then(|value| value.strip_prefix("Bearer ")) == Some(self.secret_key.as_str())
    }

    /// Does something for whoever shows the key, once for each idempotency key.
    fn once(
        &self,
        headers: &HeaderMap,
        asked: &str,
        body: &[u8],
        act: impl FnOnce(&mut Books, &Form) -> Result<Value, Declined>,
    ) -> Response {
        if !self.knows(headers) {
            return error(401, "invalid_request_error", "api_key");
        }
        if body.len() > FORM_BYTES_MAX {
            return error(413, "invalid_request_error", "too_large");
        }
        let form: Form = form_urlencoded::parse(body).into_owned().collect();
        let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
        let mut books = self.books();
        books.now = self.clock.now().secs();
        let asked = format!("{asked}\n{form:?}");
        let answer = match key.and_then(|key| books.answered(key)) {
            Some((before, answer)) if before == asked => answer,
            Some(_) => return error(400, "idempotency_error", "idempotency_key_in_use"),
            None => {
                let answer = act(&mut books, &form);
                books.remember(key, asked, &answer);
                answer
            }
        };
        reply(answer)
    }
}

fn reply(answer: Result<Value, Declined>) -> Response {
    match answer {
        Ok(object) => Json(object).into_response(),
        Err(declined) => error(declined.status, declined.kind, declined.code),
    }
}

fn error(status: u16, kind: &str, code: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(json!({"error": {"type": kind, "code": code}}))).into_response()
}

fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/v1/payment_intents", post(create))
        .route("/v1/payment_intents/{id}", get(retrieve))
        .route("/v1/payment_intents/{id}/confirm", post(confirm))
        .route("/v1/payment_intents/{id}/capture", post(capture))
        .route("/v1/payment_intents/{id}/cancel", post(cancel))
        .route("/v1/refunds", post(refund))
        .route("/v1/events", get(events))
        .with_state(desk)
}

async fn create(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    desk.once(&headers, "create", &body, Books::create)
}

async fn retrieve(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    PathOf(id): PathOf<String>,
) -> Response {
    desk.once(&headers, "retrieve", b"", |books, _| books.intent(&id))
}

/// What a browser does: it shows the client secret and no key.
async fn confirm(
    State(desk): State<Arc<Desk>>,
    PathOf(id): PathOf<String>,
    body: Bytes,
) -> Response {
    let form: Form = form_urlencoded::parse(&body).into_owned().collect();
    let mut books = desk.books();
    books.now = desk.clock.now().secs();
    reply(books.confirm(&id, &form))
}

async fn capture(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    PathOf(id): PathOf<String>,
    body: Bytes,
) -> Response {
    desk.once(&headers, &format!("capture {id}"), &body, |books, _| books.capture(&id))
}

async fn cancel(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    PathOf(id): PathOf<String>,
    body: Bytes,
) -> Response {
    desk.once(&headers, &format!("cancel {id}"), &body, |books, _| books.cancel(&id))
}

async fn refund(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    desk.once(&headers, "refund", &body, Books::refund)
}

async fn events(State(desk): State<Arc<Desk>>, headers: HeaderMap) -> Response {
    desk.once(&headers, "events", b"", |books, _| Ok(books.events()))
}
