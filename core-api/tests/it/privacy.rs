//! Promises about what is kept of people: they see it, put it right, take it along and end it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use hyper::StatusCode;
use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use stockade_core_api::PrivacyAdmin;

use crate::accounts::{login, register};
use crate::call::{Answer, Call};
use crate::factors::Someone;
use crate::mail::{next_message, token};
use crate::users::open;
use crate::world::{PRINT, World};

const STALE: Duration = Duration::from_mins(11);

fn rectify(world: &World, who: &Someone, etag: &str, body: &Value) -> Call {
    who.call(world, "PATCH", "/api/me").header("if-match", etag).json(body)
}

fn erase(world: &World, who: &Someone) -> Call {
    who.call(world, "DELETE", "/api/me")
}

async fn usernames(world: &World) -> Vec<String> {
    let list = world.call("GET", "/api/admin/users").send().await;
    let items = list.body["items"].as_array().unwrap().iter();
    items.map(|user| user["username"].as_str().unwrap().to_owned()).collect()
}

/// Until it was looked once what is overdue, and nothing is any more.
async fn looked_through(world: &World) {
    while !world.metrics().await.contains("retention_overdue_seconds{rule=\"unproved_account\"} 0")
    {
        tokio::task::yield_now().await;
    }
}

async fn me(world: &World, who: &Someone) -> Answer {
    who.call(world, "GET", "/api/me").send().await
}

#[tokio::test]
async fn name_and_telephone_number_are_put_right_on_the_version_that_was_read() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let first = me(&world, &ann).await;
    assert_eq!((first.header("etag"), &first.body["name"]), (Some("\"1\""), &Value::Null));
    let body = json!({"name": "Änne O'Neil <b>", "phone": "+33123456789"});
    ann.call(&world, "PATCH", "/api/me")
        .json(&body)
        .send()
        .await
        .refused(428, "precondition_required");
    let changed = rectify(&world, &ann, "\"1\"", &body).send().await;
    assert_eq!(changed.status, StatusCode::OK, "{changed:?}");
    assert_eq!(changed.header("etag"), Some("\"2\""));
    assert_eq!(changed.body["name"], "Änne O'Neil <b>");
    rectify(&world, &ann, "\"1\"", &body).send().await.refused(412, "precondition_failed");
    for body in [
        json!({"name": ""}),
        json!({"name": " a"}),
        json!({"name": "a\u{7}"}),
        json!({"name": "x".repeat(201)}),
        json!({"phone": "0123456789"}),
        json!({"email": "nowhere"}),
        json!({"email": null}),
        json!({"role": "admin"}),
    ] {
        rectify(&world, &ann, "*", &body).send().await.refused(422, "invalid_request");
    }
    let off = rectify(&world, &ann, "*", &json!({"phone": null})).send().await;
    assert_eq!((&off.body["phone"], &off.body["name"]), (&Value::Null, &changed.body["name"]));
    // Nothing in it changes nothing.
    let same = rectify(&world, &ann, "*", &json!({})).send().await;
    assert_eq!(same.header("etag"), Some("\"3\""));
    world.intact().await;
}

#[tokio::test]
async fn another_address_is_the_accounts_when_its_link_was_opened() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let bob = Someone::new(&world, "bob").await;
    let mut seen = Vec::new();
    for _ in 0..2 {
        next_message(&world, &mut seen).await;
    }
    let taken = json!({"email": "BOB@example.org"});
    rectify(&world, &ann, "*", &taken).send().await.refused(409, "email_taken");
    let wanted = json!({"email": "Ann@New.example.org"});
    let asked = rectify(&world, &ann, "*", &wanted).send().await;
    assert_eq!(asked.body["email"], "ann@example.org", "{asked:?}");
    let (one, other) =
        (next_message(&world, &mut seen).await, next_message(&world, &mut seen).await);
    let (proof, notice) = if one.contains("#") { (one, other) } else { (other, one) };
    assert!(proof.contains("To: Ann@New.example.org\r\n"), "{proof}");
    assert!(notice.contains("To: ann@example.org\r\n"), "{notice}");
    assert!(!notice.contains("New.example"), "{notice}");

    let verify =
        |token: String| world.call("POST", "/api/auth/email/verify").json(&json!({"token": token}));
    let proved = verify(token(&proof)).send().await;
    assert_eq!(proved.status, StatusCode::NO_CONTENT, "{proved:?}");
    let now = me(&world, &ann).await;
    assert_eq!(now.body["email"], "Ann@New.example.org");
    assert_eq!((&now.body["email_verified"], now.header("etag")), (&json!(true), Some("\"2\"")));
    verify(token(&proof)).send().await.refused(400, "link_invalid");
    register(&world, "eve", "ann@example.org").send().await.created();
    register(&world, "mal", "ann@new.example.org").send().await.refused(409, "account_exists");

    // Somebody else may be quicker, and a token alone is not enough.
    let late = rectify(&world, &bob, "*", &json!({"email": "late@example.org"})).send().await;
    assert_eq!(late.status, StatusCode::OK, "{late:?}");
    let link = loop {
        let message = next_message(&world, &mut seen).await;
        if message.contains("To: late@example.org") {
            break token(&message);
        }
    };
    register(&world, "late", "LATE@example.org").send().await.created();
    verify(link).send().await.refused(400, "link_invalid");
    world.clock.advance(STALE);
    let wanted = json!({"email": "bob@new.example.org"});
    rectify(&world, &bob, "*", &wanted).send().await.refused(401, "login_required");
    world.intact().await;
}

