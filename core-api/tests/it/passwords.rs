//! Promises about passwords: changed, forgotten, and brought along from earlier backends.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;
use sqlx::Connection as _;
use tokio::task::JoinSet;

use crate::accounts::{PASSWORD, claims, login, register};
use crate::call::{Answer, Call};
use crate::factors::{Someone, code, enrol, mfa};
use crate::mail::{next_message, token};
use crate::users::open;
use crate::world::World;

const OTHER: &str = "another horse entirely";

fn change(world: &World, who: &Someone, old: &str, new: &str) -> Call {
    let body = json!({"old_password": old, "password": new});
    who.call(world, "PUT", "/api/me/password").json(&body)
}

fn login_with(world: &World, username: &str, password: &str) -> Call {
    let password = password.replace(' ', "+");
    let form = format!("grant_type=password&username={username}&password={password}");
    world.call("POST", "/api/auth/token").raw("application/x-www-form-urlencoded", &form)
}

fn refresh(world: &World, tokens: &Answer) -> Call {
    let form = format!("grant_type=refresh_token&refresh_token={}", tokens.text("refresh_token"));
    world.call("POST", "/api/auth/refresh").raw("application/x-www-form-urlencoded", &form)
}

fn forgot(world: &World, email: &str) -> Call {
    world.call("POST", "/api/auth/password/forgot").json(&json!({"email": email}))
}

fn reset(world: &World, token: &str, password: &str) -> Call {
    let body = json!({"token": token, "password": password});
    world.call("POST", "/api/auth/password/reset").json(&body)
}

#[tokio::test]
async fn whoever_changes_their_password_stays_and_others_go() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let beside = login(&world, "ann").send().await;
    change(&world, &ann, "wrong wrong wrong", OTHER).send().await.refused(400, "wrong_password");
    change(&world, &ann, PASSWORD, "short").send().await.refused(422, "invalid_request");
    let changed = change(&world, &ann, PASSWORD, OTHER).send().await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{changed:?}");

    login(&world, "ann").send().await.refused(400, "invalid_grant");
    assert_eq!(login_with(&world, "ann", OTHER).send().await.status, StatusCode::OK);
    refresh(&world, &beside).send().await.refused(400, "invalid_grant");
    let next = refresh(&world, &ann.tokens).send().await;
    assert_eq!(next.status, StatusCode::OK);
    // Its token is younger than what is refused from now on.
    let feed = world.call("GET", "/internal/revocations?after=0").by("edge").send().await;
    let not_before = feed.body["items"][0]["not_before"].as_u64().unwrap();
    assert_eq!(feed.body["items"][0]["id"], json!(ann.id.to_string()));
    let before = claims(&world, ann.tokens.text("access_token")).await;
    let after = claims(&world, next.text("access_token")).await;
    assert!(before["iat"].as_u64().unwrap() < not_before);
    assert!(after["iat"].as_u64().unwrap() >= not_before);
}

#[tokio::test]
async fn old_passwords_are_guessed_no_faster_here() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    for _ in 0..5 {
        let wrong = change(&world, &ann, "wrong wrong wrong", OTHER).send().await;
        wrong.refused(400, "wrong_password");
        assert_eq!(wrong.header("stockade-outcome"), Some("login_failed"));
    }
    change(&world, &ann, PASSWORD, OTHER).send().await.refused(429, "login_locked");
    login(&world, "ann").send().await.refused(429, "login_locked");
}

#[tokio::test]
async fn eight_characters_are_enough_beside_a_second_factor() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    change(&world, &ann, PASSWORD, "eightchr").send().await.refused(422, "invalid_request");
    enrol(&world, &ann).await;
    let changed = change(&world, &ann, PASSWORD, "eightchr").send().await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{changed:?}");
}

