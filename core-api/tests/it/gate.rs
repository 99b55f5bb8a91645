//! A gate before the payment provider: what the core asks passes through it, and may go wrong
//! there in every way a network and a provider have.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What becomes of a request.
pub(crate) enum Fate {
    /// It is done, and the connection closes in the middle of its answer.
    AnswerLost,
    /// It is not done, and answered so.
    Refused(u16, &'static str),
    /// It is done, and then something breaks: 500.
    DoneAndBroken,
    /// It is done; its answer waits until it is told to go on. Says first that it was done.
    AnswerHeld(oneshot::Sender<()>, oneshot::Receiver<()>),
}

/// A request that came by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Method and path.
    pub(crate) asked: String,
    pub(crate) key: Option<String>,
}

/// The gate. It ends when dropped.
pub(crate) struct Gate {
    addr: SocketAddr,
    keeper: Arc<Keeper>,
    _serving: JoinSet<()>,
}

struct Keeper {
    provider: SocketAddr,
    /// For the next request whose path ends so.
    fates: Mutex<VecDeque<(&'static str, Fate)>>,
    seen: Mutex<Vec<Seen>>,
    /// By idempotency key: what broke under it is answered again, as a provider does.
    broken: Mutex<BTreeMap<String, u16>>,
}

impl Gate {
    pub(crate) async fn before(provider: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (fates, seen) = (Mutex::default(), Mutex::default());
        let keeper = Arc::new(Keeper { provider, fates, seen, broken: Mutex::default() });
        let router = Router::new().fallback(pass).with_state(Arc::clone(&keeper));
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { addr, keeper, _serving: serving }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The next POST to a path with this end meets this fate; each fate is met once.
    pub(crate) fn next(&self, end: &'static str, fate: Fate) {
        self.keeper.fates.lock().unwrap().push_back((end, fate));
    }

    /// Every POST to a path with this end.
    pub(crate) fn seen(&self, end: &str) -> Vec<Seen> {
        let seen = self.keeper.seen.lock().unwrap();
        let posts = |one: &&Seen| one.asked.starts_with("POST ") && one.asked.ends_with(end);
        seen.iter().filter(posts).cloned().collect()
    }
}

impl Keeper {
    fn fate(&self, asked: &str) -> Option<Fate> {
        let mut fates = self.fates.lock().unwrap();
        let is_meant = |end: &str| asked.starts_with("POST ") && asked.ends_with(end);
        let at = fates.iter().position(|(end, _)| is_meant(end))?;
        fates.remove(at).map(|(_, fate)| fate)
    }

    /// A refusal; a 500, which says that something broke, is kept under the request's key.
    fn refuse(&self, key: Option<String>, status: u16, code: &str) -> Response {
        if let Some(key) = key.filter(|_| status == 500) {
            self.broken.lock().unwrap().insert(key, status);
        }
        let body = format!(r#"{{"error":{{"type":"api_error","code":"{code}"}}}}"#);
        Response::builder().status(status).body(Body::from(body)).unwrap()
    }

    fn broken(&self, key: Option<&String>) -> Option<u16> {
        self.broken.lock().unwrap().get(key?).copied()
    }
}

async fn pass(State(keeper): State<Arc<Keeper>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let asked = format!("{} {}", head.method, head.uri.path());
    let key = head.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
    keeper.seen.lock().unwrap().push(Seen { asked: asked.clone(), key: key.clone() });
    if let Some(status) = keeper.broken(key.as_ref()) {
        return keeper.refuse(key, status, "broken");
    }
    let done =
        async { forward(keeper.provider, hyper::Request::from_parts(head, Full::new(body))).await };
    match keeper.fate(&asked) {
        None => done.await,
        Some(Fate::Refused(status, code)) => keeper.refuse(key, status, code),
        Some(Fate::DoneAndBroken) => {
            done.await;
            keeper.refuse(key, 500, "broken")
        }
        Some(Fate::AnswerLost) => {
            done.await;
            let lost = futures::stream::once(async { Err::<Bytes, _>(io::Error::other("lost")) });
            Body::from_stream(lost).into_response()
        }
        Some(Fate::AnswerHeld(told, go_on)) => {
            let answer = done.await;
            told.send(()).unwrap();
            // Whoever holds it and is gone holds it no longer.
            go_on.await.ok();
            answer
        }
    }
}

/// What the provider says; that there is none is a 503.
async fn forward(provider: SocketAddr, request: hyper::Request<Full<Bytes>>) -> Response {
    let Ok(stream) = TcpStream::connect(provider).await else {
        return Response::builder().status(503).body(Body::empty()).unwrap();
    };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.unwrap().map(Body::new)
}
