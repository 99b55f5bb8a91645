//! Promises of `/api/auth/token`, `/refresh` and `/logout`: sessions and their tokens.

use std::num::NonZeroU32;
use std::time::Duration;

use futures::future::join_all;
use hyper::StatusCode;
use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use uuid::Uuid;

use crate::accounts::{claims, login, register};
use crate::call::{Answer, Call};
use crate::world::{BEGINNING, World, someone};

const FORM: &str = "application/x-www-form-urlencoded";

fn refresh(world: &World, token: &str) -> Call {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    world.call("POST", "/api/auth/refresh").raw(FORM, &form)
}

/// Logs somebody in who is new, and returns their id and the answer.
async fn ann(world: &World) -> (Uuid, Answer) {
    let registered = register(world, "ann", "ann@example.org").send().await;
    let id = registered.text("id").parse().unwrap();
    let answer = login(world, "ann").send().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    (id, answer)
}

#[track_caller]
fn over(answer: &Answer) {
    answer.refused(400, "invalid_grant");
    assert_eq!(answer.body["error"], "invalid_grant");
    assert_eq!(answer.header("stockade-outcome"), None);
}

#[tokio::test]
async fn a_session_goes_on_with_fresh_tokens() {
    let world = World::start().await;
    let (_, first) = ann(&world).await;
    assert_eq!(first.text("refresh_token").len(), 43);

    world.clock.advance(Duration::from_secs(900));
    let second = refresh(&world, first.text("refresh_token")).send().await;
    assert_eq!(second.status, StatusCode::OK, "{second:?}");
    assert_eq!(second.header("cache-control"), Some("no-store"));
    assert_eq!(
        (&second.body["token_type"], &second.body["expires_in"]),
        (&json!("Bearer"), &json!(900))
    );
    assert_ne!(second.text("refresh_token"), first.text("refresh_token"));

    let before = claims(&world, first.text("access_token")).await;
    let after = claims(&world, second.text("access_token")).await;
    for same in ["sub", "sid", "auth_time", "roles"] {
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(after["iat"], BEGINNING + 900);
    let third = refresh(&world, second.text("refresh_token")).send().await;
    assert_eq!(third.status, StatusCode::OK);
    let metrics = world.metrics().await;
    assert!(metrics.contains(r#"refreshes_total{outcome="issued"} 2"#), "{metrics}");
}

#[tokio::test]
async fn what_is_kept_of_a_token_is_worth_nothing() {
    let world = World::start().await;
    let (_, answer) = ann(&world).await;
    let mut database = world.database().await;
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM refresh_token")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let hash = aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        answer.text("refresh_token").as_bytes(),
    );
    assert_eq!(kept, [hash.as_ref()]);
}

#[tokio::test]
async fn a_token_that_is_shown_twice_ends_its_session() {
    let world = World::start().await;
    let (_, first) = ann(&world).await;
    let second = refresh(&world, first.text("refresh_token")).send().await;
    // A session beside it is another matter.
    let beside = login(&world, "ann").send().await;

    over(&refresh(&world, first.text("refresh_token")).send().await);
    over(&refresh(&world, second.text("refresh_token")).send().await);
    let other = refresh(&world, beside.text("refresh_token")).send().await;
    assert_eq!(other.status, StatusCode::OK);
    let metrics = world.metrics().await;
    assert!(metrics.contains(r#"refreshes_total{outcome="reused"} 1"#), "{metrics}");
    assert!(metrics.contains(r#"refreshes_total{outcome="invalid_grant"} 1"#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tries_at_once_with_one_token_end_its_session() {
    let world = World::start().await;
    let (_, first) = ann(&world).await;
    let call = refresh(&world, first.text("refresh_token"));
    let answers = join_all((0..4).map(|_| call.send())).await;
    let (issued, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(issued.len(), 1);
    refused.into_iter().for_each(over);
    over(&refresh(&world, issued[0].text("refresh_token")).send().await);
}

#[tokio::test]
async fn a_session_ends_after_its_time_however_often_it_was_refreshed() {
    let world = World::start_with(|settings| {
        settings.refresh_token_secs = NonZeroU32::new(1_000).unwrap();
    });
    let world = world.await;
    let (_, first) = ann(&world).await;
    world.clock.advance(Duration::from_secs(600));
    let second = refresh(&world, first.text("refresh_token")).send().await;
    // No token outlives its session.
    assert_eq!(second.body["expires_in"], 400);
    let claims = claims(&world, second.text("access_token")).await;
    assert_eq!(claims["exp"], BEGINNING + 1_000);
    world.clock.advance(Duration::from_secs(400));
    over(&refresh(&world, second.text("refresh_token")).send().await);
}

#[tokio::test]
async fn a_role_that_was_taken_away_is_not_refreshed() {
    let world = World::start().await;
    let (id, first) = ann(&world).await;
    sqlx::query("UPDATE account SET role = 'staff' WHERE id = $1")
        .bind(id)
        .execute(&mut world.database().await)
        .await
        .unwrap();
    let second = refresh(&world, first.text("refresh_token")).send().await;
    assert_eq!(claims(&world, first.text("access_token")).await["roles"], json!(["customer"]));
    // Without a second factor, whatever else somebody is, they are a customer, too.
    let roles = claims(&world, second.text("access_token")).await["roles"].clone();
    assert_eq!(roles, json!(["staff", "customer"]));
}

#[tokio::test]
async fn whoever_logs_out_ends_the_session_they_are_in() {
    let world = World::start().await;
    let (id, first) = ann(&world).await;
    let beside = login(&world, "ann").send().await;
    let session = claims(&world, first.text("access_token")).await["sid"].clone();
    let mut logout = world.by(id, "POST", "/api/auth/logout");
    logout.assertion.session = session.as_str().unwrap().to_owned();

    // Somebody else's session is not theirs to end.
    let mallory = logout.clone().by(&someone().to_string()).send().await;
    assert_eq!(mallory.status, StatusCode::NO_CONTENT);
    let second = refresh(&world, first.text("refresh_token")).send().await;
    assert_eq!(second.status, StatusCode::OK);

    for _ in 0..2 {
        let out = logout.send().await;
        assert_eq!((out.status, &out.body), (StatusCode::NO_CONTENT, &Value::Null));
    }
    over(&refresh(&world, second.text("refresh_token")).send().await);
    let other = refresh(&world, beside.text("refresh_token")).send().await;
    assert_eq!(other.status, StatusCode::OK);

    let sessionless = world.by(id, "POST", "/api/auth/logout").send().await;
    sessionless.refused(403, "session_needed");
    let anonymous = world.call("POST", "/api/auth/logout").scope(Scope::Own).send().await;
    anonymous.refused(403, "account_needed");
}

#[tokio::test]
async fn what_is_not_a_refresh_is_refused_as_oauth_says() {
    let world = World::start().await;
    for form in [
        "",
        "refresh_token=a",
        "grant_type=refresh_token",
        "grant_type=refresh_token&refresh_token=a&refresh_token=b",
    ] {
        let answer = world.call("POST", "/api/auth/refresh").raw(FORM, form).send().await;
        answer.refused(400, "invalid_token_request");
        assert_eq!(answer.body["error"], "invalid_request");
    }
    let password = "grant_type=password&username=ann&password=x";
    let answer = world.call("POST", "/api/auth/refresh").raw(FORM, password).send().await;
    answer.refused(400, "unsupported_grant_type");
    over(&refresh(&world, "unheard-of").send().await);
    over(&refresh(&world, "").send().await);
}

#[tokio::test]
async fn sessions_that_are_over_are_swept_away() {
    let world = World::start().await;
    let (_, first) = ann(&world).await;
    refresh(&world, first.text("refresh_token")).send().await;
    world.clock.advance(Duration::from_secs(30 * 24 * 60 * 60));
    let mut database = world.database().await;
    let mut rows = 1;
    while rows > 0 {
        tokio::task::yield_now().await;
        rows = sqlx::query_scalar::<_, i64>(
            "SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM refresh_token)",
        )
        .fetch_one(&mut database)
        .await
        .unwrap();
    }
}
