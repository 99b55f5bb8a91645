//! Promises of the ops listener, over real sockets.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;
use crate::metrics::Metrics;

/// Long enough for a loaded machine, short enough that a hang is a failure.
const DEADLINE: Duration = Duration::from_secs(30);

/// A listener that serves, and what a test may turn.
struct Served {
    addr: SocketAddr,
    registry: Registry,
    readiness: Readiness,
    shutdown: watch::Sender<bool>,
    server: JoinHandle<io::Result<()>>,
}

impl Served {
    fn start() -> Self {
        Self::with_patience(Patience::DEFAULT)
    }

    fn with_patience(patience: Patience) -> Self {
        let mut listener = OpsListener::bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        listener.patience = patience;
        let addr = listener.local_addr().unwrap();
        let (registry, readiness) = (Registry::new(), Readiness::new());
        let (shutdown, ended) = watch::channel(false);
        let server = tokio::spawn(listener.serve(registry.clone(), readiness.clone(), ended));
        Self { addr, registry, readiness, shutdown, server }
    }

    async fn get(&self, path: &str) -> Reply {
        self.ask("GET", path).await
    }

    async fn ask(&self, method: &str, path: &str) -> Reply {
        self.send(&format!("{method} {path} HTTP/1.1\r\nHost: ops\r\n\r\n")).await
    }

    /// Sends the bytes and reads until the listener closes the connection.
    async fn send(&self, bytes: &str) -> Reply {
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut text = String::new();
        time::timeout(DEADLINE, stream.read_to_string(&mut text)).await.unwrap().unwrap();
        Reply(text)
    }
}

/// A response as it came over the wire.
#[derive(Debug)]
struct Reply(String);

impl Reply {
    fn status(&self) -> u16 {
        self.0.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let (head, _body) = self.0.split_once("\r\n\r\n").unwrap();
        head.lines()
            .filter_map(|line| line.split_once(": "))
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    fn body(&self) -> &str {
        self.0.split_once("\r\n\r\n").unwrap().1
    }
}

#[tokio::test]
async fn a_program_that_runs_is_alive() {
    let served = Served::start();

    let reply = served.get("/livez").await;

    assert_eq!((reply.status(), reply.body()), (200, "ok"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn readiness_is_told_with_its_reason() {
    let served = Served::start();
    let starting = served.get("/readyz").await;
    assert_eq!((starting.status(), starting.body()), (503, "starting"));

    served.readiness.ready();
    let ready = served.get("/readyz").await;
    assert_eq!((ready.status(), ready.body()), (200, "ready"));

    served.readiness.not_ready("draining");
    let draining = served.get("/readyz").await;
    assert_eq!((draining.status(), draining.body()), (503, "draining"));
}

#[tokio::test]
async fn metrics_are_in_the_text_format() {
    let served = Served::start();
    let metrics = Metrics::under(&served.registry, "stockade_edge");
    let bans = metrics.counter("bans_total", "Bans.", &["cause"]).unwrap();
    bans.with_label_values(&["anomaly"]).inc_by(2);

    let reply = served.get("/metrics?format=any").await;

    assert_eq!(reply.status(), 200);
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert!(reply.body().contains(r#"stockade_edge_bans_total{cause="anomaly"} 2"#), "{reply:?}");
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let served = Served::start();

    let reply = served.ask("HEAD", "/livez").await;

    assert_eq!((reply.status(), reply.body()), (200, ""));
    assert_eq!(reply.header("content-length"), Some("2"));
}

#[tokio::test]
async fn other_paths_are_not_found() {
    let served = Served::start();

    for path in ["/", "/livez/", "/metrics/", "//livez", "/%6civez", "/admin"] {
        assert_eq!(served.get(path).await.status(), 404, "{path}");
    }
}

#[tokio::test]
async fn other_methods_are_told_which_are_allowed() {
    let served = Served::start();

    for method in ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"] {
        let reply = served.ask(method, "/metrics").await;
        assert_eq!((reply.status(), reply.header("allow")), (405, Some("GET, HEAD")), "{method}");
    }
}

#[tokio::test]
async fn a_slow_header_is_not_waited_for() {
    let header = Duration::from_millis(50);
    let served = Served::with_patience(Patience { header, ..Patience::DEFAULT });

    let reply = served.send("GET /livez HTTP/1.1\r\nHost:").await;

    assert!(!reply.0.contains("200 OK"), "{reply:?}");
}

#[tokio::test]
async fn a_connection_ends_though_its_peer_does_not() {
    let connection = Duration::from_millis(50);
    let served = Served::with_patience(Patience { connection, ..Patience::DEFAULT });

    let reply = served.send("").await;

    assert_eq!(reply.0, "");
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_a_free_slot() {
    let header = Duration::from_millis(200);
    let served = Served::with_patience(Patience { header, ..Patience::DEFAULT });
    let started = time::Instant::now();
    let mut idle = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        idle.push(TcpStream::connect(served.addr).await.unwrap());
    }

    let reply = served.get("/livez").await;

    assert_eq!(reply.status(), 200);
    assert!(started.elapsed() >= header, "answered while every slot was taken");
    drop(idle);
}

#[tokio::test]
async fn shutdown_ends_the_listener() {
    let served = Served::start();
    assert_eq!(served.get("/livez").await.status(), 200);

    served.shutdown.send_replace(true);

    time::timeout(DEADLINE, served.server).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(served.addr).await.is_err());
}

#[tokio::test]
async fn a_listener_without_an_owner_ends() {
    let served = Served::start();

    drop(served.shutdown);

    time::timeout(DEADLINE, served.server).await.unwrap().unwrap().unwrap();
}
