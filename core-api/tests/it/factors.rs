//! Promises about second factors: enrolled, shown, renewed, taken off.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use stockade_core_api::totp_code;
use uuid::Uuid;

use crate::accounts::{claims, login, register};
use crate::call::{Answer, Call};
use crate::world::{BEGINNING, World};

/// Somebody who is logged in.
pub(crate) struct Someone {
    pub(crate) id: Uuid,
    pub(crate) session: String,
    pub(crate) tokens: Answer,
}

impl Someone {
    pub(crate) async fn of(world: &World, tokens: Answer) -> Self {
        assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
        let claims = claims(world, tokens.text("access_token")).await;
        let id = claims["sub"].as_str().unwrap().parse().unwrap();
        Self { id, session: claims["sid"].as_str().unwrap().to_owned(), tokens }
    }

    /// Registers and logs in.
    pub(crate) async fn new(world: &World, username: &str) -> Self {
        register(world, username, &format!("{username}@example.org")).send().await.created();
        Self::of(world, login(world, username).send().await).await
    }

    /// A request in this session.
    pub(crate) fn call(&self, world: &World, method: &'static str, path: &str) -> Call {
        let mut call = world.by(self.id, method, path);
        call.assertion.session.clone_from(&self.session);
        call
    }
}

pub(crate) fn code(world: &World, secret: &str) -> String {
    totp_code(secret, world.clock.clock().now()).unwrap()
}

fn confirm(world: &World, who: &Someone, code: &str) -> Call {
    who.call(world, "POST", "/api/me/totp/confirm").json(&json!({"code": code}))
}

/// Enrols a second factor; its secret and recovery codes. The next code is another one.
pub(crate) async fn enrol(world: &World, who: &Someone) -> (String, Vec<String>) {
    let begun = who.call(world, "POST", "/api/me/totp").send().await;
    begun.created();
    let secret = begun.text("secret").to_owned();
    let confirmed = confirm(world, who, &code(world, &secret)).send().await;
    assert_eq!(confirmed.status, StatusCode::OK, "{confirmed:?}");
    world.clock.advance(Duration::from_secs(60));
    (secret, recovery_codes(&confirmed))
}

