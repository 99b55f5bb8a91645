//! A connection is kept where it can be, and given up where it must be; either way every request
//! is answered.

use std::fs;

use stockade_test_support::{Ending, FrameKind, Process, Protocol, RawH2, RawTls, Stockade};

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let stockade = Stockade::start().await;
    for protocol in Protocol::BOTH {
        let customer = stockade.member("customer").over(protocol);
        let mut connection = customer.connect().await.unwrap();
        for number in 0..50 {
            let (status, path) = match number % 3 {
                0 => (200, "/api/orders"),
                1 => (404, "/nowhere"),
                _ => (403, "/api/inventory"),
            };
            let answer = customer.get(path).send_on(&mut connection).await.unwrap();
            assert_eq!(answer.status, status, "{protocol:?} {number}");
        }
    }
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let stockade = Stockade::start().await;
    let token = &stockade.session("customer").token;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let refused = "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\
                   Content-Type: application/json\r\n\r\n{\"lines\":[]}";
    let order = format!(
        "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: k\r\nContent-Type: application/json\r\n\
         Transfer-Encoding: chunked\r\n\r\n\
         1d\r\n{{\"lines\":[{{\"sku\":\"MUG-BLUE\",\"\r\n\
         e\r\nquantity\":1}}]}}\r\n0\r\n\r\n"
    );
    let requests = [
        (200, get("/api/products")),
        (404, get("/nowhere")),
        (401, refused.to_owned()),
        (201, order),
        (200, get("/api/products?limit=1")),
        (401, get("/api/orders")),
        (200, get("/api/products")),
    ];
    let all: String = requests.iter().map(|(_, text)| text.as_str()).collect();

    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(all).await;

    for (number, (status, _)) in requests.iter().enumerate() {
        let answer = raw.response().await;
        assert_eq!(answer.status, *status, "{number}: {answer:?}");
    }
}

#[tokio::test]
async fn pipelined_requests_that_come_in_pieces_are_answered_in_order() {
    let stockade = Stockade::start().await;
    let requests = "GET /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n\
                    GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n";
    for cut in [1, 20, 40, requests.len() / 2, requests.len() / 2 + 3, requests.len() - 1] {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(&requests[..cut]).await;
        raw.send(&requests[cut..]).await;
        assert_eq!(raw.response().await.status, 200, "{cut}");
        assert_eq!(raw.response().await.status, 404, "{cut}");
    }
}

#[tokio::test]
async fn a_client_that_wants_to_end_the_connection_ends_it() {
    let stockade = Stockade::start().await;
    for (path, status) in [("/api/products", 200), ("/nowhere", 404), ("/api/orders", 401)] {
        for head in [
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
            format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n"),
        ] {
            let mut raw = RawTls::http1(&stockade.door()).await;
            raw.send(head).await;
            assert_eq!(raw.response().await.status, status);
            assert_eq!(raw.read_to_end().await, (Vec::new(), Ending::Closed), "{path}");
        }
    }
}

#[tokio::test]
async fn a_small_body_refused_early_leaves_the_connection_usable() {
    let stockade = Stockade::start().await;
    let body = " ".repeat(1024);
    let refused = format!(
        "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: 1024\r\n\r\n{body}"
    );
    let mut raw = RawTls::http1(&stockade.door()).await;
    for _ in 0..3 {
        raw.send(&refused).await;
        raw.response().await.refused(401, "token_missing");
        raw.send("GET /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!(raw.response().await.status, 200);
    }
}

#[tokio::test]
async fn a_body_is_never_taken_for_a_request() {
    let stockade = Stockade::start().await;
    let inner = "GET /api/products HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let refused = format!(
        "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{inner}",
        inner.len()
    );
    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(&refused).await;
    raw.send("GET /api/orders HTTP/1.1\r\nHost: localhost\r\n\r\n").await;

    raw.response().await.refused(404, "no_route");
    raw.response().await.refused(401, "token_missing");
}

#[tokio::test]
async fn a_large_refused_body_gets_its_answer_before_the_connection_ends() {
    let stockade = Stockade::start().await;
    let body = vec![b' '; 200 * 1024];
    for framing in ["Content-Length: 204800", "Transfer-Encoding: chunked"] {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(format!(
            "POST /api/auth/register HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/json\r\n{framing}\r\n\r\n"
        ))
        .await;
        if framing.ends_with("chunked") {
            raw.send("32000\r\n").await;
        }
        // All of it is sent before a byte of the answer is read.
        raw.send(&body).await;

        raw.response().await.refused(413, "body_too_large");
        assert_ne!(raw.read_to_end().await.1, Ending::Reset, "{framing}");
    }
}

