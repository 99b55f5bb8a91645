//! Who may do what, to whose, and from where.

use serde_json::{Value, json};
use stockade_test_support::{
    Answer, Client, EdgeAlone, EdgeSetup, PolicyFolder, Protocol, Stockade,
};

use crate::orders::order;

/// An address of this machine that is in no network of the shipped policy.
const ELSEWHERE: &str = "127.0.0.2";

#[tokio::test]
async fn customers_reach_their_own_orders_only() {
    let stockade = Stockade::start().await;
    let (ann, bob) = (register(&stockade, "ann").await, stockade.member("customer"));
    let anns = id(&order(&ann, "MUG-BLUE", 1, "key-1").send().await);
    let bobs = id(&order(&bob, "MUG-SAND", 1, "key-1").send().await);

    assert_eq!(orders_of(&ann).await, [anns.as_str()]);
    assert_eq!(orders_of(&bob).await, [bobs.as_str()]);
    ann.get(&format!("/api/orders/{bobs}")).send().await.refused(404, "not_found");
    bob.get(&format!("/api/orders/{anns}")).send().await.refused(404, "not_found");
    assert_eq!(ann.get(&format!("/api/orders/{anns}")).send().await.status, 200);
}

#[tokio::test]
async fn staff_see_everybodys_orders() {
    let stockade = Stockade::start().await;
    let placed = order(&stockade.member("customer"), "MUG-BLUE", 1, "key-1").send().await;
    let placed = id(&placed);

    for role in ["staff", "admin", "super-admin"] {
        let member = stockade.member(role);
        assert_eq!(orders_of(&member).await, [placed.as_str()], "{role}");
        let order = member.get(&format!("/api/orders/{placed}")).send().await;
        assert_eq!(order.status, 200, "{role}");
    }
}

#[tokio::test]
async fn admins_receive_stock_and_nobody_below_them() {
    let stockade = Stockade::start().await;
    let receive = |client: Client| {
        let body = json!({"kind": "receive", "quantity": 5});
        client.post("/api/inventory/PRINT-10/movements").key("key-1").json(&body).send()
    };

    receive(stockade.visitor()).await.refused(401, "token_missing");
    receive(stockade.member("customer")).await.refused(403, "permission_denied");
    receive(stockade.member("staff")).await.refused(403, "permission_denied");
    assert_eq!(crate::orders::stock(&stockade, "PRINT-10").await, (10, 0));

    assert_eq!(receive(stockade.member("admin")).await.status, 201);
    assert_eq!(crate::orders::stock(&stockade, "PRINT-10").await, (15, 0));
}

#[tokio::test]
async fn an_admins_token_is_worth_nothing_elsewhere() {
    let stockade = Stockade::start().await;
    for (role, protocol) in [("admin", Protocol::Http1), ("super-admin", Protocol::Http2)] {
        let elsewhere = stockade.member(role).over(protocol).at(ELSEWHERE);

        // Not even for what customers may do: what the role inherits does not count, either.
        for path in ["/api/orders", "/api/inventory", "/api/me"] {
            let refusal = elsewhere.get(path).send().await;
            let id = refusal.refused(403, "network_not_allowed");
            let detail = refusal.json()["detail"].as_str().unwrap().to_owned();
            assert!(detail.contains(&format!("`{role}`")), "{detail}");
            assert_eq!(stockade.record(&id).await["client"], ELSEWHERE);
        }
        assert_eq!(elsewhere.get("/api/products").send().await.status, 403, "{role}");
    }
    let customer = stockade.member("customer").at(ELSEWHERE);
    assert_eq!(customer.get("/api/orders").send().await.status, 200);
}