#[tokio::test]
async fn consents_are_opted_into_and_taken_back_and_every_step_is_kept() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let put = |entries: Value| {
        let body = json!({"consents": entries});
        ann.call(&world, "PUT", "/api/me/consents").json(&body)
    };
    let none = ann.call(&world, "GET", "/api/me/consents").send().await;
    let standing = json!([
        {"purpose": "marketing", "given": false},
        {"purpose": "analytics", "given": false},
    ]);
    assert_eq!(none.body, json!({"standing": standing, "history": []}));
    let yes = json!({"purpose": "marketing", "version": "2026-11", "given": true});
    let no = json!({"purpose": "marketing", "version": "2026-11", "given": false});
    // What was never agreed to needs not be taken back.
    assert_eq!(put(json!([no])).send().await.body["history"], json!([]));
    for _ in 0..2 {
        let given = put(json!([yes])).send().await;
        assert_eq!(given.body["standing"][0]["given"], true, "{given:?}");
        assert_eq!(given.body["history"].as_array().unwrap().len(), 1);
    }
    world.clock.advance(Duration::from_secs(5));
    let back = put(json!([no])).send().await;
    assert_eq!(back.body["standing"][0]["given"], false);
    let history = back.body["history"].as_array().unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0]["at"], "2027-01-15T08:00:00Z");
    assert_eq!(history[1]["at"], "2027-01-15T08:00:05Z");
    for wrong in [
        json!([]),
        json!([yes, yes]),
        json!([{"purpose": "spam", "version": "1", "given": true}]),
        json!([{"purpose": "marketing", "version": "", "given": true}]),
        json!([{"purpose": "marketing", "version": "a b", "given": true}]),
        json!([{"purpose": "marketing", "version": "1"}]),
    ] {
        put(wrong).send().await.refused(422, "invalid_request");
    }
    let bob = Someone::new(&world, "bob").await;
    let theirs = bob.call(&world, "GET", "/api/me/consents").send().await;
    assert_eq!(theirs.body["history"], json!([]));
    world.intact().await;
}

