//! Nobody holds a connection for longer, or holds more of them, than they are allowed.

use std::io;
use std::time::Duration;

use stockade_test_support::deadline::soon;
use stockade_test_support::{
    EdgeAlone, EdgeSetup, Ending, FrameKind, Protocol, RawH2, RawTls, Setup, Stockade,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const GET: &str = "GET /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BEGINNING: &str = "GET /api/products HTTP/1.1\r\nHost: localhost\r\nX: ";

#[tokio::test]
async fn a_slow_head_is_answered_and_the_connection_closed() {
    let stockade = with("head_timeout_ms = 300").await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(BEGINNING).await;

    let answer = raw.response().await;

    let id = answer.refused(408, "head_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_ne!(raw.read_to_end().await.1, Ending::Reset);
    assert_eq!(stockade.record(&id).await["code"], "head_timeout");
}

#[tokio::test]
async fn a_head_that_trickles_is_no_faster_for_it() {
    let stockade = with("head_timeout_ms = 300").await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(BEGINNING).await;

    raw.trickle([b'x'; 50], Duration::from_millis(10)).await;

    raw.response().await.refused(408, "head_timeout");
}

#[tokio::test]
async fn a_second_head_has_a_deadline_too() {
    let stockade = with("head_timeout_ms = 300").await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.status, 200);

    raw.send(BEGINNING).await;

    raw.response().await.refused(408, "head_timeout");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let stockade = with("idle_timeout_ms = 300").await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.status, 200);

    let (more, ending) = raw.read_to_end().await;

    assert_eq!((more.as_slice(), ending), (b"".as_slice(), Ending::Closed));
}

#[tokio::test]
async fn an_idle_http_2_connection_is_closed() {
    let stockade = with("idle_timeout_ms = 300").await;
    let mut h2 = RawH2::connect(&stockade.door()).await;
    let stream = h2.open_and_end(&fields("GET", "/api/products")).await;
    assert_eq!(h2.end_of(stream).await.status, Some(200));

    while h2.frame().await.is_some() {}
}

#[tokio::test]
async fn a_client_that_never_speaks_is_let_go() {
    let stockade = with("handshake_timeout_ms = 300\nhead_timeout_ms = 300").await;
    let door = stockade.door();

    // Before TLS, within TLS, and after it.
    for bytes in [b"".as_slice(), b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut stream = door.reach(None).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        // A reset is an end, too.
        drop(soon("the end of the connection", stream.read_to_end(&mut answer)).await);
    }
    let mut silent = RawTls::http1(&door).await;
    assert_eq!(silent.read_to_end().await.0, b"");
    let mut silent = RawTls::connect(&door, "h2").await.unwrap();
    silent.read_to_end().await;

    let refused =
        series(&stockade, "connections_refused_total{reason=\"handshake_timeout\"}").await;
    assert_eq!(refused, 2.0);
}

#[tokio::test]
async fn a_body_that_stops_is_not_waited_for() {
    let edge = edge_with("body_timeout_ms = 300").await;
    let mut raw = RawTls::http1(&edge.door()).await;
    raw.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n").await;
    raw.send("Content-Length: 10\r\n\r\nhalf").await;

    let answer = raw.response().await;

    let id = answer.refused(408, "body_timeout");
    raw.read_to_end().await;
    assert_eq!(edge.record(&id).await["code"], "body_timeout");
    assert_eq!(edge.recorder().requests(), []);
}

#[tokio::test]
async fn a_stream_whose_body_stops_is_not_waited_for() {
    let edge = edge_with("body_timeout_ms = 300").await;
    let mut h2 = RawH2::connect(&edge.door()).await;
    let stream = h2
        .open(&[fields("POST", "/").as_slice(), &[(b"content-type", b"text/plain")]].concat())
        .await;
    h2.data(stream, b"half").await;

    let end = h2.end_of(stream).await;

    assert!(end.status == Some(408) || end.reset.is_some(), "{end:?}");
    assert_eq!(edge.recorder().requests(), []);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_let_go() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = EdgeSetup::default().in_front_of(upstream.local_addr().unwrap());
    let edge = setup.connections("body_timeout_ms = 300").start().await;
    let get = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut h1 = RawTls::http1(&edge.door()).await;
    let mut h2 = RawH2::connect(&edge.door()).await;

    h1.send(get).await;
    soon("the end of an answer that nobody reads", answer_without_end(&upstream)).await;
    h2.open_and_end(&fields("GET", "/")).await;
    soon("the end of an answer that nobody reads", answer_without_end(&upstream)).await;
}

