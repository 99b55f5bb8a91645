//! The core answers the edge, for the permission the edge asserts, and nobody else.

use hyper::StatusCode;
use stockade_contract::assertion::Scope;
use stockade_core_api::routes;

use crate::world::{BEGINNING, World, someone};

#[tokio::test]
async fn nobody_is_answered_without_an_assertion() {
    let world = World::start().await;
    for route in routes() {
        world
            .call(route.method, route.path.replace(['{', '}'], ""))
            .unsigned()
            .send()
            .await
            .refused(401, "assertion_missing");
    }
    let unknown = world.call("GET", "/nothing").unsigned().send().await;
    unknown.refused(401, "assertion_missing");
    assert_eq!(unknown.header("www-authenticate"), Some("Stockade-Assertion"));

    let metrics = world.metrics().await;
    let counted = format!(
        r#"stockade_core_assertions_rejected_total{{reason="missing"}} {}"#,
        routes().len() + 1
    );
    assert!(metrics.contains(&counted), "{metrics}");
}

#[tokio::test]
async fn no_route_runs_under_another_permission() {
    let world = World::start().await;
    for route in routes() {
        let path = route.path.replace(['{', '}'], "");
        world
            .call(route.method, path)
            .permission("nothing.read")
            .send()
            .await
            .refused(403, "assertion_mismatch");
    }
    let metrics = world.metrics().await;
    let counted = format!(r#"rejected_total{{reason="other_permission"}} {}"#, routes().len());
    assert!(metrics.contains(&counted), "{metrics}");
}

#[tokio::test]
async fn an_assertion_fits_one_request_for_a_short_time() {
    let world = World::start().await;
    let call = world.call("GET", "/api/products");

    let mut expired = call.clone();
    expired.assertion.expires_at = BEGINNING;
    expired.send().await.refused(401, "assertion_invalid");

    let mut long = call.clone();
    long.assertion.expires_at = BEGINNING + 31;
    long.send().await.refused(401, "assertion_invalid");

    let mut elsewhere = call.clone();
    elsewhere.assertion.audience = "images".to_owned();
    elsewhere.send().await.refused(401, "assertion_invalid");

    let twice = call.clone().header("stockade-assertion", "v1.a.b.c");
    twice.send().await.refused(401, "assertion_missing");
    let forged = call.clone().unsigned().header("stockade-assertion", "v1.a.b.c");
    forged.send().await.refused(401, "assertion_invalid");

    assert_eq!(call.send().await.status, StatusCode::OK);
}

#[tokio::test]
async fn liveness_is_for_everybody_and_says_nothing() {
    let world = World::start().await;
    let answer = world.call("GET", "/livez").unsigned().send().await;
    assert_eq!(answer.status, StatusCode::OK);
    world.call("POST", "/livez").unsigned().send().await.refused(401, "assertion_missing");
}

#[tokio::test]
async fn what_is_internal_is_for_the_edge_alone() {
    let world = World::start().await;
    for path in ["/internal/jwks", "/internal/readyz", "/internal/revocations?after=0"] {
        world.call("GET", path).send().await.refused(403, "assertion_mismatch");
        let by_account = world.by(someone(), "GET", path).scope(Scope::Any);
        by_account.send().await.refused(403, "assertion_mismatch");
        assert_eq!(world.call("GET", path).by("edge").send().await.status, StatusCode::OK);
    }
    let as_client = world.call("GET", "/api/products").by("edge");
    as_client.send().await.refused(403, "assertion_mismatch");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_with_the_decision_id() {
    let world = World::start().await;
    let unknown = world.call("GET", "/api/carts").send().await;
    unknown.refused(404, "not_found");
    assert_eq!(unknown.body["decision_id"], "decision-1");

    let method = world.call("DELETE", "/api/orders").send().await;
    method.refused(405, "method_not_allowed");
    let allow = method.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
}

#[tokio::test]
async fn an_anonymous_caller_owns_nothing() {
    let world = World::start().await;
    world.call("GET", "/api/me").send().await.refused(403, "account_needed");
    let orders = world.call("GET", "/api/orders").scope(Scope::Own);
    orders.send().await.refused(403, "account_needed");
    let legacy = world.call("GET", "/api/me").by("user-42");
    legacy.send().await.refused(403, "account_needed");
}
