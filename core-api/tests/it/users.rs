//! Accounts made from the command line, and the links by which their owners set a password.

use std::time::Duration;

use hyper::StatusCode;
use serde_json::json;
use stockade_core_api::{Invitation, UserAdmin};
use stockade_settings::CoreSettings;

use crate::accounts::{PASSWORD, claims, login};
use crate::call::Call;
use crate::world::{World, settings};

pub(crate) async fn open(settings: &CoreSettings) -> UserAdmin {
    UserAdmin::open(settings).await.unwrap()
}

async fn invite(world: &World, username: &str) -> Invitation {
    let mut admin = open(&world.settings).await;
    admin.create(username, &format!("{username}@example.org"), "super-admin").await.unwrap()
}

fn set_password(world: &World, token: &str, password: &str) -> Call {
    let body = json!({"token": token, "password": password});
    world.call("POST", "/api/auth/password/reset").json(&body)
}

#[tokio::test]
async fn the_first_super_admin_comes_by_a_link() {
    let world = World::start_now().await;
    let invitation = invite(&world, "root").await;
    assert!(!format!("{invitation:?}").contains(&invitation.token));
    // There is no password yet, so none fits.
    login(&world, "root").send().await.refused(400, "invalid_grant");

    let weak = set_password(&world, &invitation.token, "short").send().await;
    weak.refused(422, "invalid_request");
    let name = set_password(&world, &invitation.token, "root@example.org").send().await;
    name.refused(422, "invalid_request");
    let set = set_password(&world, &invitation.token, PASSWORD).send().await;
    assert_eq!(set.status, StatusCode::NO_CONTENT, "{set:?}");

    let tokens = login(&world, "root").send().await;
    let claims = claims(&world, tokens.text("access_token")).await;
    assert_eq!(claims["roles"], json!(["super-admin", "customer"]));
    set_password(&world, &invitation.token, PASSWORD).send().await.refused(400, "link_invalid");
    set_password(&world, "made up", PASSWORD).send().await.refused(400, "link_invalid");
}

#[tokio::test]
async fn a_link_is_good_for_a_day() {
    let world = World::start_now().await;
    let invitation = invite(&world, "root").await;
    world.clock.advance(Duration::from_secs(24 * 60 * 60 + 60));
    set_password(&world, &invitation.token, PASSWORD).send().await.refused(400, "link_invalid");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_tries_with_one_link_one_sets_the_password() {
    let world = World::start_now().await;
    let invitation = invite(&world, "root").await;
    let call = set_password(&world, &invitation.token, PASSWORD);
    let (one, other) = tokio::join!(call.send(), call.send());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 400]);
}

#[tokio::test]
async fn a_user_that_breaks_a_rule_or_is_taken_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    // No core has run here yet.
    let mut admin = open(&settings).await;
    admin.create("root", "root@example.org", "super-admin").await.unwrap();
    for (username, email, role, expected) in [
        ("ROOT", "other@example.org", "staff", "the user name or the e-mail address is taken"),
        ("other", "Root@example.org", "staff", "the user name or the e-mail address is taken"),
        ("a-b", "b@example.org", "staff", "`username` must be 3 to 32 letters and digits"),
        ("other", "nowhere", "staff", "`email` must be an e-mail address of at most 254 bytes"),
        ("other", "b@c.org", "Staff", "`role` must be 1 to 32 lower-case letters and hyphens"),
    ] {
        let error = admin.create(username, email, role).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
