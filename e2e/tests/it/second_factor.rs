//! Some roles and routes count only with a fresh second factor; the shop's staff is one of them.

use serde_json::{Value, json};
use stockade_test_support::{Answer, EdgeAlone, EdgeSetup, PolicyFolder, Stockade};

const ROUTES: &str = r#"
[resources]
things = { actions = ["see", "change"] }
[roles]
staff = { mfa = "1h" }
[routes]
see = { match = "GET /things", needs = "things.see", auth = "required" }
change = { match = "POST /things", needs = "things.change", auth = "required" }
recent = { match = "GET /recent", needs = "things.see", auth = "required", mfa = "5m" }
"#;

const POLICY: &str = "p, customer, things, see, any, allow\np, staff, things, change, any, allow\n";

async fn edge() -> EdgeAlone {
    EdgeSetup::default().policies(PolicyFolder::with(ROUTES, POLICY)).start().await
}

/// What somebody is answered who authenticated so, so many seconds ago.
async fn ask(edge: &EdgeAlone, method: &str, path: &str, who: (&[&str], Value, u64)) -> Answer {
    let (roles, amr, age) = who;
    let mut claims = edge.issuer().claims("ann", roles);
    claims["amr"] = amr;
    claims["auth_time"] = json!(claims["iat"].as_u64().unwrap() - age);
    let client = edge.visitor().with_token(&edge.issuer().sign(&claims));
    client.call(method, path).send().await
}

fn challenges(answer: &Answer, max_age: u32) -> String {
    let id = answer.refused(401, "mfa_required");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer "), "{challenge}");
    assert!(challenge.contains(r#"error="insufficient_user_authentication""#), "{challenge}");
    assert!(challenge.ends_with(&format!(", max_age={max_age}")), "{challenge}");
    id
}

#[tokio::test]
async fn a_role_counts_while_its_second_factor_is_fresh() {
    let edge = edge().await;
    let staff: &[&str] = &["staff"];
    let change = |amr: Value, age| ask(&edge, "POST", "/things", (staff, amr, age));

    assert_eq!(change(json!(["pwd", "otp"]), 10).await.status, 200);
    assert_eq!(change(json!(["mfa"]), 3_500).await.status, 200);
    challenges(&change(json!(["pwd", "otp"]), 3_700).await, 3600);
    challenges(&change(json!(["pwd"]), 10).await, 3600);
    let id = challenges(&change(json!([]), 10).await, 3600);
    assert_eq!(edge.record(&id).await["step"], "authorize");
    // What the role inherits does not count, either; another role does.
    challenges(&ask(&edge, "GET", "/things", (staff, json!(["pwd"]), 10)).await, 3600);
    let both: &[&str] = &["staff", "customer"];
    assert_eq!(ask(&edge, "GET", "/things", (both, json!(["pwd"]), 10)).await.status, 200);
    // Nobody is asked for a second factor that would not help.
    let customer: &[&str] = &["customer"];
    let refusal = ask(&edge, "POST", "/things", (customer, json!(["pwd"]), 10)).await;
    refusal.refused(403, "permission_denied");
}

#[tokio::test]
async fn a_route_may_want_it_of_everybody() {
    let edge = edge().await;
    let customer: &[&str] = &["customer"];
    let recent = |amr: Value, age| ask(&edge, "GET", "/recent", (customer, amr, age));

    assert_eq!(recent(json!(["hwk"]), 200).await.status, 200);
    challenges(&recent(json!(["hwk"]), 400).await, 300);
    let id = challenges(&recent(json!(["pwd", "sms"]), 1).await, 300);
    assert_eq!(edge.record(&id).await["step"], "mfa");
    edge.visitor().get("/recent").send().await.refused(401, "token_missing");
}

#[tokio::test]
async fn an_issuer_of_before_never_vouches_for_it() {
    let own = stockade_test_support::TestIssuer::default();
    let lines = "issuer = \"https://issuer.test\"\naudience = \"edge-alone\"\nmax_role = \"staff\"";
    let policies = PolicyFolder::with(ROUTES, POLICY);
    let setup = EdgeSetup::default().policies(policies).issuer(lines, &own.key_set());
    let edge = setup.start().await;
    let mut claims = own.claims("ann", &["staff"]);
    claims["amr"] = json!(["pwd", "otp", "mfa"]);

    let client = edge.visitor().with_token(&own.sign(&claims));

    challenges(&client.call("POST", "/things").send().await, 3600);
}

#[tokio::test]
async fn staff_of_the_shop_are_customers_until_they_enrol_a_second_factor() {
    let stockade = Stockade::start().await;
    let visitor = stockade.visitor();
    let body = json!({
        "username": "newcomer", "password": "a long passphrase", "email": "n@example.test"
    });
    let registered = visitor.post("/api/auth/register").json(&body).send().await;
    let id = registered.json()["id"].as_str().unwrap().to_owned();
    let promote = stockade.member("super-admin").call("PATCH", &format!("/api/admin/users/{id}"));
    let promoted = promote.json(&json!({"role": "staff"})).send().await;
    assert_eq!((promoted.status, &promoted.json()["roles"]), (200, &json!(["staff"])));

    let token = visitor.log_in("newcomer", "a+long+passphrase").await;
    let newcomer = stockade.visitor().with_token(&token);
    challenges(&newcomer.get("/api/inventory").send().await, 12 * 60 * 60);
    assert_eq!(newcomer.get("/api/orders").send().await.status, 200);
    let begun = newcomer.post("/api/me/totp").send().await;
    assert_eq!(begun.status, 201, "{begun:?}");
    assert!(begun.json()["uri"].as_str().unwrap().starts_with("otpauth://totp/Stockade:newcomer?"));

    // Those of the demo have theirs, and a password alone opens nothing of theirs.
    assert_eq!(stockade.member("staff").get("/api/inventory").send().await.status, 200);
    let accounts = stockade.accounts();
    let (_, username, password) = accounts.iter().find(|(role, ..)| role == "staff").unwrap();
    let fields = [
        ("grant_type", "password"),
        ("username", username.as_str()),
        ("password", password.as_str()),
    ];
    let asked = visitor.post("/api/auth/token").form(&fields).send().await;
    asked.refused(403, "mfa_required");
}
