//! Promises of `/api/auth`, `/api/me` and `/internal/jwks`.

use hyper::StatusCode;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use stockade_core_api::DemoAccount;

use crate::call::{Answer, Call};
use crate::world::{BEGINNING, World};

pub(crate) const PASSWORD: &str = "correct horse battery staple";

pub(crate) fn register(world: &World, username: &str, email: &str) -> Call {
    let body = json!({"username": username, "password": PASSWORD, "email": email});
    world.call("POST", "/api/auth/register").json(&body)
}

fn token(world: &World, form: &str) -> Call {
    world.call("POST", "/api/auth/token").raw("application/x-www-form-urlencoded", form)
}

pub(crate) async fn claims(world: &World, token: &str) -> Value {
    let keys = world.call("GET", "/internal/jwks").by("edge").send().await;
    let keys: JwkSet = serde_json::from_value(keys.body).unwrap();
    let header = decode_header(token).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::ES256, Some("at+jwt")));
    let key = keys.find(header.kid.as_deref().unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["stockade"]);
    validation.set_issuer(&["https://localhost:8443"]);
    // The world's clock is not the system's.
    validation.validate_exp = false;
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).unwrap().claims
}

/// A login with the password of everybody here.
pub(crate) fn login(world: &World, username: &str) -> Call {
    let form =
        format!("grant_type=password&username={username}&password={}", PASSWORD.replace(' ', "+"));
    token(world, &form)
}

fn refused_as(answer: &Answer, error: &str) {
    answer.refused(400, if error == "invalid_request" { "invalid_token_request" } else { error });
    assert_eq!(answer.body["error"], error);
    assert!(answer.body["error_description"].is_string());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn whoever_registers_can_log_in_and_see_themselves() {
    let world = World::start().await;
    let registered = register(&world, "Ann42", "Ann@example.org").send().await;
    registered.created();
    assert_eq!(registered.text("username"), "Ann42");

    // Names are found however they are written.
    let form = "grant_type=password&username=aNN42&password=correct+horse+battery+staple&scope=";
    let logged_in = token(&world, form).send().await;
    assert_eq!(logged_in.status, StatusCode::OK, "{logged_in:?}");
    assert_eq!(logged_in.header("cache-control"), Some("no-store"));
    assert_eq!(logged_in.body["token_type"], "Bearer");
    assert_eq!(logged_in.body["expires_in"], 900);

    let claims = claims(&world, logged_in.text("access_token")).await;
    assert_eq!(claims["sub"], registered.body["id"]);
    assert_eq!(claims["client_id"], "stockade");
    assert_eq!(claims["roles"], json!(["customer"]));
    assert_eq!(claims["iat"], BEGINNING);
    assert_eq!(claims["auth_time"], BEGINNING);
    assert_eq!(claims["exp"], BEGINNING + 900);
    assert!(claims["sid"].is_string() && claims["jti"].is_string());

    let me = world.call("GET", "/api/me").by(registered.text("id")).scope(Scope::Own).send().await;
    let id = &registered.body["id"];
    let expected = json!({
        "id": id, "username": "Ann42", "email": "Ann@example.org", "roles": ["customer"],
        "has_totp": false, "email_verified": false, "phone": null, "name": null
    });
    assert_eq!(me.body, expected);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_one_refusal() {
    let world = World::start().await;
    register(&world, "ann", "ann@example.org").send().await.created();
    for name in ["ann", "bob", "not%20a%20name"] {
        let form = format!("grant_type=password&username={name}&password=wrong+wrong+wrong");
        let answer = token(&world, &form).send().await;
        refused_as(&answer, "invalid_grant");
        assert_eq!(answer.header("stockade-outcome"), Some("login_failed"));
    }
    let metrics = world.metrics().await;
    assert!(metrics.contains(r#"logins_total{outcome="invalid_grant"} 3"#), "{metrics}");
    assert!(metrics.contains("stockade_core_password_hash_seconds_count 4"), "{metrics}");
}

#[tokio::test]
async fn what_is_not_a_password_grant_is_refused_as_oauth_says() {
    let world = World::start().await;
    for form in [
        "",
        "username=a&password=b",
        "grant_type=password&username=a",
        "grant_type=password&username=a&username=b&password=c",
    ] {
        refused_as(&token(&world, form).send().await, "invalid_request");
    }
    let other = token(&world, "grant_type=client_credentials").send().await;
    refused_as(&other, "unsupported_grant_type");
    let json = world.call("POST", "/api/auth/token").json(&json!({"grant_type": "password"}));
    refused_as(&json.send().await, "invalid_request");
}

#[tokio::test]
async fn names_and_addresses_are_given_once() {
    let world = World::start().await;
    let one = register(&world, "ann", "one@example.org");
    let other = register(&world, "ANN", "two@example.org");
    let (one, other) = tokio::join!(one.send(), other.send());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    let taken = if one.status == StatusCode::CREATED { "one" } else { "two" };
    let address = register(&world, "bob", &format!("{taken}@EXAMPLE.org")).send().await;
    address.refused(409, "account_exists");
}

#[tokio::test]
async fn a_registration_that_breaks_a_rule_names_it() {
    let world = World::start().await;
    let cases = [
        (json!({"username": "a-b", "password": PASSWORD, "email": "a@b.org"}), "username"),
        (json!({"username": "ann", "password": "short", "email": "a@b.org"}), "password"),
        (
            json!({"username": "ann", "password": "passwordpassword", "email": "a@b.org"}),
            "password",
        ),
        (json!({"username": "ann", "password": PASSWORD, "email": "nowhere"}), "email"),
        (
            json!({"username": "ann", "password": PASSWORD, "email": "a@b.org", "role": "admin"}),
            "role",
        ),
        (json!({"username": 7, "password": PASSWORD, "email": "a@b.org"}), "username"),
    ];
    for (body, named) in cases {
        let answer = world.call("POST", "/api/auth/register").json(&body).send().await;
        answer.refused(422, "invalid_request");
        assert!(answer.text("detail").contains(named), "{answer:?}");
    }
    let broken = world.call("POST", "/api/auth/register").raw("application/json", "{\"username");
    broken.send().await.refused(400, "invalid_json");
    let typeless = world.call("POST", "/api/auth/register").raw("text/plain", "{}");
    typeless.send().await.refused(415, "unsupported_media_type");
    let long = world.call("POST", "/api/auth/register");
    let long = long.raw("application/json", &" ".repeat(64 * 1024 + 1));
    long.send().await.refused(413, "body_too_large");
}

#[tokio::test]
async fn demo_accounts_are_seeded_once_and_marked() {
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::world::settings(folder.path());
    let clock = stockade_core_api::Clock::system();
    let core = stockade_core_api::Core::start(&settings, clock).await.unwrap();
    let mut account = DemoAccount {
        username: "superadmin".to_owned(),
        password: PASSWORD.to_owned(),
        role: "super-admin".to_owned(),
        totp_secret: None,
    };
    core.seed_demo(&[account.clone()]).await.unwrap();
    account.role = "customer".to_owned();
    core.seed_demo(&[account.clone()]).await.unwrap();

    let mut database = crate::backend::connect(&settings.store).await;
    let rows: Vec<(String, bool)> =
        sqlx::query_as("SELECT role, demo FROM account").fetch_all(&mut database).await.unwrap();
    assert_eq!(rows, [("super-admin".to_owned(), true)]);

    account.username = "super-admin".to_owned();
    let error = core.seed_demo(&[account]).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "cannot seed the demo: account `super-admin`: `username` must be 3 to 32 letters and digits"
    );
}