#[tokio::test]
async fn a_forgotten_password_is_set_by_a_link_once() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let mut seen = Vec::new();
    next_message(&world, &mut seen).await;
    // Whether or not there is such an account, the answer is the same.
    for email in ["nobody@example.org", "not an address", "ANN@example.org"] {
        let answer = forgot(&world, email).send().await;
        assert_eq!((answer.status, answer.body.is_null()), (StatusCode::ACCEPTED, true));
    }
    let message = next_message(&world, &mut seen).await;
    assert!(message.contains("To: ann@example.org\r\n"), "{message}");
    let link = token(&message);
    let mut database = world.database().await;
    let kept: Vec<Vec<u8>> = sqlx::query_scalar("SELECT hash FROM password_link")
        .fetch_all(&mut database)
        .await
        .unwrap();
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, link.as_bytes());
    assert_eq!(kept, [hash.as_ref()]);

    // What was guessed before does not stand in the way.
    for _ in 0..5 {
        login_with(&world, "ann", "wrong").send().await.refused(400, "invalid_grant");
    }
    let done = reset(&world, &link, OTHER).send().await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    reset(&world, &link, OTHER).send().await.refused(400, "link_invalid");
    refresh(&world, &ann.tokens).send().await.refused(400, "invalid_grant");
    assert_eq!(login_with(&world, "ann", OTHER).send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_does_not_replace_a_second_factor() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, _) = enrol(&world, &ann).await;
    let mut seen = Vec::new();
    next_message(&world, &mut seen).await;
    forgot(&world, "ann@example.org").send().await;
    let link = token(&next_message(&world, &mut seen).await);
    assert_eq!(reset(&world, &link, OTHER).send().await.status, StatusCode::NO_CONTENT);
    let asked = login_with(&world, "ann", OTHER).send().await;
    asked.refused(403, "mfa_required");
    let proved = mfa(&world, "mfa_token", asked.text("mfa_token"), &code(&world, &secret));
    assert_eq!(proved.send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn links_run_out_and_fill_no_mailbox() {
    let world = World::start().await;
    register(&world, "ann", "ann@example.org").send().await.created();
    let mut seen = Vec::new();
    next_message(&world, &mut seen).await;
    for _ in 0..3 {
        forgot(&world, "ann@example.org").send().await;
    }
    let mut links = Vec::new();
    for _ in 0..3 {
        links.push(token(&next_message(&world, &mut seen).await));
    }
    forgot(&world, "ann@example.org").send().await;
    world.clock.advance(Duration::from_secs(30 * 60));
    reset(&world, &links[0], OTHER).send().await.refused(400, "link_invalid");
    // There is room again, and what was asked for above was never written.
    forgot(&world, "ann@example.org").send().await;
    let fresh = token(&next_message(&world, &mut seen).await);
    assert_eq!(reset(&world, &fresh, OTHER).send().await.status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn links_asked_for_together_fill_no_mailbox() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let lock = world.hold_writes().await;
    let asked: JoinSet<_> = (0..8)
        .map(|_| ann.call(&world, "POST", "/api/me/email/verification"))
        .map(|call| async move { call.send().await })
        .collect();
    for _ in 0..8 {
        forgot(&world, "ann@example.org").send().await;
    }
    lock.close().await.unwrap();
    for answer in asked.join_all().await {
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
    }
    let mut database = world.database().await;
    let mut count = async |statement: &'static str| {
        sqlx::query_scalar::<_, i64>(statement).fetch_one(&mut database).await.unwrap()
    };
    assert_eq!(count("SELECT count(*) FROM email_link").await, 3);
    while count("SELECT count(*) FROM password_link").await < 3 {
        tokio::task::yield_now().await;
    }
    // Whatever was asked for before this is decided by now, or finds three.
    register(&world, "bob", "bob@example.org").send().await.created();
    assert_eq!(count("SELECT count(*) FROM password_link").await, 3);
}

/// Asks for another address, and has the token that was sent there.
async fn ask_for(world: &World, who: &Someone, email: &str, seen: &mut Vec<String>) -> String {
    let asked = who.call(world, "PATCH", "/api/me").header("if-match", "*");
    let asked = asked.json(&json!({"email": email})).send().await;
    assert_eq!(asked.status, StatusCode::OK, "{asked:?}");
    loop {
        let message = next_message(world, seen).await;
        if message.contains(&format!("To: {email}\r\n")) {
            break token(&message);
        }
    }
}

fn verify(world: &World, token: &str) -> Call {
    world.call("POST", "/api/auth/email/verify").json(&json!({"token": token}))
}

#[tokio::test]
async fn a_new_password_ends_a_change_of_address_that_waits() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let mut seen = Vec::new();
    let own = token(&next_message(&world, &mut seen).await);
    // Whoever stole the session asks, and its owner does what the notice says.
    let stolen = ask_for(&world, &ann, "mal@example.org", &mut seen).await;
    let changed = change(&world, &ann, PASSWORD, OTHER).send().await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{changed:?}");
    verify(&world, &stolen).send().await.refused(400, "link_invalid");

    let stolen = ask_for(&world, &ann, "mal@example.org", &mut seen).await;
    while seen.len() < 5 {
        next_message(&world, &mut seen).await;
    }
    forgot(&world, "ann@example.org").send().await;
    let link = token(&next_message(&world, &mut seen).await);
    let done = reset(&world, &link, PASSWORD).send().await;
    assert_eq!(done.status, StatusCode::NO_CONTENT, "{done:?}");
    verify(&world, &stolen).send().await.refused(400, "link_invalid");

    // The link to the account's own address proves it still.
    assert_eq!(verify(&world, &own).send().await.status, StatusCode::NO_CONTENT);
    let me = ann.call(&world, "GET", "/api/me").send().await;
    assert_eq!(me.body["email"], "ann@example.org");
}

