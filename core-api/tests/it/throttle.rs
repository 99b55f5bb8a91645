//! Promises about guessing: it gets slower, for every name alike.

use std::time::Duration;

use futures::future::join_all;
use hyper::StatusCode;

use crate::accounts::{login, register};
use crate::call::Call;
use crate::factors::{Someone, challenge, code, enrol, mfa};
use crate::world::World;

fn guess(world: &World, username: &str) -> Call {
    let form = format!("grant_type=password&username={username}&password=wrong+wrong+wrong");
    world.call("POST", "/api/auth/token").raw("application/x-www-form-urlencoded", &form)
}

#[tokio::test]
async fn five_failures_lock_a_name_whether_or_not_it_exists() {
    let world = World::start().await;
    register(&world, "ann", "ann@example.org").send().await.created();
    for name in ["ann", "nobody", "not%20a%20name"] {
        for _ in 0..5 {
            guess(&world, name).send().await.refused(400, "invalid_grant");
        }
        let locked = guess(&world, name).send().await;
        locked.refused(429, "login_locked");
        assert_eq!(locked.header("retry-after"), Some("30"));
        assert_eq!(locked.body["error"], "invalid_grant");
        assert_eq!(locked.header("stockade-outcome"), Some("login_failed"));
    }
    // The right password does not help, and another name is not held up.
    login(&world, "ANN").send().await.refused(429, "login_locked");
    guess(&world, "bob").send().await.refused(400, "invalid_grant");

    world.clock.advance(Duration::from_secs(30));
    guess(&world, "ann").send().await.refused(400, "invalid_grant");
    assert_eq!(guess(&world, "ann").send().await.header("retry-after"), Some("60"));
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(login(&world, "ann").send().await.status, StatusCode::OK);
    // A success forgives all.
    guess(&world, "ann").send().await.refused(400, "invalid_grant");
    assert_eq!(login(&world, "ann").send().await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_the_same_time_are_counted_like_guesses_in_a_row() {
    let world = World::start().await;
    register(&world, "ann", "ann@example.org").send().await.created();
    let calls: Vec<_> = (0..8).map(|_| guess(&world, "ann")).collect();
    let answers = join_all(calls.iter().map(Call::send)).await;
    let told = answers.iter().filter(|answer| answer.status == StatusCode::BAD_REQUEST).count();
    assert_eq!(told, 5);
}

#[tokio::test]
async fn codes_are_guessed_no_faster_than_passwords() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, _) = enrol(&world, &ann).await;
    // The password, shown again and again, forgives nothing.
    let mut token = String::new();
    for _ in 0..5 {
        token = challenge(&world, "ann").await;
        let wrong = mfa(&world, "mfa_token", &token, "aaaaa-aaaaa").send().await;
        wrong.refused(400, "wrong_code");
        assert_eq!(wrong.header("stockade-outcome"), Some("login_failed"));
    }
    let locked = mfa(&world, "mfa_token", &token, &code(&world, &secret)).send().await;
    locked.refused(429, "login_locked");
    login(&world, "ann").send().await.refused(429, "login_locked");
    let session = ann.tokens.text("refresh_token");
    mfa(&world, "refresh_token", session, "123456").send().await.refused(429, "login_locked");
    world.clock.advance(Duration::from_secs(30));
    let right = mfa(&world, "mfa_token", &token, &code(&world, &secret)).send().await;
    assert_eq!(right.status, StatusCode::OK, "{right:?}");
    challenge(&world, "ann").await;
}

#[tokio::test]
async fn failures_are_forgotten_after_a_day() {
    let world = World::start().await;
    guess(&world, "ann").send().await.refused(400, "invalid_grant");
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    let mut database = world.database().await;
    let mut rows = 1;
    while rows > 0 {
        tokio::task::yield_now().await;
        rows = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM login_throttle")
            .fetch_one(&mut database)
            .await
            .unwrap();
    }
}
