//! Refusals and errors as clients see them, and the one place that writes them.
//!
//! Whoever refuses returns a [`Problem`]; [`finish`] gives it its body, with the decision id
//! of the request, and logs what is behind a 5xx. Nothing of that reaches the client.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use stockade_contract::headers::OUTCOME;
use stockade_contract::outcome::Outcome;
use stockade_contract::problem::{self, MEDIA_TYPE};

use crate::app::App;
use crate::metrics::{Answer, Counted};
use crate::orders::PriceChange;
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
    /// Boxed, so that refusals stay small.
    more: Option<Box<More>>,
    headers: Vec<(HeaderName, HeaderValue)>,
    oauth_error: Option<&'static str>,
    /// Makes the code an outcome to be counted.
    counted_as: Option<fn(&'static str) -> Counted>,
    /// For the log alone.
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// What is known of one very occurrence.
#[derive(Debug, Clone, Default)]
struct More {
    detail: Option<Box<str>>,
    /// Prices that are not as expected.
    changes: Vec<PriceChange>,
}

impl Problem {
    pub(super) fn new(status: u16, code: &'static str, title: &'static str) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code,
            title,
            more: None,
            headers: Vec::new(),
            oauth_error: None,
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

    /// Names what costs something else than was expected.
    pub(super) fn with_changes(mut self, changes: Vec<PriceChange>) -> Self {
        self.more.get_or_insert_default().changes = changes;
        self
    }

    pub(super) fn with_detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.more.get_or_insert_default().detail = Some(detail.into());
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
    pub(super) fn with_oauth_error(mut self, error: &'static str) -> Self {
        self.oauth_error = Some(error);
        self
    }

    fn bytes(&self, request: Option<RequestId>) -> Vec<u8> {
        let mut problem = problem::Problem::new(self.status.as_u16(), self.code, self.title);
        let more = self.more.as_deref();
        problem.detail = more.and_then(|more| more.detail.as_deref()).map(str::to_owned);
        problem.decision_id = request.map(|request| request.0);
        let error_description = self.oauth_error.map(|_| self.title);
        let changes = more.map(|more| more.changes.as_slice()).unwrap_or_default();
        let body = ProblemBody { error: self.oauth_error, error_description, changes, problem };
        // Plain strings and a number: serialising cannot fail, and an empty body is still safe.
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// A problem's members, and for the token endpoint those of RFC 6749 beside them.
#[derive(Serialize)]
struct ProblemBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    changes: &'a [PriceChange],
    #[serde(flatten)]
    problem: problem::Problem,
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
        Self::internal(error)
    }
}

impl From<WriteError> for Problem {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Busy => Self::busy(),
            // Nothing was written, or nobody can tell; a repeated key finds out which.
            WriteError::Store(
                StoreError::Lost(_) | StoreError::Conflict | StoreError::Unsettled,
            ) => Self::busy().caused_by(error),
            WriteError::Stopped | WriteError::Store(_) => Self::internal(error),
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
