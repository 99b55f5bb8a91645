//! The headers that every answer carries, whoever made it, over either protocol.

use stockade_test_support::{Answer, Call, Client, Protocol, RawTls, Stockade};

/// What is promised on every answer.
const ALWAYS: [(&str, &str); 4] = [
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
];

#[tokio::test]
async fn every_answer_carries_them() {
    let stockade = Stockade::start().await;
    for protocol in Protocol::BOTH {
        let visitor = stockade.visitor().over(protocol);
        let customer = stockade.member("customer").over(protocol);
        let answers = [
            (200, visitor.get("/api/products")),
            (200, customer.get("/api/orders")),
            (400, visitor.get("/api/./products")),
            (401, visitor.get("/api/orders")),
            (403, customer.get("/api/inventory")),
            (404, visitor.get("/nowhere")),
            (404, visitor.get("/api/products/00000000-0000-7000-8000-000000000000")),
            (405, visitor.call("DELETE", "/api/products")),
            (413, too_large(&visitor)),
            (415, visitor.post("/api/auth/register").body("text/plain", "x")),
            (422, customer.post("/api/orders").key("k").json(&serde_json::json!({"lines": []}))),
        ];
        for (status, call) in answers {
            let answer = call.send().await;
            assert_eq!(answer.status, status, "{answer:?}");
            carries_them(&answer);
        }
    }
}

#[tokio::test]
async fn an_answer_to_a_head_that_is_no_head_carries_them() {
    let stockade = Stockade::start().await;
    let malformed =
        ["GET / HTTP/1.1\n\n", "GET /\r\n\r\n", "nonsense\r\n\r\n", "GET / HTTP/1.1\r\nX\r\n\r\n"];
    for head in malformed {
        let mut raw = RawTls::http1(&stockade.door()).await;
        raw.send(head).await;
        let answer = raw.response().await;
        answer.refused(400, "malformed_head");
        carries_them(&answer);
    }
}

#[tokio::test]
async fn an_answer_to_head_carries_them() {
    let stockade = Stockade::start().await;
    for protocol in Protocol::BOTH {
        let visitor = stockade.visitor().over(protocol);
        for (status, path) in [(200, "/api/products"), (401, "/api/orders"), (404, "/nowhere")] {
            let answer = visitor.call("HEAD", path).send().await;
            assert_eq!(answer.status, status);
            carries_them(&answer);
            assert!(answer.body.is_empty());
        }
    }
}

#[tokio::test]
async fn no_two_answers_have_one_request_id() {
    let stockade = Stockade::start().await;
    let mut ids = Vec::new();
    for path in ["/api/products", "/api/products", "/nowhere", "/nowhere"] {
        let answer = stockade.visitor().get(path).header("request-id", "mine").send().await;
        ids.push(answer.header("request-id").unwrap().to_owned());
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "{ids:?}");
    assert!(!ids.contains(&"mine".to_owned()));
}

fn too_large(client: &Client) -> Call {
    client.post("/api/auth/register").body("application/json", vec![b' '; 17 * 1024])
}

#[track_caller]
fn carries_them(answer: &Answer) {
    for (name, value) in ALWAYS {
        assert_eq!(answer.header(name), Some(value), "{name} of {answer:?}");
    }
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(answer.header("request-id").is_some_and(|id| !id.is_empty()), "{answer:?}");
    assert!(answer.header("cache-control").is_some(), "{answer:?}");
    for name in answer.headers.keys().map(|name| name.as_str()) {
        let tells = name == "server" || name == "x-powered-by" || name.starts_with("stockade");
        assert!(!tells, "`{name}` reached a client");
    }
}
