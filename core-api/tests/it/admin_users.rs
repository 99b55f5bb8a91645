//! Promises of `/api/admin/users` and `/api/admin/staff`.

use futures::future::join_all;
use hyper::StatusCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::{claims, login};
use crate::call::{Answer, Call};
use crate::factors::Someone;
use crate::users::open;
use crate::world::World;

fn patch(world: &World, id: Uuid, body: &Value) -> Call {
    world.call("PATCH", format!("/api/admin/users/{id}")).json(body)
}

async fn make(world: &World, who: &Someone, role: &str) -> Answer {
    patch(world, who.id, &json!({"role": role})).send().await
}

fn refresh(world: &World, tokens: &Answer) -> Call {
    let form = format!("grant_type=refresh_token&refresh_token={}", tokens.text("refresh_token"));
    world.call("POST", "/api/auth/refresh").raw("application/x-www-form-urlencoded", &form)
}

#[tokio::test]
async fn accounts_are_listed_in_pages_and_staff_apart() {
    let world = World::start().await;
    let mut names = Vec::new();
    for name in ["ann", "bob", "cid"] {
        names.push(Someone::new(&world, name).await);
    }
    let promoted = make(&world, &names[1], "staff").await;
    assert_eq!(promoted.status, StatusCode::OK, "{promoted:?}");
    assert_eq!(promoted.body["roles"], json!(["staff"]));

    let first = world.call("GET", "/api/admin/users?limit=2").send().await;
    let of = |answer: &Answer| -> Vec<String> {
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|item| item["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(of(&first), ["ann", "bob"]);
    let next = format!("/api/admin/users?cursor={}", first.text("next"));
    let second = world.call("GET", next).send().await;
    assert_eq!((of(&second), &second.body["next"]), (vec!["cid".to_owned()], &Value::Null));
    let one = &second.body["items"][0];
    assert_eq!((&one["has_totp"], &one["disabled"]), (&json!(false), &json!(false)));
    assert_eq!(one["created_at"], "2027-01-15T08:00:00Z");
    assert!(one["password_hash"].is_null());
    let staff = world.call("GET", "/api/admin/staff").send().await;
    assert_eq!(of(&staff), ["bob"]);
}

#[tokio::test]
async fn a_role_counts_from_the_next_token_on() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    make(&world, &ann, "staff").await;
    let next = refresh(&world, &ann.tokens).send().await;
    let roles = claims(&world, next.text("access_token")).await["roles"].clone();
    assert_eq!(roles, json!(["staff", "customer"]));
    make(&world, &ann, "customer").await;
    let feed = world.call("GET", "/internal/revocations?after=1").by("edge").send().await;
    let items = feed.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{feed:?}");
    assert_eq!((&items[0]["seq"], &items[0]["kind"]), (&json!(2), &json!("subject")));
    // The same again changes nothing.
    make(&world, &ann, "customer").await;
    let feed = world.call("GET", "/internal/revocations?after=2").by("edge").send().await;
    assert_eq!(feed.body["items"], json!([]));
}

#[tokio::test]
async fn a_disabled_account_is_shut_out_until_it_is_enabled() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let disabled = patch(&world, ann.id, &json!({"disabled": true})).send().await;
    assert_eq!(disabled.body["disabled"], true);
    refresh(&world, &ann.tokens).send().await.refused(400, "invalid_grant");
    login(&world, "ann").send().await.refused(400, "invalid_grant");
    patch(&world, ann.id, &json!({"disabled": false})).send().await;
    let back = login(&world, "ann").send().await;
    assert_eq!(back.status, StatusCode::OK, "{back:?}");

    let ended = patch(&world, ann.id, &json!({"end_sessions": true})).send().await;
    assert_eq!(ended.status, StatusCode::OK);
    refresh(&world, &back).send().await.refused(400, "invalid_grant");
    assert_eq!(login(&world, "ann").send().await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_super_admin_stays_also_when_two_are_taken_away_at_once() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let bob = Someone::new(&world, "bob").await;
    // Nobody has to be there to make the first.
    make(&world, &ann, "super-admin").await;
    make(&world, &ann, "admin").await.refused(409, "last_super_admin");
    let alone = patch(&world, ann.id, &json!({"disabled": true})).send().await;
    alone.refused(409, "last_super_admin");
    // Whoever was invited and has no password yet cannot log in.
    let mut admin = open(&world.settings).await;
    admin.create("cid", "cid@example.org", "super-admin").await.unwrap();
    make(&world, &ann, "admin").await.refused(409, "last_super_admin");

    for _ in 0..5 {
        for who in [&ann, &bob] {
            patch(&world, who.id, &json!({"role": "super-admin", "disabled": false})).send().await;
        }
        let calls = [
            patch(&world, ann.id, &json!({"role": "staff"})),
            patch(&world, bob.id, &json!({"disabled": true})),
        ];
        let answers = join_all(calls.iter().map(Call::send)).await;
        let mut statuses: Vec<_> = answers.iter().map(|one| one.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test]
async fn what_is_no_change_or_nobody_is_refused() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let nobody = patch(&world, Uuid::now_v7(), &json!({"role": "staff"})).send().await;
    nobody.refused(404, "not_found");
    for body in [json!({"role": "Staff"}), json!({"name": "x"}), json!({"disabled": "yes"})] {
        patch(&world, ann.id, &body).send().await.refused(422, "invalid_request");
    }
}
