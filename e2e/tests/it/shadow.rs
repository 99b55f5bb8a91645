//! A policy can be tried beside the one in force: judged and recorded, refusing nobody.

use serde_json::{Value, json};
use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::{EdgeAlone, EdgeSetup, PolicyFolder, Swap};

const ROUTES: &str = r#"
[resources]
things = { owned = true, actions = ["see", "change"] }
[routes]
see = { match = "GET /things", needs = "things.see", auth = "optional" }
change = { match = "POST /things", needs = "things.change", auth = "required" }
"#;

const NOW: &str = "p, anonymous, things, see, any, allow\np, staff, things, change, own, allow\n";

/// Nobody sees without a token; customers change; staff change less.
const NEXT: &str =
    "p, customer, things, see, any, allow\np, customer, things, change, own, allow\n";

async fn edge(policies: PolicyFolder) -> EdgeAlone {
    let off = "policy_watch = \"off\"";
    EdgeSetup::default().policies(policies).edge(off).start().await
}

async fn status(edge: &EdgeAlone) -> Value {
    Box::pin(edge.command(&["policy", "status", "--format", "json"])).await.json()
}

/// The status of an answer, and its record.
async fn ask(edge: &EdgeAlone, roles: Option<&[&str]>, method: &str) -> (u16, Value) {
    let visitor = edge.visitor();
    let client = match roles {
        Some(roles) => visitor.with_token(&edge.issuer().token("ann", roles)),
        None => visitor,
    };
    let answer = Box::pin(client.call(method, "/things").send()).await;
    (answer.status, edge.record(answer.header("request-id").unwrap()).await)
}