#[tokio::test]
async fn a_client_that_expects_100_is_told_to_go_on_or_why_not() {
    let stockade = Stockade::start().await;
    let head = |token: &str, length: usize| {
        format!(
            "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Expect: 100-continue\r\n\r\n"
        )
    };
    let body = r#"{"lines":[{"sku":"MUG-BLUE","quantity":1}]}"#;

    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(head(&stockade.session("customer").token, body.len())).await;
    assert_eq!(raw.response().await.status, 100);
    raw.send(body).await;
    assert_eq!(raw.response().await.status, 201);

    let mut raw = RawTls::http1(&stockade.door()).await;
    raw.send(head("a.b.c", body.len())).await;
    raw.response().await.refused(401, "token_invalid");
}

#[tokio::test]
async fn a_stream_refused_while_its_body_is_sent_is_answered() {
    let stockade = Stockade::start().await;
    let mut h2 = RawH2::connect(&stockade.door()).await;
    for _ in 0..3 {
        let stream = h2
            .open(&[
                (b":method", b"POST"),
                (b":scheme", b"https"),
                (b":authority", b"localhost"),
                (b":path", b"/api/orders"),
                (b"content-type", b"application/json"),
            ])
            .await;
        h2.data(stream, &[b' '; 1000]).await;

        let end = h2.end_of(stream).await;

        assert_eq!((end.status, end.complete), (Some(401), true), "{end:?}");
        assert_eq!(end.header("content-type"), Some("application/problem+json"));
        // A client that has not noticed yet sends on; that harms nobody.
        h2.try_send(FrameKind::Data, 0, stream, &[b' '; 1000]).await.unwrap();
    }
}

#[tokio::test]
async fn curl_is_answered_while_it_sends_five_megabytes() {
    let stockade = Stockade::start().await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("large"), vec![b' '; 5 * 1024 * 1024]).unwrap();
    let routes = [("/api/auth/register", "413"), ("/api/orders", "413"), ("/nowhere", "404")];
    for protocol in ["--http2", "--http1.1"] {
        for (path, status) in routes {
            let url = format!("{}{path}", stockade.url());
            let authority = stockade.authority().display().to_string();
            let arguments = [
                "-sS",
                protocol,
                "--max-time",
                "20",
                "--cacert",
                &authority,
                "-H",
                "Content-Type: application/json",
                "-H",
                "Expect:",
                "--data-binary",
                "@large",
                "-o",
                "answer",
                "-w",
                "%{http_code}",
                &url,
            ];
            let mut curl = Process::spawn("/usr/bin/curl".as_ref(), arguments, folder.path());
            let ended = curl.end().await;
            let told = (curl.stdout(), curl.stderr());
            assert_eq!(told.0, status, "{protocol} {path}: {ended} {}", told.1);
            assert!(ended.success(), "{protocol} {path}: {ended} {}", told.1);
        }
    }
}

#[tokio::test]
async fn curl_is_answered_when_a_small_body_is_refused() {
    let stockade = Stockade::start().await;
    let folder = tempfile::tempdir().unwrap();
    for size in [1_000, 60_000] {
        fs::write(folder.path().join("body"), vec![b' '; size]).unwrap();
        for protocol in ["--http2", "--http1.1"] {
            let url = format!("{}/api/orders", stockade.url());
            let authority = stockade.authority().display().to_string();
            let arguments = [
                "-sS",
                protocol,
                "--max-time",
                "20",
                "--cacert",
                &authority,
                "-H",
                "Content-Type: application/json",
                "--data-binary",
                "@body",
                "-o",
                "answer",
                "-w",
                "%{http_code}",
                &url,
            ];
            let mut curl = Process::spawn("/usr/bin/curl".as_ref(), arguments, folder.path());
            let ended = curl.end().await;
            assert_eq!(curl.stdout(), "401", "{protocol} {size}: {ended} {}", curl.stderr());
            assert!(ended.success(), "{protocol} {size}: {ended} {}", curl.stderr());
        }
    }
}