#[tokio::test]
async fn an_export_holds_everything_and_needs_a_fresh_session() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let body = json!({"name": "Ann O'Neil", "phone": "+33123456789"});
    rectify(&world, &ann, "*", &body).send().await;
    let yes = json!({"consents": [{"purpose": "analytics", "version": "7", "given": true}]});
    ann.call(&world, "PUT", "/api/me/consents").json(&yes).send().await;
    // More than are read at once.
    for _ in 0..101 {
        world.order(ann.id, "NOTEBOOK-A5", 1).send().await.created();
    }
    let other = Someone::new(&world, "bob").await;
    world.order(other.id, PRINT, 1).send().await.created();

    let cart = json!({"quantity": 3});
    world.by(ann.id, "PUT", "/api/cart/lines/MUG-BLUE").json(&cart).send().await;

    rectify(&world, &ann, "*", &json!({"email": "ann@new.example.org"})).send().await;

    let export = ann.call(&world, "GET", "/api/me/export").send().await;
    assert_eq!(export.status, StatusCode::OK, "{export:?}");
    let disposition = export.header("content-disposition");
    assert_eq!(disposition, Some("attachment; filename=\"export.json\""));
    let body = &export.body;
    assert_eq!((&body["format"], &body["version"]), (&json!("stockade-export"), &json!(1)));
    assert_eq!(body["account"]["email"], "ann@example.org");
    assert_eq!(body["account"]["name"], "Ann O'Neil");
    assert_eq!(body["account"]["phone"], "+33123456789");
    assert_eq!(body["account"]["emails_to_prove"], json!(["ann@new.example.org"]));
    assert_eq!(body["consents"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&body["cart"][0]["sku"], &body["cart"][0]["quantity"]),
        (&json!("MUG-BLUE"), &json!(3))
    );
    assert_eq!(body["sessions"][0]["id"], ann.session.as_str());
    let orders = body["orders"].as_array().unwrap();
    assert_eq!(orders.len(), 101);
    assert!(orders.iter().all(|order| order["lines"][0]["sku"] == "NOTEBOOK-A5"));
    assert!(orders.iter().all(|order| order["payments"] == json!([])));
    let text = body.to_string();
    for secret in ["password", "hash", "wrapped", "secret", "bob"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    world.by(ann.id, "GET", "/api/me/export").send().await.refused(403, "session_needed");
    world.clock.advance(STALE);
    let late = ann.call(&world, "GET", "/api/me/export").send().await;
    late.refused(401, "login_required");
}

#[tokio::test]
async fn an_account_ends_with_everything_that_was_somebodys() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let order = world.order(ann.id, PRINT, 1).send().await.text("id").to_owned();
    let yes = json!({"consents": [{"purpose": "marketing", "version": "7", "given": true}]});
    ann.call(&world, "PUT", "/api/me/consents").json(&yes).send().await;
    erase(&world, &ann).send().await.refused(409, "orders_open");
    world.cancel(ann.id, &order).send().await;
    world.by(ann.id, "DELETE", "/api/me").send().await.refused(403, "session_needed");

    let erased = erase(&world, &ann).send().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    assert_eq!(erased.body["id"], ann.id.to_string());
    assert!(erased.body["stays"][0]["why"].as_str().unwrap().contains("law"));
    world.intact().await;

    me(&world, &ann).await.refused(404, "not_found");
    erase(&world, &ann).send().await.refused(404, "not_found");
    login(&world, "ann").send().await.refused(400, "invalid_grant");
    let refresh =
        format!("grant_type=refresh_token&refresh_token={}", ann.tokens.text("refresh_token"));
    let refresh =
        world.call("POST", "/api/auth/refresh").raw("application/x-www-form-urlencoded", &refresh);
    refresh.send().await.refused(400, "invalid_grant");
    let feed = world.call("GET", "/internal/revocations?after=0").by("edge").send().await;
    assert!(feed.body.to_string().contains(&ann.id.to_string()), "{feed:?}");
    // The books go on telling of an order of nobody's.
    let kept = world.call("GET", format!("/api/orders/{order}")).send().await;
    assert_eq!(kept.body["state"], "cancelled", "{kept:?}");
    let journal = fs::read_to_string(world.settings.erasure_journal_file.clone().unwrap()).unwrap();
    assert_eq!(journal.lines().count(), 1);
    assert!(journal.contains(&ann.id.to_string()));
    let metrics = world.metrics().await;
    assert!(metrics.contains("stockade_core_erasures_total 1"), "{metrics}");

    // Name and address are free again, and of another account.
    let again = Someone::new(&world, "ann").await;
    assert_ne!(again.id, ann.id);
    let world = world.restart().await;
    assert_eq!(me(&world, &again).await.body["email"], "ann@example.org");
    world.intact().await;
}

#[tokio::test]
async fn a_stale_session_does_not_erase_and_its_owner_may_show_the_factor_again() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    world.clock.advance(STALE);
    erase(&world, &ann).send().await.refused(401, "login_required");
    let ann = Someone::of(&world, login(&world, "ann").send().await).await;
    crate::factors::enrol(&world, &ann).await;
    world.clock.advance(STALE);
    erase(&world, &ann).send().await.refused(401, "mfa_required");
    world.intact().await;
}

