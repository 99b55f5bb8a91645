//! What the ops listener says to each path. No socket, no clock.

use std::convert::Infallible;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use prometheus::{Registry, TextEncoder};

use crate::Readiness;

const PLAIN: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const EXPOSITION: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");
const CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

pub(super) type Answer = Response<Full<Bytes>>;

/// What there is to say: the program's metrics and its readiness.
#[derive(Debug, Clone)]
pub(super) struct Answers {
    registry: Registry,
    readiness: Readiness,
}

impl Answers {
    pub(super) fn new(registry: Registry, readiness: Readiness) -> Self {
        Self { registry, readiness }
    }

    /// Never fails, in the form that hyper asks for.
    pub(super) fn to(&self, method: &Method, path: &str) -> Result<Answer, Infallible> {
        if method != Method::GET && method != Method::HEAD {
            return Ok(method_not_allowed());
        }
        Ok(match path {
            "/livez" => plain(StatusCode::OK, "ok"),
            "/readyz" => self.readyz(),
            "/metrics" => self.metrics(),
            _ => plain(StatusCode::NOT_FOUND, "not found"),
        })
    }

    fn readyz(&self) -> Answer {
        match self.readiness.check() {
            Ok(()) => plain(StatusCode::OK, "ready"),
            Err(reason) => plain(StatusCode::SERVICE_UNAVAILABLE, reason),
        }
    }

    fn metrics(&self) -> Answer {
        match TextEncoder::new().encode_to_string(&self.registry.gather()) {
            Ok(text) => answer(StatusCode::OK, EXPOSITION, text.into()),
            Err(error) => {
                tracing::error!("metrics could not be written: {error}");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics could not be written")
            }
        }
    }
}

fn method_not_allowed() -> Answer {
    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
    answer.headers_mut().insert(ALLOW, METHODS);
    answer
}

fn plain(status: StatusCode, words: &'static str) -> Answer {
    answer(status, PLAIN, Bytes::from_static(words.as_bytes()))
}

fn answer(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(CONTENT_TYPE_OPTIONS, NOSNIFF);
    answer
}
