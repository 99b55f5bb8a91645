//! Pages of other origins: listed ones may read answers, and preflights are answered at the edge.

use stockade_test_support::{Answer, Call, EdgeAlone, EdgeSetup, PolicyFolder, Protocol};

const ROUTES: &str = r#"
[resources]
things = { actions = ["see", "change"] }
[cors]
origins = ["https://shop.example"]
credentials = true
max_age = "5m"
headers = ["content-type", "authorization"]
[routes]
see = { match = "GET /things", needs = "things.see", auth = "optional" }
change = { match = "PATCH /things", needs = "things.change", auth = "required" }
"#;

const POLICY: &str =
    "p, anonymous, things, see, any, allow\np, staff, things, change, any, allow\n";

const SHOP: &str = "https://shop.example";

async fn edge() -> EdgeAlone {
    EdgeSetup::default().policies(PolicyFolder::with(ROUTES, POLICY)).start().await
}

fn preflight(edge: &EdgeAlone, protocol: Protocol, origin: &str, method: &str) -> Call {
    let call = edge.visitor().over(protocol).call("OPTIONS", "/things");
    call.header("origin", origin).header("access-control-request-method", method)
}

/// The answer may be read by the shop's page.
#[track_caller]
fn granted(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(SHOP), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{answer:?}");
    varies(answer);
}

/// Nothing in the answer is for a page of another origin.
#[track_caller]
fn kept(answer: &Answer) {
    let cors = answer.headers.keys().find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(cors, None, "{answer:?}");
    varies(answer);
}

#[track_caller]
fn varies(answer: &Answer) {
    let mut vary = answer.headers.get_all("vary").iter();
    assert!(vary.any(|value| value.to_str().unwrap().contains("Origin")), "{answer:?}");
}

#[tokio::test]
async fn a_preflight_of_a_listed_page_is_answered_here() {
    let edge = edge().await;
    for protocol in Protocol::BOTH {
        let call = preflight(&edge, protocol, SHOP, "PATCH");
        let answer = call.header("access-control-request-headers", "Authorization").send().await;
        assert_eq!((answer.status, answer.body.len()), (204, 0), "{answer:?}");
        granted(&answer);
        let methods = answer.header("access-control-allow-methods").unwrap();
        assert!(methods.contains("PATCH") && methods.contains("GET"), "{methods}");
        let headers = answer.header("access-control-allow-headers");
        assert_eq!(headers, Some("content-type, authorization"));
        assert_eq!(answer.header("access-control-max-age"), Some("300"));
    }
    assert_eq!(edge.recorder().requests(), []);
}

#[tokio::test]
async fn other_pages_headers_and_methods_are_refused() {
    let edge = edge().await;
    for origin in ["https://evil.example", "http://shop.example", "https://shop.example.", "null"] {
        let answer = preflight(&edge, Protocol::Http1, origin, "PATCH").send().await;
        answer.refused(403, "origin_not_allowed");
        kept(&answer);
    }
    let header = preflight(&edge, Protocol::Http1, SHOP, "PATCH");
    let answer = header.header("access-control-request-headers", "x-other").send().await;
    answer.refused(403, "origin_not_allowed");
    preflight(&edge, Protocol::Http1, SHOP, "DELETE")
        .send()
        .await
        .refused(405, "method_not_allowed");
    // What is no preflight is an OPTIONS request like any other.
    let plain = edge.visitor().call("OPTIONS", "/things").header("origin", SHOP).send().await;
    plain.refused(405, "method_not_allowed");
    assert_eq!(edge.recorder().requests(), []);
}

#[tokio::test]
async fn a_listed_page_reads_answers_and_refusals_alike() {
    let edge = edge().await;
    for protocol in Protocol::BOTH {
        let visitor = edge.visitor().over(protocol);
        let seen = visitor.get("/things").header("origin", SHOP).send().await;
        assert_eq!(seen.status, 200);
        granted(&seen);
        let refused = visitor.call("PATCH", "/things").header("origin", SHOP).send().await;
        refused.refused(401, "token_missing");
        granted(&refused);
        let missing = visitor.get("/nothing").header("origin", SHOP).send().await;
        missing.refused(404, "no_route");
        granted(&missing);

        let other = visitor.get("/things").header("origin", "https://evil.example").send().await;
        assert_eq!(other.status, 200);
        kept(&other);
        kept(&visitor.get("/things").send().await);
    }
}
