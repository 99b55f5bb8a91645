//! One request as the edge would forward it, and what came back.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stockade_contract::assertion::{Assertion, AssertionKey, Keyring, Scope};
use stockade_core_api::{Clock, RouteFacts, openapi, routes};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

/// What every core of these tests shares with the edge.
pub(crate) const SECRET: &str = "an assertion secret of 32 bytes!";

/// A request to the core that listens on `socket`.
pub(crate) fn call(
    socket: &Path,
    clock: &Clock,
    method: &'static str,
    path: impl Into<String>,
) -> Call {
    let path_and_query = path.into();
    let now = clock.now().secs();
    Call {
        socket: socket.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        signed: true,
        assertion: Assertion {
            audience: "core".to_owned(),
            request_id: "decision-1".to_owned(),
            method: method.to_owned(),
            permission: permission(method, &path_and_query),
            path_and_query,
            subject: "anonymous".to_owned(),
            session: String::new(),
            roles: "customer".to_owned(),
            scope: Scope::Any,
            authenticated_at: 0,
            client_address: "unknown".to_owned(),
            bundle: "bundle".to_owned(),
            expires_at: now + 30,
        },
    }
}

/// What the route table says; nothing where there is no such route.
fn permission(method: &str, path_and_query: &str) -> String {
    let fits = |route: &RouteFacts| route.method == method && fits(route.path, path_and_query);
    let route = routes().into_iter().find(fits);
    route.map_or_else(String::new, |route| route.permission.to_owned())
}

fn fits(pattern: &str, path_and_query: &str) -> bool {
    let path: Vec<_> = path_and_query.split('?').next().unwrap().split('/').collect();
    let pattern: Vec<_> = pattern.split('/').collect();
    pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(want, have)| want.starts_with('{') || want == have)
}

/// One request, about to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    socket: PathBuf,
    pub(crate) assertion: Assertion,
    headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    signed: bool,
}

impl Call {
    pub(crate) fn by(mut self, subject: &str) -> Self {
        self.assertion.subject = subject.to_owned();
        self
    }

    pub(crate) fn scope(mut self, scope: Scope) -> Self {
        self.assertion.scope = scope;
        self
    }

    pub(crate) fn permission(mut self, permission: &str) -> Self {
        self.assertion.permission = permission.to_owned();
        self
    }

    pub(crate) fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn key(mut self, key: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "idempotency-key");
        self.header("idempotency-key", key)
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.raw("application/json", &body.to_string())
    }

    pub(crate) fn raw(self, media_type: &str, body: &str) -> Self {
        self.bytes(media_type, body.as_bytes().to_vec())
    }

    pub(crate) fn bytes(mut self, media_type: &str, body: Vec<u8>) -> Self {
        self.body = body;
        self.headers.retain(|(name, _)| *name != "content-type");
        self.header("content-type", media_type)
    }

    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::builder()
            .method(self.assertion.method.as_str())
            .uri(&self.assertion.path_and_query)
            .header("host", "core");
        if self.signed {
            let key = AssertionKey::derive(SECRET.as_bytes(), "core").unwrap();
            let value = Keyring::new(key).sign(&self.assertion);
            request = request.header("stockade-assertion", value);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        request.body(Full::from(self.body.clone())).unwrap()
    }

    /// The request's head, but for its last line.
    pub(crate) fn head(&self) -> String {
        let request = self.request();
        let mut head = format!("{} {} HTTP/1.1\r\n", request.method(), request.uri());
        for (name, value) in request.headers() {
            head.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap()));
        }
        head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        head
    }

    /// A connection with nothing on it.
    pub(crate) async fn open(&self) -> UnixStream {
        UnixStream::connect(&self.socket).await.unwrap()
    }

    /// Sends all but the body, and waits until the core is busy with the request.
    pub(crate) async fn begin(&self) -> UnixStream {
        let head = format!("{}expect: 100-continue\r\n\r\n", self.head());
        let mut stream = self.open().await;
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut interim = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream.read_exact(&mut interim).await.unwrap();
        assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
        stream
    }

    /// Reads whatever is answered to a body that does not come.
    pub(crate) async fn read(&self, mut stream: UnixStream) -> String {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Sends the body after [`begin`](Self::begin) and reads whatever is answered.
    pub(crate) async fn finish(&self, mut stream: UnixStream) -> String {
        stream.write_all(&self.body).await.unwrap();
        self.read(stream).await
    }

    /// A connection that has sent nothing yet.
    pub(crate) async fn connect(&self) -> http1::SendRequest<Full<Bytes>> {
        let stream = UnixStream::connect(&self.socket).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        sender
    }

    pub(crate) async fn send(&self) -> Answer {
        let mut sender = self.connect().await;
        let answer = sender.send_request(self.request());
        let response = tokio::time::timeout(Duration::from_secs(60), answer).await;
        let (head, body) = response.unwrap().unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Answer { status: head.status, headers: head.headers, body, bytes };
        self.is_described(&answer);
        answer
    }

    /// Every answer is one that the interface's description speaks of.
    fn is_described(&self, answer: &Answer) {
        static DESCRIPTION: LazyLock<Value> =
            LazyLock::new(|| serde_json::from_str(&openapi()).unwrap());
        let (method, path) = (self.assertion.method.to_lowercase(), &self.assertion.path_and_query);
        let paths = DESCRIPTION["paths"].as_object().unwrap();
        let described =
            paths.iter().find(|(pattern, item)| fits(pattern, path) && !item[&method].is_null());
        let Some((_, item)) = described else { return };
        let responses = &item[&method]["responses"];
        let described = &responses[answer.status.as_str()];
        assert!(described.is_object(), "{method} {path} is not described to answer {answer:?}");
        if let Some(code) = answer.body["code"].as_str() {
            let codes = described["x-stockade-codes"].as_array().unwrap();
            assert!(codes.contains(&json!(code)), "{method} {path}: {code} is not described");
        }
        for header in described["headers"].as_object().into_iter().flat_map(|all| all.keys()) {
            let there = header == "Idempotency-Replayed" || answer.header(header).is_some();
            assert!(there, "{method} {path} has no {header}");
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, where it is JSON.
    pub(crate) body: Value,
    pub(crate) bytes: Bytes,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A member of the body that is text.
    #[track_caller]
    pub(crate) fn text(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap()
    }

    /// It is a problem with this status and code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status.as_u16(), &self.body["code"]), (status, &json!(code)), "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["status"], status);
        assert_eq!(self.body["type"], format!("urn:stockade:problem:{code}"));
    }

    #[track_caller]
    pub(crate) fn created(&self) {
        assert_eq!(self.status, StatusCode::CREATED, "{self:?}");
    }
}
