//! The unusual public items of Pingora that the listener leans on (docs/adr/0002), each felt
//! from the outside, so that a new version that changes one of them is noticed.
//!
//! | item | felt by |
//! |---|---|
//! | `ServerSession::set_pipelined_prefix` | [`the_head_we_read_is_the_head_that_is_judged`] |
//! | `Stream::into_any`, `downcast`, `ReusedHttpStream::consume` | [`a_connection_comes_back_with_what_was_sent_ahead`] |
//! | `set_close_on_response_before_downstream_finish` | [`a_connection_with_an_unread_body_is_given_up`] |
//! | `ServerSession::set_total_drain_timeout` | [`a_body_that_never_comes_is_not_drained_forever`] |
//! | `ServerSession::set_write_timeout` | [`crate::deadlines`]: a client that does not read is let go |
//! | `ServerSession::set_read_timeout` | [`crate::deadlines`]: a body that stops is not waited for |
//! | `Session::set_abort_on_close` | [`a_client_that_has_said_all_is_still_answered`] |
//! | `SocketDigest::from_raw_fd`, `peer_addr` | [`the_clients_address_is_its_sockets`] |
//! | `HttpSession::from_h2_conn`, `H2Accept::Session` | [`streams_are_served_side_by_side`] |
//! | `HttpServerOptions` | [`crate::refusals`]: nobody is connected anywhere |
//! | `H2Accept::Rejected` | [`malformed_streams_are_reset_until_the_connection_ends`] |
//! | `HttpSession::from_h2_conn`, what it refuses | [`what_pingora_refuses_by_itself_reaches_nobody`] |
//! | `H2Options`: sizes and counts | [`a_large_head_is_refused_on_http_2`], [`streams_beyond_the_limit_are_refused`] |
//! | `graceful_shutdown` on h2 | [`crate::start_stop`]: a stream in flight is answered before the end |
//! | `HttpProxy::process_new_http` with a stop | [`crate::start_stop`]: a request in flight is answered before the end |
//! | `raw_path`, `set_raw_path` | [`a_path_is_forwarded_in_its_canonical_form`] |

use stockade_test_support::{
    EdgeAlone, EdgeSetup, Ending, Protocol, RawH2, RawTls, Setup, Stockade,
};

type Fields = Vec<(&'static [u8], &'static [u8])>;

