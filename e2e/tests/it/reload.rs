//! A policy is replaced whole or not at all, while requests are served.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};
use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::storm::reload_under_load;
use stockade_test_support::{EdgeAlone, EdgeSetup, PolicyFolder, RawTls, Setup, Swap, built};

use crate::orders::order;
use crate::start_stop::{ORDER, begin_order};

const RELOADS: usize = 200;

/// The most the edge's own memory may grow over [`RELOADS`]: far less than one bundle each.
const GROWTH_KIB_MAX: u64 = 8 * 1024;

const ROUTES: &str = r#"
[resources]
things = { actions = ["see"] }
[limits]
few = { key = "address", quota = 2, per = "1h" }
[routes]
thing = { match = "GET /thing", needs = "things.see", auth = "none" }
send = { match = "POST /thing", needs = "things.see", auth = "none", body = { max = "1KiB", media = ["text/plain"] } }
rare = { match = "GET /rare", needs = "things.see", auth = "none", limits = ["few"] }
"#;

const EVERYBODY: &str = "p, anonymous, things, see, any, allow\n";
const STAFF: &str = "p, staff, things, see, any, allow\n";

async fn edge(watch: &str, policies: PolicyFolder) -> EdgeAlone {
    let watch = format!("policy_watch = \"{watch}\"");
    EdgeSetup::default().policies(policies).edge(&watch).start().await
}

/// What everybody is answered at a path.
async fn answer(edge: &EdgeAlone, path: &str) -> u16 {
    Box::pin(edge.visitor().get(path).send()).await.status
}

async fn status(edge: &EdgeAlone) -> Value {
    edge.command(&["policy", "status", "--format", "json"]).await.json()
}

