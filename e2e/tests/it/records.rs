//! A decision record says who asked with what, whatever came of it.

use serde_json::{Value, json};
use stockade_test_support::{EdgeAlone, EdgeSetup, PolicyFolder};

const ROUTES: &str = r#"
[resources]
things = { owned = true, actions = ["see", "change"] }
[networks]
here = ["127.0.0.1/32"]
[roles]
staff = { network = "here" }
admin = { network = "here", mfa = "1h" }
[limits]
once = { key = "principal", quota = 1, per = "1h" }
[routes]
see = { match = "GET /things", needs = "things.see", auth = "optional" }
change = { match = "POST /things", needs = "things.change", auth = "required" }
rare = { match = "GET /rare", needs = "things.see", auth = "required", limits = ["once"] }
near = { match = "GET /near", needs = "things.see", auth = "optional", network = "here" }
"#;

const POLICY: &str =
    "p, anonymous, things, see, own, allow\np, admin, things, change, any, allow\n";

/// The record of a request by somebody with this token.
async fn record(edge: &EdgeAlone, token: Option<&str>, request: &str) -> Value {
    let (method, path) = request.split_once(' ').unwrap();
    let visitor = edge.visitor();
    let client = token.map_or(visitor.clone(), |token| visitor.with_token(token));
    let answer = client.call(method, path).send().await;
    edge.record(answer.header("request-id").unwrap()).await
}

#[track_caller]
fn check(record: &Value, expected: [(&str, Value); 6]) {
    for (name, value) in expected {
        assert_eq!(record[name], value, "`{name}` of {record}");
    }
}

#[tokio::test]
async fn it_names_what_was_held_what_counted_and_which_conditions_were_met() {
    let policies = PolicyFolder::with(ROUTES, POLICY);
    let edge = EdgeSetup::default().policies(policies).start().await;
    let mut claims = edge.issuer().claims("ann", &["staff", "stranger", "admin"]);
    let now = claims["iat"].as_u64().unwrap();
    claims["auth_time"] = json!(now - 4_000);
    claims["amr"] = json!(["pwd", "otp"]);
    let stale = edge.issuer().sign(&claims);
    claims["auth_time"] = json!(now - 100);
    let fresh = edge.issuer().sign(&claims);
    let held = json!("staff stranger admin");

    let admitted = record(&edge, Some(&fresh), "POST /things").await;
    check(
        &admitted,
        [
            ("account", json!("ann")),
            ("held", held.clone()),
            ("roles", json!("staff admin")),
            ("conditions", json!("network=here mfa")),
            ("scope", json!("any")),
            ("code", Value::Null),
        ],
    );
    let age = admitted["mfa_s"].as_u64().unwrap();
    assert!((100..200).contains(&age), "{admitted}");

    let refused = record(&edge, Some(&stale), "POST /things").await;
    check(
        &refused,
        [
            ("account", json!("ann")),
            ("held", held.clone()),
            ("roles", json!("staff")),
            ("conditions", json!("network=here")),
            ("scope", Value::Null),
            ("code", json!("mfa_required")),
        ],
    );

    assert_eq!(record(&edge, Some(&fresh), "GET /rare").await["status"], json!(200));
    let limited = record(&edge, Some(&fresh), "GET /rare").await;
    check(
        &limited,
        [
            ("account", json!("ann")),
            ("held", held),
            ("roles", json!("staff admin")),
            ("conditions", json!("network=here mfa")),
            ("step", json!("principal_limit")),
            ("code", json!("rate_limited")),
        ],
    );
}

#[tokio::test]
async fn nobody_known_holds_nothing() {
    let policies = PolicyFolder::with(ROUTES, POLICY);
    let edge = EdgeSetup::default().policies(policies).start().await;
    let none = Value::Null;
    check(
        &record(&edge, None, "GET /near").await,
        [
            ("account", none.clone()),
            ("held", none.clone()),
            ("roles", json!("anonymous")),
            ("conditions", json!("network=here")),
            ("mfa_s", none.clone()),
            ("scope", json!("own")),
        ],
    );
    let bare = edge.issuer().token("bob", &[]);
    check(
        &record(&edge, Some(&bare), "GET /things").await,
        [
            ("account", json!("bob")),
            ("held", json!("")),
            ("roles", json!("")),
            ("conditions", none.clone()),
            ("scope", none.clone()),
            ("code", json!("permission_denied")),
        ],
    );
    for (token, code) in [(Some("a.b.c"), "token_invalid"), (None, "token_missing")] {
        check(
            &record(&edge, token, "POST /things").await,
            [
                ("account", none.clone()),
                ("held", none.clone()),
                ("roles", json!("")),
                ("conditions", none.clone()),
                ("scope", none.clone()),
                ("code", json!(code)),
            ],
        );
    }
}