fn recovery_codes(answer: &Answer) -> Vec<String> {
    let codes = answer.body["recovery_codes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// A code with the token of a login, or of a session.
pub(crate) fn mfa(world: &World, kind: &str, token: &str, code: &str) -> Call {
    world.call("POST", "/api/auth/mfa").json(&json!({kind: token, "code": code}))
}

/// A login's `mfa_token`.
pub(crate) async fn challenge(world: &World, username: &str) -> String {
    let answer = login(world, username).send().await;
    answer.refused(403, "mfa_required");
    answer.text("mfa_token").to_owned()
}

fn refresh(world: &World, token: &str) -> Call {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    world.call("POST", "/api/auth/refresh").raw("application/x-www-form-urlencoded", &form)
}

#[tokio::test]
async fn an_enrolled_account_logs_in_by_password_and_code() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, _) = enrol(&world, &ann).await;

    let asked = login(&world, "ann").send().await;
    asked.refused(403, "mfa_required");
    assert_eq!(
        (&asked.body["error"], &asked.body["expires_in"]),
        (&json!("mfa_required"), &json!(300))
    );
    assert!(asked.body["access_token"].is_null());
    // The password was right, so nothing failed.
    assert_eq!(asked.header("stockade-outcome"), None);

    world.clock.advance(Duration::from_secs(100));
    let tokens = mfa(&world, "mfa_token", asked.text("mfa_token"), &code(&world, &secret));
    let tokens = tokens.send().await;
    assert_eq!(tokens.status, StatusCode::OK, "{tokens:?}");
    assert_eq!(tokens.header("cache-control"), Some("no-store"));
    let claims = claims(&world, tokens.text("access_token")).await;
    assert_eq!(claims["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(claims["auth_time"], BEGINNING + 160);
    let me = ann.call(&world, "GET", "/api/me").send().await;
    assert_eq!(me.body["has_totp"], true);
}

#[tokio::test]
async fn enrolling_makes_the_session_one_of_two_factors() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let before = claims(&world, ann.tokens.text("access_token")).await;
    assert_eq!(before["amr"], json!(["pwd"]));
    let begun = ann.call(&world, "POST", "/api/me/totp").send().await;
    let uri =
        format!("otpauth://totp/Stockade:ann?secret={}&issuer=Stockade", begun.text("secret"));
    assert_eq!(begun.text("uri"), uri);
    // Nothing is in force before the first code.
    assert_eq!(login(&world, "ann").send().await.status, StatusCode::OK);
    confirm(&world, &ann, "000000").send().await.refused(400, "wrong_code");
    let secret = begun.text("secret");
    let confirmed = confirm(&world, &ann, &code(&world, secret)).send().await;
    assert_eq!(recovery_codes(&confirmed).len(), 10);
    confirm(&world, &ann, &code(&world, secret)).send().await.refused(409, "nothing_to_confirm");

    let next = refresh(&world, ann.tokens.text("refresh_token")).send().await;
    let after = claims(&world, next.text("access_token")).await;
    assert_eq!(after["amr"], json!(["pwd", "otp", "mfa"]));
}

#[tokio::test]
async fn a_code_is_good_once_and_a_step_around_now() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, _) = enrol(&world, &ann).await;
    let shown = code(&world, &secret);
    let (one, other) = (challenge(&world, "ann").await, challenge(&world, "ann").await);

    let two = [mfa(&world, "mfa_token", &one, &shown), mfa(&world, "mfa_token", &other, &shown)];
    let answers = tokio::join!(two[0].send(), two[1].send());
    let mut statuses = [answers.0.status.as_u16(), answers.1.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400]);

    // A step late is near enough, two are not.
    for (late, status) in [(30, 200), (60, 400)] {
        world.clock.advance(Duration::from_secs(60));
        let shown = code(&world, &secret);
        let token = challenge(&world, "ann").await;
        world.clock.advance(Duration::from_secs(late));
        let answer = mfa(&world, "mfa_token", &token, &shown).send().await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_challenge_is_good_once_and_for_five_minutes() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, _) = enrol(&world, &ann).await;
    let token = challenge(&world, "ann").await;
    let used = mfa(&world, "mfa_token", &token, &code(&world, &secret)).send().await;
    assert_eq!(used.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(60));
    let again = mfa(&world, "mfa_token", &token, &code(&world, &secret)).send().await;
    again.refused(400, "mfa_token_invalid");

    let token = challenge(&world, "ann").await;
    world.clock.advance(Duration::from_secs(300));
    let late = mfa(&world, "mfa_token", &token, &code(&world, &secret)).send().await;
    late.refused(400, "mfa_token_invalid");
    let made_up = mfa(&world, "mfa_token", "made up", "123456").send().await;
    made_up.refused(400, "mfa_token_invalid");
    for body in [
        json!({"code": "123456"}),
        json!({"mfa_token": "a", "refresh_token": "b", "code": "123456"}),
        json!({"mfa_token": "a", "code": "12345"}),
    ] {
        let answer = world.call("POST", "/api/auth/mfa").json(&body).send().await;
        answer.refused(422, "invalid_request");
    }
}

#[tokio::test]
async fn a_session_gets_a_fresh_second_factor() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, _) = enrol(&world, &ann).await;
    world.clock.advance(Duration::from_secs(12 * 60 * 60));
    let token = ann.tokens.text("refresh_token");
    let fresh = mfa(&world, "refresh_token", token, &code(&world, &secret)).send().await;
    assert_eq!(fresh.status, StatusCode::OK, "{fresh:?}");
    let claims = claims(&world, fresh.text("access_token")).await;
    assert_eq!(claims["sid"], json!(ann.session));
    assert_eq!(claims["auth_time"], BEGINNING + 60 + 12 * 60 * 60);

    // The token was spent: who shows it again has a copy, and the session ends.
    world.clock.advance(Duration::from_secs(60));
    let copy = mfa(&world, "refresh_token", token, &code(&world, &secret)).send().await;
    copy.refused(400, "mfa_token_invalid");
    let over = refresh(&world, fresh.text("refresh_token")).send().await;
    over.refused(400, "invalid_grant");
}