async fn becomes(edge: &EdgeAlone, expected: u16) {
    eventually_yes(format!("an answer {expected}"), || async {
        answer(edge, "/thing").await == expected
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_or_judged_by_half_a_policy() {
    let calm = reload_under_load(RELOADS).await;

    assert!(calm.answers.values().all(|count| *count > 0) && calm.answers.len() == 2, "{calm:?}");
    let (before, after) = calm.memory_kib;
    assert!(after < before + GROWTH_KIB_MAX, "{calm:?}");
}

#[tokio::test]
async fn a_bad_policy_is_refused_with_its_findings_and_the_old_one_serves() {
    let edge = edge("off", PolicyFolder::with(ROUTES, EVERYBODY)).await;
    let before = status(&edge).await["in_force"].clone();
    edge.policies().write("policy.csv", "p, anonymous, thing, see, any, allow\n");

    let said = edge.command(&["policy", "reload"]).await;

    assert_eq!(said.code, Some(2), "{said:?}");
    let finding =
        "policy.csv:1:15: [P041] the resource `thing` is not declared; did you mean `things`?";
    assert!(said.out.starts_with(finding), "{}", said.out);
    assert!(said.out.ends_with("refused\nthe bundle in force stays\n"), "{}", said.out);
    assert_eq!(answer(&edge, "/thing").await, 200);
    let after = status(&edge).await;
    assert_eq!(after["in_force"], before);
    assert_eq!(after["refused"]["findings"][0]["code"], "P041");
    let metrics = edge.metrics().await;
    assert!(metrics.contains("stockade_edge_policy_refused 1\n"), "{metrics}");
    assert!(metrics.contains("stockade_edge_policy_reloads_total{result=\"refused\"} 1\n"));

    edge.policies().write("policy.csv", STAFF);
    assert_eq!(edge.command(&["policy", "reload"]).await.code, Some(0));
    assert_eq!(answer(&edge, "/thing").await, 403);
    assert!(status(&edge).await["refused"].is_null());
    let metrics = edge.metrics().await;
    assert!(metrics.contains("stockade_edge_policy_refused 0\n"), "{metrics}");
    assert_eq!(metrics.matches("stockade_edge_policy_bundle_info{").count(), 1, "{metrics}");
}

#[tokio::test]
async fn a_policy_that_is_not_fit_for_the_edge_is_refused_at_a_reload_too() {
    let proxies = "policy_watch = \"off\"\ntrusted_proxies = [\"10.1.0.0/16\"]";
    let setup = EdgeSetup::default().policies(PolicyFolder::with(ROUTES, EVERYBODY)).edge(proxies);
    let edge = setup.start().await;
    let unfit = [
        (
            ROUTES.replace("GET /rare", "GET /internal/jwks"),
            "reaches what is between edge and core",
        ),
        (
            format!("{ROUTES}[networks]\nnear = [\"10.0.0.0/8\"]\n"),
            "overlaps `edge.trusted_proxies`",
        ),
    ];
    for (routes, why) in unfit {
        edge.policies().write("routes.toml", routes);
        let said = edge.command(&["policy", "reload"]).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.out.contains(why), "{said:?}");
    }
    fs::remove_dir_all(edge.policies().path()).unwrap();
    let said = edge.command(&["policy", "reload"]).await;
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""), "{said:?}");
    assert_eq!(answer(&edge, "/thing").await, 200);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_and_changes_nothing() {
    let edge = edge("off", PolicyFolder::with(ROUTES, EVERYBODY)).await;
    let dry = &["policy", "reload", "--dry-run", "--format", "json"];
    let same = edge.command(dry).await.json();
    assert_eq!((&same["changed"], &same["dry_run"]), (&json!(false), &json!(true)), "{same}");
    let before = status(&edge).await;

    edge.policies().write("policy.csv", STAFF);
    let other = edge.command(dry).await.json();
    assert_eq!(other["changed"], json!(true), "{other}");
    assert_eq!(other["before"], before["in_force"]["hash"]);
    assert_ne!(other["after"]["hash"], before["in_force"]["hash"]);
    assert_eq!(other["after"]["routes"], json!(3));
    edge.policies().write("policy.csv", "x\n");
    assert_eq!(edge.command(dry).await.code, Some(2));

    assert_eq!(status(&edge).await, before);
    assert_eq!(answer(&edge, "/thing").await, 200);
}

#[tokio::test]
async fn a_rollback_returns_to_a_kept_bundle_and_holds_until_a_reload() {
    let mut edge = edge("symlink", PolicyFolder::with(ROUTES, EVERYBODY)).await;
    let first = status(&edge).await["in_force"]["hash"].as_str().unwrap().to_owned();
    assert_eq!(edge.command(&["policy", "rollback"]).await.code, Some(1), "nothing is kept");
    for number in 0..4 {
        edge.policies().write("policy.csv", format!("{STAFF}# {number}\n"));
        assert_eq!(edge.command(&["policy", "reload"]).await.code, Some(0));
        if number == 1 {
            let said = edge.command(&["policy", "rollback", &first[..8]]).await;
            assert_eq!(said.code, Some(0), "{said:?}");
            assert_eq!(answer(&edge, "/thing").await, 200);
            let held = status(&edge).await;
            assert_eq!((&held["held"], &held["by"]), (&json!(true), &json!("rollback")));
            assert_eq!(held["in_force"]["hash"], json!(first));
            assert_eq!(edge.command(&["policy", "reload"]).await.code, Some(0));
            assert_eq!(status(&edge).await["held"], json!(false));
            assert_eq!(answer(&edge, "/thing").await, 403);
        }
    }
    let kept = status(&edge).await["kept"].clone();
    assert_eq!(kept.as_array().unwrap().len(), 3, "{kept}");
    let second = kept[1]["bundle"]["hash"].clone();
    assert_eq!(edge.command(&["policy", "rollback", "2"]).await.code, Some(0));
    assert_eq!(status(&edge).await["in_force"]["hash"], second);
    assert_eq!(edge.command(&["policy", "rollback", "9"]).await.code, Some(1));
    assert_eq!(edge.command(&["policy", "rollback", "zzzz"]).await.code, Some(1));
    let log = edge.process().stderr();
    assert!(log.contains("\"by.uid\":"), "who ordered it is logged: {log}");
}

#[tokio::test]
async fn a_swapped_link_is_a_reload() {
    let (open, shut) = (PolicyFolder::with(ROUTES, EVERYBODY), PolicyFolder::with(ROUTES, STAFF));
    let swap = Swap::new("policies", &open);
    let edge = edge("symlink", PolicyFolder::at(swap.link())).await;
    assert_eq!(answer(&edge, "/thing").await, 200);

    swap.to(&shut);
    becomes(&edge, 403).await;
    assert_eq!(status(&edge).await["by"], json!("watch"));
    swap.to(&open);
    becomes(&edge, 200).await;
}

/// The files are links into `..data`, which is a link to the folder of one state.
#[tokio::test]
async fn a_configmap_that_is_swapped_is_a_reload() {
    let (open, shut) = (PolicyFolder::with(ROUTES, EVERYBODY), PolicyFolder::with(ROUTES, STAFF));
    let swap = Swap::new("..data", &open);
    for name in ["model.conf", "roles.csv", "policy.csv", "routes.toml"] {
        symlink(format!("..data/{name}"), swap.place().join(name)).unwrap();
    }
    let edge = edge("symlink", PolicyFolder::at(swap.place())).await;
    assert_eq!(answer(&edge, "/thing").await, 200);

    swap.to(&shut);
    becomes(&edge, 403).await;
}

#[tokio::test]
async fn a_written_file_is_a_reload_where_files_are_watched() {
    let edge = edge("files", PolicyFolder::with(ROUTES, EVERYBODY)).await;
    edge.policies().write("policy.csv", "p, anonymous, thin");
    eventually_yes("a refusal", || async { !status(&edge).await["refused"].is_null() }).await;
    assert_eq!(answer(&edge, "/thing").await, 200);

    edge.policies().write("policy.csv", STAFF);
    becomes(&edge, 403).await;
    assert!(status(&edge).await["refused"].is_null());
}

#[tokio::test]
async fn the_whole_system_takes_up_an_edited_policy() {
    let policies = shipped();
    let stockade = Setup::default().policies(policies.path()).start().await;
    add_rule(&policies, "p, anonymous, products, read, any, deny\n");

    eventually_yes("a refusal", || async {
        Box::pin(stockade.visitor().get("/api/products").send()).await.status == 403
    })
    .await;
    let said = stockade.command(&["policy", "status"]).await;
    assert!(said.out.contains("by watch"), "{said:?}");
}

#[tokio::test]
async fn a_request_ends_under_the_policy_it_began_with() {
    let policies = shipped();
    let stockade = Setup::default().policies(policies.path()).start().await;
    let said = stockade.command(&["policy", "status", "--format", "json"]).await;
    let before = said.json()["in_force"]["hash"].clone();
    let mut raw = RawTls::http1(&stockade.door()).await;
    begin_order(&mut raw, &stockade.session("customer").token).await;

    add_rule(&policies, "p, customer, orders, create, any, deny\n");
    assert_eq!(stockade.command(&["policy", "reload"]).await.code, Some(0));
    let again = order(&stockade.member("customer"), "MUG-SAND", 1, "other").send().await;
    again.refused(403, "permission_denied");
    raw.send(ORDER).await;
    let ended = raw.response().await;

    assert_eq!(ended.status, 201, "{ended:?}");
    assert_eq!(stockade.record(ended.header("request-id").unwrap()).await["bundle"], before);
}

/// A copy of the shipped policy, to be edited.
fn shipped() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["model.conf", "roles.csv", "policy.csv", "routes.toml"] {
        fs::copy(built::policies().join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn add_rule(policies: &tempfile::TempDir, rule: &str) {
    let file = policies.path().join("policy.csv");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + rule).unwrap();
}

#[tokio::test]
async fn what_was_spent_of_a_limit_stays_spent() {
    let edge = edge("off", PolicyFolder::with(ROUTES, EVERYBODY)).await;
    assert_eq!([answer(&edge, "/rare").await, answer(&edge, "/rare").await], [200, 200]);
    let moved = ROUTES
        .replace("[limits]", "[limits]\nother = { key = \"address\", quota = 9, per = \"1h\" }");
    edge.policies().write("routes.toml", moved);
    assert_eq!(edge.command(&["policy", "reload"]).await.code, Some(0));
    assert_eq!(answer(&edge, "/rare").await, 429);
}
