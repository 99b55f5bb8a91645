//! What is spoken before a request: TLS 1.2 and 1.3, and nothing below or beside it.

use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, ProtocolVersion};
use stockade_test_support::deadline::soon;
use stockade_test_support::{Door, Setup, Stockade};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

const GET: &[u8] = b"GET /api/products HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let stockade = Stockade::start().await;
    for (version, protocol) in
        [(&TLS12, ProtocolVersion::TLSv1_2), (&TLS13, ProtocolVersion::TLSv1_3)]
    {
        let config = Arc::new(stockade.door().tls(&[version], &["http/1.1"]));

        let (answer, stream) = get(&stockade.door(), config).await;

        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert_eq!(stream.get_ref().1.protocol_version(), Some(protocol));
    }
}

#[tokio::test]
async fn the_modern_profile_speaks_tls_1_3_alone() {
    let setup = Setup::default().config("[edge.tls]\nprofile = \"modern\"\n");
    let stockade = setup.start().await;
    let door = stockade.door();

    let older = door.shake_hands(Arc::new(door.tls(&[&TLS12], &[])), None).await;
    assert!(older.is_err());
    let (answer, _) = get(&door, Arc::new(door.tls(&[&TLS13], &[]))).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn tls_below_1_2_is_not_spoken() {
    let stockade = Stockade::start().await;
    // The same hello is understood when it offers more, so it is the version that is refused.
    let (kind, _) = first_record(&stockade.door(), &client_hello(0x0303)).await;
    assert_eq!(kind, HANDSHAKE);
    for version in [0x0302, 0x0301, 0x0300] {
        let (kind, body) = first_record(&stockade.door(), &client_hello(version)).await;
        assert_eq!((kind, body), (ALERT, vec![FATAL, PROTOCOL_VERSION]), "{version:04x}");
    }
}

#[tokio::test]
async fn the_protocol_is_agreed_on_by_alpn() {
    let stockade = Stockade::start().await;
    let door = stockade.door();
    let agreed = async |offered: &[&str]| {
        let config = Arc::new(door.tls(&[&TLS13], offered));
        let stream = door.shake_hands(config, None).await?;
        let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        std::io::Result::Ok(agreed.map(|name| String::from_utf8(name).unwrap()))
    };

    assert_eq!(agreed(&["h2", "http/1.1"]).await.unwrap().as_deref(), Some("h2"));
    assert_eq!(agreed(&["http/1.1", "h2"]).await.unwrap().as_deref(), Some("h2"));
    assert_eq!(agreed(&["http/1.1"]).await.unwrap().as_deref(), Some("http/1.1"));
    assert_eq!(agreed(&[]).await.unwrap(), None);
    assert!(agreed(&["spdy/3"]).await.is_err());
}

#[tokio::test]
async fn a_client_that_names_no_protocol_speaks_http_1_1() {
    let stockade = Stockade::start().await;
    let config = Arc::new(stockade.door().tls(&[&TLS13], &[]));

    let (answer, _) = get(&stockade.door(), config).await;

    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn sessions_are_resumed() {
    let stockade = Stockade::start().await;
    for version in [&TLS12, &TLS13] {
        let config = Arc::new(stockade.door().tls(&[version], &["http/1.1"]));

        let (_, first) = get(&stockade.door(), Arc::clone(&config)).await;
        let (answer, second) = get(&stockade.door(), config).await;

        let kinds = [first, second].map(|stream| stream.get_ref().1.handshake_kind());
        assert_eq!(kinds[1], Some(HandshakeKind::Resumed), "{kinds:?}");
        assert_ne!(kinds[0], Some(HandshakeKind::Resumed), "{kinds:?}");
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }
}

#[tokio::test]
async fn nobody_else_is_trusted_for_the_name() {
    let (stockade, other) = tokio::join!(Stockade::start(), Setup::default().blank().start());
    // The other's authority, at our address.
    let stranger = Door::new(stockade.door().address(), other.authority());

    let refused = stranger.shake_hands(Arc::new(stranger.tls(&[&TLS13], &[])), None).await;

    assert!(refused.unwrap_err().to_string().contains("certificate"));
}

#[tokio::test]
async fn plain_http_is_not_answered() {
    let stockade = Stockade::start().await;
    for request in [GET, b"GET /api/products HTTP/1.0\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(stockade.door().address()).await.unwrap();
        stream.write_all(request).await.unwrap();

        let answer = everything(&mut stream).await;

        let text = String::from_utf8_lossy(&answer);
        assert!(!text.contains("HTTP/") && !text.contains("items"), "{text}");
    }
    let metrics = stockade.metrics().await;
    let requests: Vec<_> =
        metrics.lines().filter(|line| line.starts_with("stockade_edge_requests_total{")).collect();
    assert_eq!(requests, Vec::<&str>::new());
}

/// One request on a connection of its own, and the connection.
async fn get(door: &Door, config: Arc<ClientConfig>) -> (String, TlsStream<TcpStream>) {
    let mut stream = door.shake_hands(config, None).await.unwrap();
    stream.write_all(GET).await.unwrap();
    let mut answer = String::new();
    soon("an answer", stream.read_to_string(&mut answer)).await.unwrap();
    (answer, stream)
}

/// What comes until the other side closes or resets.
async fn everything(stream: &mut TcpStream) -> Vec<u8> {
    let mut answer = Vec::new();
    // A reset is an end, too.
    drop(soon("the end of the connection", stream.read_to_end(&mut answer)).await);
    answer
}

/// Record and alert codes (RFC 5246, 6.2.1 and 7.2).
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const FATAL: u8 = 2;
const PROTOCOL_VERSION: u8 = 70;

/// The kind and the content of the first record that answers these bytes.
async fn first_record(door: &Door, hello: &[u8]) -> (u8, Vec<u8>) {
    let mut stream = TcpStream::connect(door.address()).await.unwrap();
    stream.write_all(hello).await.unwrap();
    let mut head = [0; 5];
    soon("a TLS record", stream.read_exact(&mut head)).await.unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    soon("a TLS record", stream.read_exact(&mut body)).await.unwrap();
    (head[0], body)
}

/// A ClientHello (RFC 5246, 7.4.1.2) whose highest version is this one: rustls offers none so
/// old, so it is put together by hand.
fn client_hello(version: u16) -> Vec<u8> {
    let name = b"localhost";
    let extensions = [
        extension(0, &prefixed(&[&[0], prefixed(name).as_slice()].concat())), // server_name
        extension(10, &prefixed(&[0x00, 0x17, 0x00, 0x1d])),                  // supported_groups
        extension(11, &[1, 0]),                                               // ec_point_formats
        extension(13, &prefixed(&[0x04, 0x03, 0x08, 0x04, 0x02, 0x03])), // signature_algorithms
        extension(23, &[]),                                              // extended_master_secret
    ];
    let suites = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x09, 0xc0, 0x13];
    let hello = [
        version.to_be_bytes().as_slice(),
        &[7; 32],
        &[0],
        &prefixed(&suites),
        &[1, 0],
        &prefixed(&extensions.concat()),
    ]
    .concat();
    let message = [&[1, 0], prefixed(&hello).as_slice()].concat();
    [&[HANDSHAKE, 3, 1], prefixed(&message).as_slice()].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().as_slice(), &prefixed(body)].concat()
}

/// After its length in two bytes.
fn prefixed(body: &[u8]) -> Vec<u8> {
    [u16::try_from(body.len()).unwrap().to_be_bytes().as_slice(), body].concat()
}