#[tokio::test]
async fn a_candidate_is_judged_and_recorded_and_refuses_nobody() {
    let edge = edge(PolicyFolder::with(ROUTES, NOW)).await;
    let (_, plain) = ask(&edge, None, "GET").await;
    assert_eq!((&plain["shadow"], &plain["shadow_bundle"]), (&Value::Null, &Value::Null));
    let next = PolicyFolder::with(ROUTES, NEXT);

    let said = edge.command(&["policy", "shadow", next.path().to_str().unwrap()]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let hash = status(&edge).await["trial"]["bundle"]["hash"].clone();
    for (roles, method, answer, words) in [
        (None, "GET", 200, "deny:role"),
        (Some(&["customer"][..]), "GET", 200, "any"),
        (Some(&["customer"]), "POST", 403, "own"),
        (Some(&["staff"]), "POST", 200, "own"),
    ] {
        let (status, record) = ask(&edge, roles, method).await;
        assert_eq!((status, &record["shadow"]), (answer, &json!(words)), "{record}");
        assert_eq!(record["shadow_bundle"], hash);
        assert_ne!(record["bundle"], hash);
    }
    // Without a settled caller there is no shadow decision.
    assert_eq!(ask(&edge, None, "POST").await.1["shadow"], Value::Null);
    let trial = status(&edge).await["trial"].clone();
    let counts = ["same", "widened", "narrowed"].map(|name| trial[name].as_u64().unwrap());
    assert_eq!(counts, [2, 1, 1], "{trial}");
    let metrics = edge.metrics().await;
    for series in [r#"route="change",direction="widened""#, r#"route="see",direction="narrowed""#] {
        let (route, direction) = series.split_once(',').unwrap();
        let line = format!("stockade_edge_shadow_decisions_total{{{direction},{route}}} 1");
        assert!(metrics.contains(&line), "no `{line}` in {metrics}");
    }

    assert_eq!(edge.command(&["policy", "shadow", "--off"]).await.code, Some(0));
    assert_eq!(ask(&edge, None, "GET").await.1["shadow"], Value::Null);
    assert!(status(&edge).await["trial"].is_null());
}

#[tokio::test]
async fn a_candidate_is_promoted_and_the_folder_must_follow() {
    let edge = edge(PolicyFolder::with(ROUTES, NOW)).await;
    let refused = edge.command(&["policy", "promote"]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let next = PolicyFolder::with(ROUTES, NEXT);
    let folder = next.path().to_str().unwrap();
    edge.command(&["policy", "shadow", folder]).await;

    let said = edge.command(&["policy", "promote"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains(&format!("cp {folder}/model.conf")), "{}", said.out);
    assert_eq!(ask(&edge, None, "GET").await.0, 403);
    assert_eq!(ask(&edge, Some(&["customer"]), "POST").await.0, 200);
    let after = status(&edge).await;
    assert_eq!((&after["by"], &after["trial"]), (&json!("promote"), &Value::Null));

    assert_eq!(edge.command(&["policy", "rollback"]).await.code, Some(0));
    assert_eq!(ask(&edge, None, "GET").await.0, 200);
}

#[tokio::test]
async fn a_bad_candidate_is_refused_with_its_findings() {
    let edge = edge(PolicyFolder::with(ROUTES, NOW)).await;
    let bad = PolicyFolder::with(ROUTES, "p, anonymous, thing, see, any, allow\n");
    let unfit = PolicyFolder::with(&ROUTES.replace("GET /things", "GET /internal/jwks"), NOW);
    for (folder, why) in [(bad.path(), "[P041]"), (unfit.path(), "between edge and core")] {
        let said = edge.command(&["policy", "shadow", folder.to_str().unwrap()]).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.out.contains(why), "{said:?}");
    }
    assert_eq!(edge.command(&["policy", "shadow", "/nowhere"]).await.code, Some(1));
    assert!(status(&edge).await["trial"].is_null());
    assert!(edge.metrics().await.contains("\nstockade_edge_policy_refused 0\n"));
}

/// `policies.next` beside `policies`: at the start, at a reload, and when it is swapped.
#[tokio::test]
async fn the_next_folder_is_taken_up() {
    let (now, next) = (PolicyFolder::with(ROUTES, NOW), PolicyFolder::with(ROUTES, NEXT));
    let bad = PolicyFolder::with(ROUTES, "nothing\n");
    let (place, candidate) = (Swap::new("policies", &now), "policies.next");
    place.add(candidate, &next);
    let watched = EdgeSetup::default().policies(PolicyFolder::at(place.link())).start().await;
    let tried = |words: Value| {
        let edge = &watched;
        eventually_yes(format!("a shadow decision {words}"), move || {
            let words = words.clone();
            async move { ask(edge, None, "GET").await.1["shadow"] == words }
        })
    };
    Box::pin(tried(json!("deny:role"))).await;

    place.add(candidate, &bad);
    Box::pin(tried(Value::Null)).await;
    eventually_yes("a refused candidate", || async {
        !status(&watched).await["candidate_refused"].is_null()
    })
    .await;
    let refused = watched.command(&["policy", "promote"]).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");

    place.add(candidate, &next);
    assert_eq!(watched.command(&["policy", "reload"]).await.code, Some(0));
    Box::pin(tried(json!("deny:role"))).await;
    place.remove(candidate);
    Box::pin(tried(Value::Null)).await;
    assert!(status(&watched).await["candidate_refused"].is_null());
}

#[tokio::test]
async fn what_the_files_try_is_judged_the_same_way() {
    let routes = ROUTES.replace(
        "[routes]",
        "[limits]\nfew = { key = \"address\", quota = 1, per = \"1h\", mode = \"shadow\" }\n[routes]",
    );
    let routes = routes.replace("auth = \"optional\"", "auth = \"optional\", limits = [\"few\"]");
    let policy = format!("{NOW}p, anonymous, things, see, any, deny, shadow\n");
    let edge = edge(PolicyFolder::with(&routes, &policy)).await;

    for _ in 0..3 {
        let (status, record) = ask(&edge, None, "GET").await;
        assert_eq!((status, &record["shadow"]), (200, &json!("deny:role")));
        assert_eq!(record["shadow_bundle"], record["bundle"]);
    }
    let metrics = edge.metrics().await;
    assert!(metrics.contains("stockade_edge_shadow_limited_total{limit=\"few\"} 2"), "{metrics}");
    assert_eq!(edge.visitor().get("/things").send().await.header("ratelimit"), None);
    let said = edge.command(&["policy", "promote"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.error.contains("take out the word `shadow`"), "{said:?}");

    // A candidate goes first.
    let next = PolicyFolder::with(ROUTES, NOW);
    edge.command(&["policy", "shadow", next.path().to_str().unwrap()]).await;
    assert_eq!(ask(&edge, None, "GET").await.1["shadow"], json!("any"));
    edge.command(&["policy", "shadow", "--off"]).await;
    assert_eq!(ask(&edge, None, "GET").await.1["shadow"], json!("deny:role"));
}