#[tokio::test]
async fn what_a_client_says_about_itself_changes_nothing() {
    let stockade = Stockade::start().await;
    let elsewhere = stockade.member("admin").at(ELSEWHERE);
    let spoofed = [
        ("stockade-assertion", "v1.e30.e30"),
        ("stockade_assertion", "v1.e30.e30"),
        ("stockade.assertion", "v1.e30.e30"),
        ("stockade-outcome", "login_failed"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x_forwarded_for", "127.0.0.1"),
        ("x-real-ip", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("x-original-url", "/api/products"),
        ("x-http-method-override", "POST"),
    ];
    for protocol in Protocol::BOTH {
        for (name, value) in spoofed {
            let spoof =
                |client: Client| client.over(protocol).get("/api/inventory").header(name, value);
            let refusal = spoof(elsewhere.clone()).send().await;
            let id = refusal.refused(403, "network_not_allowed");
            assert_eq!(stockade.record(&id).await["client"], ELSEWHERE, "{name}");
            spoof(stockade.visitor()).send().await.refused(401, "token_missing");
            spoof(stockade.member("customer")).send().await.refused(403, "permission_denied");
            assert_eq!(spoof(stockade.member("staff")).send().await.status, 200, "{name}");
        }
    }
}

#[tokio::test]
async fn a_clients_headers_never_speak_to_the_upstream_in_the_edges_name() {
    let edge = EdgeAlone::start().await;
    for protocol in Protocol::BOTH {
        let call = edge.visitor().over(protocol).with_token("a.b.c").get("/p?q=1");
        let call = call
            .header("stockade-assertion", "mine")
            .header("stockade_assertion", "mine")
            .header("stockade.subject", "mine")
            .header("x-forwarded-for", "127.0.0.1")
            .header("x-kept", "1");
        assert_eq!(call.send().await.status, 200);

        let [request] = edge.recorder().take().try_into().unwrap();
        assert_eq!((request.method.as_str(), request.target.as_str()), ("GET", "/p?q=1"));
        assert_eq!(request.values("x-kept"), ["1"]);
        for name in ["authorization", "stockade_assertion", "stockade.subject", "x-forwarded-for"] {
            assert_eq!(request.values(name), Vec::<&str>::new(), "{name}");
        }
        let assertions = request.values("stockade-assertion");
        assert!(matches!(assertions.as_slice(), [one] if *one != "mine"), "{assertions:?}");
    }
    assert_eq!(edge.recorder().malformed(), Vec::<String>::new());
}

#[tokio::test]
async fn a_bad_token_is_refused_and_never_counts_as_none() {
    let stockade = Stockade::start().await;
    let good = &stockade.session("customer").token;
    let refused = ["x", "a.b.c", &tampered(good), &good[..good.len() - 4]];
    for token in refused {
        // `required` and `optional` alike.
        for path in ["/api/orders", "/api/products"] {
            let refusal = stockade.visitor().with_token(token).get(path).send().await;
            refusal.refused(401, "token_invalid");
            let challenge = refusal.header("www-authenticate").unwrap();
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            assert!(challenge.contains(r#"error="invalid_token""#), "{challenge}");
        }
    }
    assert_eq!(stockade.visitor().with_token(good).get("/api/orders").send().await.status, 200);
}

#[tokio::test]
async fn a_route_without_authentication_ignores_a_bad_token() {
    let stockade = Stockade::start().await;
    let (_, username, password) = stockade.accounts().swap_remove(0);

    let token = stockade.visitor().with_token("a.b.c").log_in(&username, &password).await;

    assert_eq!(stockade.visitor().with_token(&token).get("/api/me").send().await.status, 200);
}

#[tokio::test]
async fn a_token_counts_only_within_its_life_for_us_and_from_its_issuer() {
    let edge = edge_with_one_guarded_route().await;
    let issuer = edge.issuer();
    let claims = issuer.claims("ann", &["customer"]);
    let changed = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        issuer.sign(&claims)
    };
    let now = claims["iat"].as_u64().unwrap();
    let ask = |token: &str| edge.visitor().with_token(token).get("/mine").send();

    assert_eq!(ask(&issuer.sign(&claims)).await.status, 200);
    for token in [
        changed("exp", json!(now - 60)),
        changed("nbf", json!(now + 60)),
        changed("aud", json!("somebody else")),
        changed("iss", json!("https://elsewhere.test")),
        changed("sub", Value::Null),
    ] {
        ask(&token).await.refused(401, "token_invalid");
    }
    let stranger = stockade_test_support::TestIssuer::default();
    ask(&stranger.token("ann", &["customer"])).await.refused(401, "token_invalid");
    ask(&issuer.token("ann", &["nobody-knows-this-role"])).await.refused(403, "permission_denied");
    assert_eq!(edge.recorder().requests().len(), 1);
}

async fn edge_with_one_guarded_route() -> EdgeAlone {
    let routes = r#"
[resources]
things = { actions = ["see"] }
[routes]
mine = { match = "GET /mine", needs = "things.see", auth = "required" }
"#;
    let policies = PolicyFolder::with(routes, "p, customer, things, see, any, allow\n");
    EdgeSetup::default().policies(policies).start().await
}

/// Another customer, through the same door as everybody.
async fn register(stockade: &Stockade, username: &str) -> Client {
    let (visitor, password) = (stockade.visitor(), "a long passphrase");
    let email = format!("{username}@example.test");
    let body = json!({"username": username, "password": password, "email": email});
    let answer = visitor.post("/api/auth/register").json(&body).send().await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let token = visitor.log_in(username, &password.replace(' ', "+")).await;
    visitor.with_token(&token)
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn orders_of(client: &Client) -> Vec<String> {
    let answer = client.get("/api/orders").send().await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let items = answer.json()["items"].as_array().unwrap().clone();
    items.iter().map(|order| order["id"].as_str().unwrap().to_owned()).collect()
}

/// The same token with one letter of its claims changed.
fn tampered(token: &str) -> String {
    let (head, rest) = token.split_once('.').unwrap();
    let swap = if rest.as_bytes()[10] == b'A' { "B" } else { "A" };
    format!("{head}.{}{swap}{}", &rest[..10], &rest[11..])
}