/// Answers the next request for as long as somebody takes it.
async fn answer_without_end(upstream: &TcpListener) {
    let (mut stream, _) = upstream.accept().await.unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
}

#[tokio::test]
async fn a_slow_head_on_http_2_ends_the_connection() {
    let stockade = with("head_timeout_ms = 300\nidle_timeout_ms = 300").await;
    let mut h2 = RawH2::connect(&stockade.door()).await;
    // HEADERS without END_HEADERS: CONTINUATION has to follow, and never does.
    h2.send(FrameKind::Headers, 0, 1, b"\x82").await;

    while h2.frame().await.is_some() {}
}

#[tokio::test]
async fn a_slow_head_beside_an_open_stream_ends_the_connection() {
    let edge =
        edge_with("head_timeout_ms = 300\nidle_timeout_ms = 300\nbody_timeout_ms = 20000").await;
    let mut h2 = RawH2::connect(&edge.door()).await;
    // A stream that is being served keeps a connection from being idle.
    let open = [fields("POST", "/").as_slice(), &[(b"content-type", b"text/plain")]].concat();
    let stream = h2.open(&open).await;
    h2.data(stream, b"half").await;
    h2.send(FrameKind::Headers, 0, stream + 2, b"\x82").await;

    let waited = tokio::time::Instant::now();
    while h2.frame().await.is_some() {}
    assert!(waited.elapsed().as_secs() < 10, "{:?}", waited.elapsed());
}

#[tokio::test]
async fn slow_clients_do_not_keep_a_good_one_waiting() {
    let stockade = with("head_timeout_ms = 3000").await;
    let mut slow = Vec::new();
    for number in 0..50 {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(&BEGINNING[..20 + number % 20]).await;
        slow.push(raw);
    }

    for protocol in Protocol::BOTH {
        let answer = stockade.visitor().over(protocol).get("/api/products").send().await;
        assert_eq!(answer.status, 200);
    }

    for mut raw in slow {
        raw.response().await.refused(408, "head_timeout");
    }
}

#[tokio::test]
async fn one_address_takes_its_share_of_connections_and_no_more() {
    let stockade = with("per_address_max = 3").await;
    let door = stockade.door();
    let reach = |from: &str| {
        let (door, from) = (door.clone(), Some(from.parse().unwrap()));
        async move { RawTls::connect_from(&door, "http/1.1", from).await }
    };
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(reach("127.0.0.2").await.unwrap());
    }

    let too_many = reach("127.0.0.2").await.unwrap_err();
    let ends = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
    assert!(ends.contains(&too_many.kind()), "{too_many:?}");
    let mut other = reach("127.0.0.3").await.unwrap();
    other.send(GET).await;
    assert_eq!(other.response().await.status, 200);
    let refused = series(&stockade, "connections_refused_total{reason=\"per_address\"}").await;
    assert_eq!(refused, 1.0);

    // A place that is given back can be taken again.
    held.truncate(2);
    let place = || async { reach("127.0.0.2").await.is_ok() };
    stockade_test_support::deadline::eventually_yes("a free place", place).await;
}

#[tokio::test]
async fn all_addresses_together_take_what_there_is_and_no_more() {
    let stockade = with("max = 3").await;
    let door = stockade.door();
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(RawTls::http1(&door).await);
    }

    assert!(RawTls::connect(&door, "http/1.1").await.is_err());
    for raw in &mut held {
        raw.send(GET).await;
        assert_eq!(raw.response().await.status, 200);
    }
    let refused = series(&stockade, "connections_refused_total{reason=\"capacity\"}").await;
    assert_eq!(refused, 1.0);
}

async fn with(connections: &str) -> Stockade {
    Setup::default().config(format!("[edge.connections]\n{connections}\n")).start().await
}

async fn edge_with(connections: &str) -> EdgeAlone {
    EdgeSetup::default().connections(connections).start().await
}

/// The value of one of the edge's metrics.
async fn series(stockade: &Stockade, name: &str) -> f64 {
    let metrics = stockade.metrics().await;
    let line =
        metrics.lines().find_map(|line| line.strip_prefix("stockade_edge_")?.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

fn fields(method: &'static str, path: &'static str) -> Vec<(&'static [u8], &'static [u8])> {
    vec![
        (b":method", method.as_bytes()),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path.as_bytes()),
    ]
}