#[tokio::test]
async fn whoever_runs_the_shop_erases_accounts_but_not_the_last_of_their_own() {
    let world = World::start_now().await;
    let ann = Someone::new(&world, "ann").await;
    let mut admin = open(&world.settings).await;
    let root = admin.create("root", "root@example.org", "super-admin").await.unwrap();
    let body = json!({"token": root.token, "password": crate::accounts::PASSWORD});
    world.call("POST", "/api/auth/password/reset").json(&body).send().await;
    let list = world.call("GET", "/api/admin/staff").scope(Scope::Any).send().await;
    let root = list.body["items"][0]["id"].as_str().unwrap().to_owned();
    let erase = |id: &str| world.call("DELETE", format!("/api/admin/users/{id}"));
    erase(&root).send().await.refused(409, "last_super_admin");
    let erased = erase(&ann.id.to_string()).send().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    erase(&ann.id.to_string()).send().await.refused(404, "not_found");
    erase("nobody").send().await.refused(404, "not_found");
    world.intact().await;
}

#[tokio::test]
async fn accounts_that_were_never_proved_end_after_a_month() {
    let world = World::start().await;
    let mut seen = Vec::new();
    register(&world, "gone", "gone@example.org").send().await.created();
    register(&world, "proved", "proved@example.org").send().await.created();
    for _ in 0..2 {
        let message = next_message(&world, &mut seen).await;
        if message.contains("To: proved@example.org") {
            let body = json!({"token": token(&message)});
            world.call("POST", "/api/auth/email/verify").json(&body).send().await;
        }
    }
    let buyer = Someone::new(&world, "buyer").await;
    world.order(buyer.id, PRINT, 1).send().await.created();
    world.clock.advance(Duration::from_hours(24 * 31));
    // It looks when it starts, and then once a minute.
    let world = world.restart().await;
    while usernames(&world).await.contains(&"gone".to_owned()) {
        tokio::task::yield_now().await;
    }
    assert_eq!(usernames(&world).await, ["proved", "buyer"]);
    looked_through(&world).await;
    let admin = PrivacyAdmin::open(&world.settings).await.unwrap();
    let rules = admin.retention().await.unwrap();
    let rule = rules.iter().find(|rule| rule.name == "unproved_account").unwrap();
    assert_eq!((rule.overdue, rule.since), (0, None));
    assert_eq!(rules.len(), 9);
    world.intact().await;
}

#[tokio::test]
async fn accounts_that_were_imported_stay_however_long_nobody_logs_in() {
    let world = World::start_now().await;
    let mut admin = open(&world.settings).await;
    let line = json!({
        "username": "old", "email": "old@example.org", "role": "customer",
        "password_hash": "$2b$10$wH2tq6jTYd8PPgVMn.PCOO0eQiEhxMvcWo7lTJb8aiMg9algXINRG",
    });
    assert_eq!(admin.import(&line.to_string()).await.unwrap(), 1);
    register(&world, "gone", "gone@example.org").send().await.created();
    world.clock.advance(Duration::from_hours(24 * 31));
    drop(admin);
    let world = world.restart_after(|_| {}).await;
    looked_through(&world).await;
    assert_eq!(usernames(&world).await, ["old"]);
}

#[tokio::test]
async fn data_keys_are_rewrapped_while_the_shop_goes_on() {
    let mut world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let old = world.settings.data_key_file.clone();
    let new = old.as_ref().unwrap().with_file_name("data-key-2");
    fs::write(&new, "another data key that has 32 bytes").unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    world.settings.data_key_file = Some(new);
    let error = PrivacyAdmin::open(&world.settings).await.unwrap().rewrap().await.unwrap_err();
    assert!(error.to_string().contains(&ann.id.to_string()), "{error}");

    world.settings.previous_data_key_file = old.clone();
    let world = world.restart_after(|_| {}).await;
    assert_eq!(me(&world, &ann).await.body["email"], "ann@example.org");
    let bob = Someone::new(&world, "bob").await;
    let mut admin = PrivacyAdmin::open(&world.settings).await.unwrap();
    assert_eq!(admin.rewrap().await.unwrap(), 1);
    assert_eq!(admin.rewrap().await.unwrap(), 0);

    let mut world = world;
    world.settings.previous_data_key_file = None;
    let mut world = world.restart_after(|_| {}).await;
    for who in [&ann, &bob] {
        assert!(me(&world, who).await.body["email"].is_string());
    }
    world.intact().await;
    // With the old key alone, nobody is known any more.
    world.settings.data_key_file = old;
    let world = world.restart_after(|_| {}).await;
    me(&world, &ann).await.refused(500, "internal");
}
