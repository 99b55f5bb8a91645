//! Promises of `/internal/revocations`.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::accounts::login;
use crate::call::Call;
use crate::factors::Someone;
use crate::world::World;

async fn feed(world: &World, after: u64) -> Vec<Value> {
    let path = format!("/internal/revocations?after={after}");
    let answer = world.call("GET", path).by("edge").send().await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    answer.body["items"].as_array().unwrap().clone()
}

fn refresh(world: &World, token: &str) -> Call {
    let form = format!("grant_type=refresh_token&refresh_token={token}");
    world.call("POST", "/api/auth/refresh").raw("application/x-www-form-urlencoded", &form)
}

#[tokio::test]
async fn whatever_ends_early_is_told_in_order() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    assert_eq!(feed(&world, 0).await, Vec::<Value>::new());
    ann.call(&world, "POST", "/api/auth/logout").send().await;
    // A session that is over is not told again.
    ann.call(&world, "POST", "/api/auth/logout").send().await;

    let stolen = Someone::of(&world, login(&world, "ann").send().await).await;
    for _ in 0..2 {
        refresh(&world, stolen.tokens.text("refresh_token")).send().await;
    }
    let expected = [
        json!({"seq": 1, "kind": "session", "id": ann.session}),
        json!({"seq": 2, "kind": "session", "id": stolen.session}),
    ];
    assert_eq!(feed(&world, 0).await, expected);
    assert_eq!(feed(&world, 1).await, expected[1..]);
    assert_eq!(feed(&world, 2).await, Vec::<Value>::new());
    let world = world.restart().await;
    assert_eq!(feed(&world, 0).await, expected);

    // No access token of then is believed any more.
    world.clock.advance(Duration::from_secs(900 + 300));
    assert_eq!(feed(&world, 0).await, Vec::<Value>::new());
}

#[tokio::test]
async fn what_is_no_sequence_number_is_refused() {
    let world = World::start().await;
    for path in ["/internal/revocations", "/internal/revocations?after=-1"] {
        let answer = world.call("GET", path).by("edge").send().await;
        answer.refused(422, "invalid_request");
    }
}
