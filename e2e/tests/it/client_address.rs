//! Whose word about a client's address is taken, and what follows from it.

use stockade_test_support::{EdgeAlone, EdgeSetup, PolicyFolder, Protocol};

/// An address of this machine that is no trusted proxy.
const STRANGER: &str = "127.0.0.2";

const ROUTES: &str = r#"
[resources]
things = { actions = ["see", "change"] }
[networks]
office = ["192.0.2.0/24"]
[roles]
staff = { network = "office" }
[limits]
few = { key = "address", quota = 2, per = "1h" }
[routes]
see = { match = "GET /things", needs = "things.see", auth = "optional" }
change = { match = "POST /things", needs = "things.change", auth = "required" }
near = { match = "GET /near", needs = "things.see", auth = "optional", network = "office" }
rare = { match = "GET /rare", needs = "things.see", auth = "none", limits = ["few"] }
"#;

const POLICY: &str =
    "p, anonymous, things, see, any, allow\np, staff, things, change, any, allow\n";

async fn edge(header: &str) -> EdgeAlone {
    let edge = format!("trusted_proxies = [\"127.0.0.1/32\", \"10.0.0.0/8\"]\n{header}");
    let policies = PolicyFolder::with(ROUTES, POLICY);
    EdgeSetup::default().policies(policies).edge(&edge).start().await
}

/// The client's address in the record of a request that says this about it.
async fn client(edge: &EdgeAlone, from: &str, fields: &[(&'static str, &str)]) -> String {
    let mut call = edge.visitor().at(from).get("/things");
    for (name, value) in fields {
        call = call.header(name, value);
    }
    let answer = call.send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let record = edge.record(answer.header("request-id").unwrap()).await;
    record["client"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_trusted_proxys_word_is_taken_and_nobody_elses() {
    let edge = edge("").await;
    let xff = "x-forwarded-for";
    for (from, fields, expected) in [
        ("127.0.0.1", &[(xff, "198.51.100.7")][..], "198.51.100.7"),
        ("127.0.0.1", &[(xff, "192.0.2.1, 198.51.100.7")], "198.51.100.7"),
        ("127.0.0.1", &[(xff, "192.0.2.1"), (xff, "198.51.100.7, 10.0.0.9")], "198.51.100.7"),
        ("127.0.0.1", &[(xff, "2001:db8::7")], "2001:db8::7"),
        ("127.0.0.1", &[], "unknown"),
        ("127.0.0.1", &[(xff, "10.0.0.9")], "unknown"),
        ("127.0.0.1", &[(xff, "192.0.2.1, nonsense")], "unknown"),
        ("127.0.0.1", &[("forwarded", "for=192.0.2.1"), ("x-real-ip", "192.0.2.1")], "unknown"),
        (STRANGER, &[(xff, "192.0.2.1")], STRANGER),
        (STRANGER, &[], STRANGER),
    ] {
        assert_eq!(client(&edge, from, fields).await, expected, "{from} {fields:?}");
    }
    assert!(edge.recorder().take().iter().all(|request| request.values(xff).is_empty()));
}

#[tokio::test]
async fn the_standard_header_is_read_where_it_is_set() {
    let edge = edge("forwarded_header = \"forwarded\"").await;
    let fields = [("forwarded", "for=\"[2001:db8::7]:4711\";proto=https")];
    assert_eq!(client(&edge, "127.0.0.1", &fields).await, "2001:db8::7");
    let other = [("x-forwarded-for", "192.0.2.1")];
    assert_eq!(client(&edge, "127.0.0.1", &other).await, "unknown");
}

#[tokio::test]
async fn networks_and_limits_are_those_of_the_client() {
    let edge = edge("").await;
    let staff = edge.visitor().with_token(&edge.issuer().token("ann", &["staff"]));
    for protocol in Protocol::BOTH {
        let staff = staff.clone().over(protocol);
        let change = |from| staff.post("/things").header("x-forwarded-for", from).send();
        assert_eq!(change("192.0.2.9").await.status, 200);
        change("198.51.100.7").await.refused(403, "network_not_allowed");
        // What a client puts before the proxy's own entry changes nothing.
        change("192.0.2.9, 198.51.100.7").await.refused(403, "network_not_allowed");
        staff.post("/things").send().await.refused(403, "network_not_allowed");
        let stranger = staff.clone().at(STRANGER);
        let spoof = stranger.get("/near").header("x-forwarded-for", "192.0.2.9").send().await;
        spoof.refused(403, "network_not_allowed");
    }
    let rare = |from| edge.visitor().get("/rare").header("x-forwarded-for", from).send();
    for _ in 0..2 {
        assert_eq!(rare("198.51.100.7").await.status, 200);
    }
    rare("198.51.100.7").await.refused(429, "rate_limited");
    assert_eq!(rare("198.51.100.8").await.status, 200);
}