#[tokio::test]
async fn links_to_the_address_before_set_no_password() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let mut seen = Vec::new();
    next_message(&world, &mut seen).await;
    forgot(&world, "ann@example.org").send().await;
    let link = token(&next_message(&world, &mut seen).await);
    let proof = ask_for(&world, &ann, "ann@new.example.org", &mut seen).await;
    assert_eq!(verify(&world, &proof).send().await.status, StatusCode::NO_CONTENT);
    reset(&world, &link, OTHER).send().await.refused(400, "link_invalid");
}

#[tokio::test]
async fn accounts_of_an_old_backend_log_in_and_are_upgraded() {
    let world = World::start_now().await;
    let mut admin = open(&world.settings).await;
    let file = r#"{"username": "ann", "email": "ann@example.org", "role": "customer",
        "password_hash": "$2b$10$wH2tq6jTYd8PPgVMn.PCOO0eQiEhxMvcWo7lTJb8aiMg9algXINRG"}"#
        .replace('\n', " ");
    let second = file.replace("ann", "bob").replace("$2b$", "$2y$");
    assert_eq!(admin.import(&format!("{file}\n\n{second}\n")).await.unwrap(), 2);

    login_with(&world, "ann", "customer-pass-2").send().await.refused(400, "invalid_grant");
    for name in ["ann", "bob"] {
        for _ in 0..2 {
            let answer = login_with(&world, name, "customer-pass-1").send().await;
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    }
    let hashes: Vec<String> = sqlx::query_scalar("SELECT password_hash FROM account")
        .fetch_all(&mut world.database().await)
        .await
        .unwrap();
    assert!(hashes.iter().all(|hash| hash.starts_with("$2b$12$")), "{hashes:?}");
}

#[tokio::test]
async fn an_import_is_done_whole_or_not_at_all() {
    let world = World::start_now().await;
    let mut admin = open(&world.settings).await;
    let line = |name: &str, hash: &str| {
        json!({
            "username": name, "email": format!("{name}@example.org"), "role": "customer",
            "password_hash": hash
        })
        .to_string()
    };
    let good = "$2b$10$wH2tq6jTYd8PPgVMn.PCOO0eQiEhxMvcWo7lTJb8aiMg9algXINRG";
    for (second, expected) in [
        (line("a-b", good), "line 2: `username` must be 3 to 32 letters and digits"),
        (line("bob", "secret"), "line 2: `password_hash` must be a bcrypt hash"),
        (line("ANN", good), "line 2: the user name or the e-mail address is taken"),
        ("{".to_owned(), "line 2: EOF while parsing an object at line 1 column 1"),
        (line("bob", good).replace("role", "rule"), "line 2: unknown field `rule`"),
    ] {
        let text = format!("{}\n{second}\n", line("ann", good));
        let error = admin.import(&text).await.unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let accounts: i64 = sqlx::query_scalar("SELECT count(*) FROM account")
        .fetch_one(&mut world.database().await)
        .await
        .unwrap();
    assert_eq!(accounts, 0);
}
