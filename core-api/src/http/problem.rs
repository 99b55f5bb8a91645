//! Refusals and errors as clients see them, and the one place that writes them.
//!
//! Whoever refuses returns a [`Problem`]; [`finish`] gives it its body, with the decision id
//! of the request, and logs what is behind a 5xx. Nothing of that reaches the client.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value};
use stockade_contract::headers::OUTCOME;
use stockade_contract::outcome::Outcome;
use stockade_contract::problem::{self, MEDIA_TYPE};

use crate::app::App;
use crate::metrics::{Answer, Counted};
use crate::store::StoreError;
use crate::writer::WriteError;

/// Names the request in its answer's extensions.
#[derive(Debug, Clone)]
pub(super) struct RequestId(pub(super) String);

/// The operation that answered, in its answer's extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Operation(pub(super) &'static str);

/// Why a request was not answered as asked.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<Box<str>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What else the body says.
    members: Option<Box<Map<String, Value>>>,
    /// Makes the code an outcome to be counted.
    counted_as: Option<fn(&'static str) -> Counted>,
    /// For the log alone.
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    pub(super) fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            title,
            detail: None,
            headers: Vec::new(),
            members: None,
            counted_as: None,
            cause: None,
        }
    }

    /// What there is not, or is out of reach.
    pub(super) fn not_found() -> Self {
        Self::new(404, "not_found", "There is nothing here")
    }

    /// Well-formed, but not a request this operation takes.
    pub(super) fn invalid_request(detail: impl Into<Box<str>>) -> Self {
        Self::new(422, "invalid_request", "The request holds a value that is not allowed")
            .with_detail(detail)
    }

    /// Try again shortly.
    pub(super) fn busy() -> Self {
        Self::new(503, "busy", "Too many requests are waiting; try again")
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Our fault; what happened is for the log.
    pub(super) fn internal(cause: impl Error + Send + Sync + 'static) -> Self {
        Self::new(500, "internal", "Something went wrong on our side").caused_by(cause)
    }

    /// Not in a state that allows this.
    pub(super) fn order_state(error: &impl Error) -> Self {
        Self::new(409, "order_state", "The order is not in a state that allows this")
            .with_detail(error.to_string())
    }

    /// What happened, for the log.
    pub(super) fn caused_by(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Arc::new(cause));
        self
    }

    pub(super) fn with_detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(super) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Tells the edge what happened.
    pub(super) fn with_outcome(self, outcome: Outcome) -> Self {
        self.with_header(
            HeaderName::from_static(OUTCOME),
            HeaderValue::from_static(outcome.as_str()),
        )
    }

    /// Counts as the end of an operation that is counted by outcome: under its own code.
    pub(super) fn counted(mut self, as_outcome: fn(&'static str) -> Counted) -> Self {
        self.counted_as = Some(as_outcome);
        self
    }

    /// Adds the members of RFC 6749, 5.2.
    pub(super) fn with_oauth_error(self, error: &'static str) -> Self {
        let description = self.title;
        self.with_member("error", error).with_member("error_description", description)
    }

    /// Adds a member of this code's own (RFC 9457, 3.2).
    pub(super) fn with_member(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.members.get_or_insert_default().insert(name.to_owned(), value.into());
        self
    }

    /// Too many failures; the wait is rounded up.
    pub(super) fn locked(wait: Duration) -> Self {
        let secs = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        Self::new(429, "login_locked", "Too many failed logins; wait before the next")
            .with_header(RETRY_AFTER, HeaderValue::from(secs))
            .with_outcome(Outcome::LoginFailed)
    }

    fn bytes(&self, request: Option<RequestId>) -> Vec<u8> {
        let mut problem = problem::Problem::new(self.status.as_u16(), self.code, self.title);
        problem.detail = self.detail.as_deref().map(str::to_owned);
        problem.decision_id = request.map(|request| request.0);
        let body = ProblemBody { problem, members: self.members.as_deref() };
        // Plain strings and a number: serialising cannot fail, and an empty body is still safe.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// The members of every problem, and those of this one beside them.
#[derive(Serialize)]
struct ProblemBody<'a> {
    #[serde(flatten)]
    problem: problem::Problem,
    #[serde(flatten)]
    members: Option<&'a Map<String, Value>>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        for (name, value) in &self.headers {
            response.headers_mut().insert(name, value.clone());
        }
        if let Some(counted_as) = self.counted_as {
            response.extensions_mut().insert(counted_as(self.code));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            // Nothing was written, or nobody can tell; a repeated key finds out which.
            StoreError::Lost(_) | StoreError::Conflict | StoreError::Unsettled => {
                Self::busy().caused_by(error)
            }
            StoreError::Database(_) | StoreError::Unreadable(_) | StoreError::Seal(_) => {
                Self::internal(error)
            }
        }
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Busy => Self::busy(),
            WriteError::Store(error) => error.into(),
            WriteError::Stopped => Self::internal(error),
        }
    }
}

/// Layer: finishes every answer, then counts it.
pub(super) async fn finish(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        write(&mut response, &problem);
    }
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let operation = response.extensions().get::<Operation>();
    app.metrics.answered(&Answer {
        operation: operation.map_or("none", |operation| operation.0),
        status: response.status().as_u16(),
        outcome: response.extensions().get::<Counted>().copied(),
        duration: started.elapsed(),
    });
    response
}

fn write(response: &mut Response, problem: &Problem) {
    let request = response.extensions().get::<RequestId>().cloned();
    if let Some(cause) = &problem.cause {
        let request = request.as_ref().map_or("", |request| request.0.as_str());
        tracing::error!(request.id = request, cause = %chain(&**cause), "a request failed");
    }
    *response.body_mut() = Body::from(problem.bytes(request));
    let headers = response.headers_mut();
    headers.remove(CONTENT_LENGTH);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
}

/// An error and everything behind it.
fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
