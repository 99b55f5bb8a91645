//! Each reason for which the edge refuses: its status, its code, and the record it leaves.
//!
//! `head_timeout` and `body_timeout` are in [`crate::deadlines`]. `internal` stands for faults
//! of ours and cannot be provoked.

use stockade_test_support::{Answer, EdgeSetup, Protocol, RawH2, RawTls, Stockade};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;

#[tokio::test]
async fn a_head_with_two_meanings_is_refused() {
    let stockade = Stockade::start().await;
    let long = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "a".repeat(9_000));
    let field = format!("x: {}\r\n", "a".repeat(1_000));
    let large = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", field.repeat(40));
    let many = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "x: y\r\n".repeat(200));
    let expecting = "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\n\r\n";
    let heads = [
        (400, "malformed_head", "GET / HTTP/1.1\nHost: localhost\n\n"),
        (400, "malformed_head", "GET / HTTP/1.1\r\nHost: localhost\r\nX : y\r\n\r\n"),
        (400, "malformed_head", "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n"),
        (400, "invalid_host", "GET / HTTP/1.1\r\n\r\n"),
        (400, "invalid_host", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        (400, "invalid_host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        (400, "ambiguous_path", "GET /a/../b HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (400, "ambiguous_path", "GET /a%2Fb HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (400, "ambiguous_path", "GET //a HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        (414, "target_too_long", &long),
        (431, "head_too_large", &large),
        (431, "head_too_large", &many),
        (417, "expectation_unknown", expecting),
    ];
    for (status, code, head) in heads {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(head).await;
        is_refused_and_recorded(&stockade, &raw.response().await, status, code).await;
    }
}

#[tokio::test]
async fn what_the_policy_does_not_allow_is_refused() {
    let stockade = Stockade::start().await;
    for protocol in Protocol::BOTH {
        let visitor = stockade.visitor().over(protocol);
        let customer = stockade.member("customer").over(protocol);
        let bad_token = visitor.clone().with_token("a.b.c");
        let text = |body: &'static str| visitor.post("/api/auth/register").body("text/plain", body);
        let large = vec![b' '; 17 * 1024];
        let large = visitor.post("/api/auth/register").body("application/json", large);
        let calls = [
            (400, "ambiguous_path", visitor.get("/api/%2e%2e/x")),
            (404, "no_route", visitor.get("/nowhere")),
            (404, "no_route", visitor.get("/internal/jwks")),
            (405, "method_not_allowed", visitor.call("DELETE", "/api/products")),
            (405, "method_not_allowed", visitor.call("TRACE", "/api/products")),
            (413, "body_too_large", large),
            (413, "body_too_large", visitor.get("/api/products").body("text/plain", "x")),
            (415, "unsupported_media_type", text("x")),
            (401, "token_missing", visitor.get("/api/orders")),
            (401, "token_invalid", bad_token.get("/api/orders")),
            (403, "permission_denied", customer.get("/api/inventory")),
            (403, "network_not_allowed", stockade.member("admin").at("127.0.0.2").get("/api/me")),
        ];
        for (status, code, call) in calls {
            is_refused_and_recorded(&stockade, &call.send().await, status, code).await;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_framed_as_it_says_is_refused() {
    let stockade = Stockade::start().await;
    let head = "POST /api/auth/register HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for body in ["zz\r\n", "2\r\n{}x\r\n", "-1\r\n", "0\r\nx: trailer\r\n\r\n", "2\n{}\n0\n\n"] {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(format!("{head}{body}")).await;
        let answer = raw.response().await;
        is_refused_and_recorded(&stockade, &answer, 400, "malformed_body").await;
        raw.read_to_end().await;
    }
}

#[tokio::test]
async fn a_body_that_hides_its_size_is_counted() {
    let stockade = Stockade::start().await;
    let head = "POST /api/auth/register HTTP/1.1\r\nHost: localhost\r\n\
                Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(format!("{head}4400\r\n{}\r\n0\r\n\r\n", " ".repeat(0x4400))).await;

    let answer = raw.response().await;

    is_refused_and_recorded(&stockade, &answer, 413, "body_too_large").await;
}

#[tokio::test]
async fn nobody_is_connected_anywhere() {
    let stockade = Stockade::start().await;
    for (code, target) in [("method_not_allowed", "/api/products"), ("malformed_head", "x:443")] {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(format!("CONNECT {target} HTTP/1.1\r\nHost: x:443\r\n\r\n")).await;
        let status = if code == "malformed_head" { 400 } else { 405 };
        is_refused_and_recorded(&stockade, &raw.response().await, status, code).await;
    }
    let mut h2 = RawH2::connect(&stockade.door()).await;
    let end = h2.exchange(&[(b":method", b"CONNECT"), (b":authority", b"x:443")], None, None).await;
    assert_eq!(end.status, Some(400), "{end:?}");
    assert_eq!(end.header("content-type"), Some("application/problem+json"));
    assert!(end.header("strict-transport-security").is_some(), "{end:?}");
    let id = end.header("request-id").unwrap();
    assert_eq!(stockade.record(id).await["code"], "malformed_head");
}

#[tokio::test]
async fn a_refusal_of_a_method_names_those_that_are_answered() {
    let stockade = Stockade::start().await;
    let visitor = stockade.visitor();

    let export = visitor.call("DELETE", "/api/me/export").send().await;
    assert_eq!(export.header("allow"), Some("GET, HEAD"));
    let orders = visitor.call("PUT", "/api/orders").send().await;
    let mut allowed: Vec<_> = orders.header("allow").unwrap().split(", ").collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
}

#[tokio::test]
async fn a_refusal_for_want_of_a_token_says_how_to_show_one() {
    let stockade = Stockade::start().await;
    for protocol in Protocol::BOTH {
        let visitor = stockade.visitor().over(protocol);

        let missing = visitor.get("/api/orders").send().await;
        assert_eq!(missing.header("www-authenticate"), Some(r#"Bearer realm="stockade""#));
        let invalid = visitor.with_token("a.b.c").get("/api/orders").send().await;
        let challenge = invalid.header("www-authenticate").unwrap();
        assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
    }
}

#[tokio::test]
async fn a_refusal_of_head_has_no_body() {
    let stockade = Stockade::start().await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    for _ in 0..2 {
        raw.send("HEAD /api/orders HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        // A byte of a body would stand before the head of the second answer.
        assert_eq!(raw.response_head().await.status, 401);
    }
    raw.send("HEAD /api/orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await;
    assert_eq!(raw.response_head().await.status, 401);
    assert_eq!(raw.read_to_end().await.0, b"");
}

#[tokio::test]
async fn a_refusal_tells_nothing_from_inside() {
    let stockade = Stockade::start().await;
    let customer = stockade.member("customer");
    let answers = [
        customer.get("/api/inventory").send().await,
        customer.get("/api/orders/not-an-id").send().await,
        customer.post("/api/orders").key("k").body("application/json", "{").send().await,
    ];
    for answer in answers {
        let text = String::from_utf8(answer.body.to_vec()).unwrap();
        for inside in ["stockade_", "sqlx", "axum", "serde", "pingora", ".rs", "panick", "SELECT"] {
            assert!(!text.contains(inside), "`{inside}` in {text}");
        }
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_a_passing_fault() {
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let edge = EdgeSetup::default().in_front_of(nobody).start().await;
    for protocol in Protocol::BOTH {
        let answer = edge.visitor().over(protocol).get("/").send().await;
        let id = answer.refused(503, "upstream_unavailable");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(edge.record(&id).await["code"], "upstream_unavailable");
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_up_has_failed() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let edge = EdgeSetup::default().in_front_of(upstream.local_addr().unwrap()).start().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = upstream.accept().await {
            // It hears the beginning of a request, and leaves.
            drop(stream.read_u8().await);
        }
    });
    for protocol in Protocol::BOTH {
        let answer = edge.visitor().over(protocol).post("/").body("text/plain", "x").send().await;
        let id = answer.refused(502, "upstream_failed");
        assert_eq!(edge.record(&id).await["code"], "upstream_failed");
    }
}

#[tokio::test]
async fn an_upstream_that_says_nothing_is_not_waited_for_forever() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setup = EdgeSetup::default().in_front_of(upstream.local_addr().unwrap());
    let edge = setup.upstream("read_timeout_ms = 200").start().await;
    for protocol in Protocol::BOTH {
        let answer = edge.visitor().over(protocol).get("/").send().await;
        let id = answer.refused(504, "upstream_timeout");
        assert_eq!(edge.record(&id).await["code"], "upstream_timeout");
    }
}

#[tokio::test]
async fn without_keys_no_token_is_believed() {
    let routes = r#"
[resources]
things = { actions = ["see"] }
[routes]
mine = { match = "GET /mine", needs = "things.see", auth = "required" }
"#;
    let rows = "p, customer, things, see, any, allow\n";
    let policies = stockade_test_support::PolicyFolder::with(routes, rows);
    let edge = EdgeSetup::default().policies(policies).keyless().start().await;
    let token = edge.issuer().token("ann", &["customer"]);

    let answer = edge.visitor().with_token(&token).get("/mine").send().await;

    let id = answer.refused(503, "keys_unavailable");
    assert_eq!(edge.record(&id).await["code"], "keys_unavailable");
    assert!(edge.recorder().requests().iter().all(|request| request.target != "/mine"));
}

async fn is_refused_and_recorded(stockade: &Stockade, answer: &Answer, status: u16, code: &str) {
    let id = answer.refused(status, code);
    let record = stockade.record(&id).await;
    assert_eq!((&record["status"], &record["code"]), (&status.into(), &code.into()), "{record}");
}