#[tokio::test]
async fn the_head_we_read_is_the_head_that_is_judged() {
    let edge = EdgeAlone::start().await;
    let mut raw = RawTls::http1(&edge.door()).await;
    // It comes in pieces, with an empty line before it and a body right behind it.
    for piece in [
        "\r\nPOST /first HTTP/1.1\r\nHo",
        "st: localhost\r\nContent-Type: text/plain\r\nContent-Le",
        "ngth: 4\r\nX-Kept: a b\r\n\r",
        "\nbodyGET /second HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ] {
        raw.send(piece).await;
    }

    assert_eq!([raw.response().await.status, raw.response().await.status], [200, 200]);
    let requests = edge.recorder().take();
    let seen: Vec<_> = requests.iter().map(|it| (it.target.as_str(), it.body.as_slice())).collect();
    assert_eq!(seen, [("/first", b"body".as_slice()), ("/second", b"")]);
    assert_eq!(requests[0].values("x-kept"), ["a b"]);
    assert_eq!(edge.recorder().malformed(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_comes_back_with_what_was_sent_ahead() {
    let edge = EdgeAlone::start().await;
    let mut raw = RawTls::http1(&edge.door()).await;
    let request = |number: usize| {
        format!(
            "POST /{number} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n\
             Transfer-Encoding: chunked\r\n\r\n1\r\n{number}\r\n0\r\n\r\n"
        )
    };
    raw.send((0..9).map(request).collect::<String>()).await;

    for _ in 0..9 {
        assert_eq!(raw.response().await.status, 200);
    }
    let bodies: Vec<_> = edge.recorder().take().into_iter().map(|it| it.body).collect();
    let expected: Vec<_> = (0..9).map(|number: usize| number.to_string().into_bytes()).collect();
    assert_eq!(bodies, expected);
}

#[tokio::test]
async fn a_connection_with_an_unread_body_is_given_up() {
    let stockade = Stockade::start().await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n").await;
    raw.send("GET /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n").await;

    let answer = raw.response().await;

    answer.refused(404, "no_route");
    assert_eq!(answer.header("connection"), Some("close"));
    let (more, ending) = raw.read_to_end().await;
    assert_eq!((String::from_utf8(more).unwrap().as_str(), ending), ("", Ending::Closed));
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_drained_forever() {
    let stockade = Stockade::start().await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n").await;

    raw.response().await.refused(404, "no_route");

    // The body's own deadline is thirty seconds.
    let waited = tokio::time::Instant::now();
    assert_eq!(raw.read_to_end().await.0, b"");
    assert!(waited.elapsed().as_secs() < 10, "{:?}", waited.elapsed());
}

#[tokio::test]
async fn a_client_that_has_said_all_is_still_answered() {
    let stockade = Stockade::start().await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send("GET /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    raw.half_close().await;

    assert_eq!(raw.response().await.status, 200);
    assert_eq!(raw.read_to_end().await.0, b"");
}

#[tokio::test]
async fn the_clients_address_is_its_sockets() {
    let stockade = Stockade::start().await;
    for protocol in Protocol::BOTH {
        for address in ["127.0.0.1", "127.0.0.9"] {
            let client = stockade.visitor().over(protocol).at(address);
            let refusal = client.get("/nowhere").send().await.refused(404, "no_route");
            assert_eq!(stockade.record(&refusal).await["client"], address);
        }
    }
}

#[tokio::test]
async fn streams_are_served_side_by_side() {
    let edge = EdgeAlone::start().await;
    let mut h2 = RawH2::connect(&edge.door()).await;
    let first = h2.open(&fields("POST", "/first", &[TEXT])).await;
    let second = h2.open(&fields("POST", "/second", &[TEXT])).await;
    let third = h2.open_and_end(&fields("GET", "/third", &[])).await;

    assert_eq!(h2.end_of(third).await.status, Some(200));
    h2.last_data(second, b"2").await;
    assert_eq!(h2.end_of(second).await.status, Some(200));
    h2.last_data(first, b"1").await;
    assert_eq!(h2.end_of(first).await.status, Some(200));

    let mut seen: Vec<_> =
        edge.recorder().take().into_iter().map(|it| (it.target, it.body)).collect();
    seen.sort();
    let one = |target: &str, body: &[u8]| (target.to_owned(), body.to_vec());
    assert_eq!(seen, [one("/first", b"1"), one("/second", b"2"), one("/third", b"")]);
}

#[tokio::test]
async fn malformed_streams_are_reset_until_the_connection_ends() {
    let edge = EdgeAlone::start().await;
    let mut h2 = RawH2::connect(&edge.door()).await;
    let malformed = fields("GET", "/", &[(b"host", b"elsewhere")]);
    let mut ended = 0;
    while !h2.exchange(&malformed, None, None).await.closed {
        ended += 1;
        assert!(ended < 100, "the connection never ends");
    }

    assert!(ended > 1, "one mistake is forgiven");
    assert_eq!(edge.recorder().requests(), []);
    assert_eq!(edge.visitor().over(Protocol::Http2).get("/").send().await.status, 200);
}

#[tokio::test]
async fn what_pingora_refuses_by_itself_reaches_nobody() {
    let edge = EdgeAlone::start().await;
    let pseudo = |method: &'static str| -> Fields {
        vec![(b":method", method.as_bytes()), (b":scheme", b"https"), (b":path", b"/")]
    };
    let with = |more: &[(&'static [u8], &'static [u8])]| [pseudo("GET").as_slice(), more].concat();
    let malformed = [
        with(&[]),
        with(&[(b":authority", b"localhost"), (b"host", b"elsewhere")]),
        with(&[(b"host", b"localhost"), (b"host", b"localhost")]),
        with(&[(b":authority", b"me@localhost")]),
        with(&[(b":authority", b"localhost"), (b"content-length", b"x")]),
        with(&[(b":authority", b"localhost"), (b"connection", b"close")]),
        with(&[(b":authority", b"localhost"), (b":path", b"/a\r\nb")]),
    ];
    for fields in malformed {
        // These never come to the edge's own judgement, so there is no body, and no record.
        let end = RawH2::connect(&edge.door()).await.exchange(&fields, None, None).await;
        assert!(end.status == Some(400) || end.reset.is_some() || end.closed, "{end:?}");
    }
    assert_eq!(edge.recorder().requests(), []);
}

#[tokio::test]
async fn a_large_head_is_refused_on_http_2() {
    let edge = EdgeAlone::start().await;
    let mut h2 = RawH2::connect(&edge.door()).await;
    // One header list over 32 KiB, in a frame of no more than 16 KiB and its continuations.
    static LARGE: [u8; 8_000] = [b'x'; 8_000];
    let block: Fields = vec![(b"a", &LARGE), (b"b", &LARGE)];
    let end = h2.exchange(&fields("GET", "/", &block[..1]), None, None).await;
    assert_eq!(end.status, Some(200));

    let many: Fields = (0..5).flat_map(|_| block.clone()).collect();
    let end = h2.exchange_in_pieces(&fields("GET", "/", &many)).await;

    assert!(end.closed || end.reset.is_some() || end.status == Some(431), "{end:?}");
    assert_eq!(edge.recorder().take().len(), 1);
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused() {
    let edge = EdgeAlone::start().await;
    let mut h2 = RawH2::connect(&edge.door()).await;
    let mut last = 0;
    for _ in 0..129 {
        last = h2.open(&fields("POST", "/", &[TEXT])).await;
    }

    let end = h2.end_of(last).await;

    const REFUSED_STREAM: u32 = 7;
    assert_eq!(end.reset, Some(REFUSED_STREAM), "{end:?}");
    h2.last_data(1, b"x").await;
    assert_eq!(h2.end_of(1).await.status, Some(200));
}

#[tokio::test]
async fn a_refused_stream_does_not_keep_its_connection_busy() {
    let setup = Setup::default().config("[edge.connections]\nidle_timeout_ms = 300\n");
    let stockade = setup.start().await;
    let mut h2 = RawH2::connect(&stockade.door()).await;
    let stream =
        h2.open(&fields("POST", "/api/orders", &[(b"content-type", b"application/json")])).await;
    assert_eq!(h2.end_of(stream).await.status, Some(401));

    // Its body never ends, and nobody waits for it.
    while h2.frame().await.is_some() {}
}

#[tokio::test]
async fn a_path_is_forwarded_in_its_canonical_form() {
    let edge = EdgeSetup::default().start().await;
    for protocol in Protocol::BOTH {
        let answer = edge.visitor().over(protocol).get("/%61b%c3%a9/x?q=%61").send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(edge.recorder().take()[0].target, "/ab%C3%A9/x?q=%61");
    }
}

const TEXT: (&[u8], &[u8]) = (b"content-type", b"text/plain");

fn fields(
    method: &'static str,
    path: &'static str,
    more: &[(&'static [u8], &'static [u8])],
) -> Fields {
    let mut fields: Fields = vec![
        (b":method", method.as_bytes()),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", path.as_bytes()),
    ];
    fields.extend_from_slice(more);
    fields
}