#[tokio::test]
async fn a_session_without_a_second_factor_cannot_make_one_fresh() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let token = ann.tokens.text("refresh_token");
    mfa(&world, "refresh_token", token, "123456").send().await.refused(409, "factor_missing");
    // Nothing was spent on it.
    assert_eq!(refresh(&world, token).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_recovery_code_is_good_once_however_it_is_written() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (_, codes) = enrol(&world, &ann).await;
    let token = challenge(&world, "ann").await;
    let typed = codes[3].to_uppercase().replace('-', " ");
    let used = mfa(&world, "mfa_token", &token, &typed).send().await;
    assert_eq!(used.status, StatusCode::OK, "{used:?}");
    let token = challenge(&world, "ann").await;
    mfa(&world, "mfa_token", &token, &codes[3]).send().await.refused(400, "wrong_code");

    let who = Someone::of(&world, used).await;
    let renewed = who.call(&world, "POST", "/api/me/totp/recovery-codes").send().await;
    let renewed = recovery_codes(&renewed);
    mfa(&world, "mfa_token", &token, &codes[4]).send().await.refused(400, "wrong_code");
    let used = mfa(&world, "mfa_token", &token, &renewed[0]).send().await;
    assert_eq!(used.status, StatusCode::OK, "{used:?}");
}

#[tokio::test]
async fn what_is_about_a_factor_needs_a_fresh_one() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    world.clock.advance(Duration::from_secs(600));
    let stale = ann.call(&world, "POST", "/api/me/totp").send().await;
    stale.refused(401, "login_required");
    assert!(stale.header("www-authenticate").unwrap().contains("insufficient_user_authentication"));

    let ann = Someone::of(&world, login(&world, "ann").send().await).await;
    let (secret, _) = enrol(&world, &ann).await;
    world.clock.advance(Duration::from_secs(600));
    let changes = [
        ("POST", "/api/me/totp"),
        ("POST", "/api/me/totp/recovery-codes"),
        ("DELETE", "/api/me/totp"),
    ];
    for (method, path) in changes {
        ann.call(&world, method, path).send().await.refused(401, "mfa_required");
    }
    let token = ann.tokens.text("refresh_token");
    let fresh = mfa(&world, "refresh_token", token, &code(&world, &secret)).send().await;
    let ann = Someone::of(&world, fresh).await;
    let off = ann.call(&world, "DELETE", "/api/me/totp").send().await;
    assert_eq!(off.status, StatusCode::NO_CONTENT, "{off:?}");

    // No session tells of it any more, and a password is enough again.
    let next = refresh(&world, ann.tokens.text("refresh_token")).send().await;
    assert_eq!(claims(&world, next.text("access_token")).await["amr"], json!(["pwd"]));
    assert_eq!(login(&world, "ann").send().await.status, StatusCode::OK);

    let mut elsewhere = ann.call(&world, "POST", "/api/me/totp");
    elsewhere.assertion.session = Uuid::now_v7().to_string();
    elsewhere.send().await.refused(403, "session_needed");
}

#[tokio::test]
async fn another_secret_counts_once_it_is_confirmed() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (old, _) = enrol(&world, &ann).await;
    let begun = ann.call(&world, "POST", "/api/me/totp").send().await;
    let new = begun.text("secret").to_owned();
    assert_ne!(new, old);

    let token = challenge(&world, "ann").await;
    mfa(&world, "mfa_token", &token, &code(&world, &new)).send().await.refused(400, "wrong_code");
    let by_old = mfa(&world, "mfa_token", &token, &code(&world, &old)).send().await;
    assert_eq!(by_old.status, StatusCode::OK);
    let confirmed = confirm(&world, &ann, &code(&world, &new)).send().await;
    assert_eq!(confirmed.status, StatusCode::OK);
    world.clock.advance(Duration::from_secs(60));
    let token = challenge(&world, "ann").await;
    mfa(&world, "mfa_token", &token, &code(&world, &old)).send().await.refused(400, "wrong_code");
}

#[tokio::test]
async fn staff_without_a_second_factor_are_customers_too() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    sqlx::query("UPDATE account SET role = 'staff' WHERE id = $1")
        .bind(ann.id)
        .execute(&mut world.database().await)
        .await
        .unwrap();
    let roles = async |tokens: &Answer| -> Value {
        claims(&world, tokens.text("access_token")).await["roles"].clone()
    };
    let ann = Someone::of(&world, login(&world, "ann").send().await).await;
    assert_eq!(roles(&ann.tokens).await, json!(["staff", "customer"]));
    enrol(&world, &ann).await;
    let next = refresh(&world, ann.tokens.text("refresh_token")).send().await;
    assert_eq!(roles(&next).await, json!(["staff"]));
}
