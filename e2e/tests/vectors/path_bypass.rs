//! `path_bypass.json`: whatever a path is disguised as, nobody below `/api/admin` but admins.

use serde_json::Value;
use stockade_test_support::vectors::{VectorSet, read};
use stockade_test_support::{EdgeAlone, EdgeSetup, PolicyFolder, Recorded};

use crate::edges::{Upstream, open_to_everybody, text, try_all};
use crate::h1_exchange::{After, exchange};
use crate::lenient_path::may_be_below;

const ADMIN: &str = "/api/admin";

/// Who may reach what is below `/api/admin`, and whoever wants all the rest.
fn with_an_admin_prefix() -> EdgeSetup {
    let routes = r#"
[resources]
admin    = { actions = ["do"] }
anything = { actions = ["do"] }
[routes]
admin      = { match = "* /api/admin", needs = "admin.do", auth = "required" }
admins     = { match = "* /api/admin/{**rest}", needs = "admin.do", auth = "required" }
everything = { match = "* /{**rest}", needs = "anything.do", auth = "none" }
root       = { match = "* /", needs = "anything.do", auth = "none" }
"#;
    let rows = "p, admin, admin, do, any, allow\np, anonymous, anything, do, any, allow\n";
    open_to_everybody().policies(PolicyFolder::with(routes, rows))
}

#[tokio::test]
async fn nobody_comes_near_admins_by_another_spelling() {
    let (mut set, vectors) = (VectorSet::new("path_bypass"), read("path_bypass.json"));
    let cases = vectors.as_array().unwrap();
    for (id, verdict) in try_all(with_an_admin_prefix, cases, case).await {
        set.note(&id, verdict);
    }
    set.finish();
}

async fn case(edge: &EdgeAlone, case: &Value) -> (String, Result<(), String>) {
    assert_eq!(case["expect"], "no_admin");
    let (request, id) = request(case);
    let statuses = exchange(&edge.door(), &request, After::FirstResponse).await;
    let upstream = Upstream::since(edge, 0).await;
    let leak = upstream.requests.iter().find(|request| is_leak(request));
    let verdict = match (leak, statuses.first()) {
        (Some(leak), _) => Err(format!("{} reached the upstream", leak.target)),
        (None, Some(400..500)) | (None, None) => Ok(()),
        (None, Some(200)) if upstream.requests.len() == 1 => Ok(()),
        (None, Some(status)) => Err(format!("{status}; {upstream}")),
    };
    (id, verdict)
}

/// The bytes of the request, and its name in the ledger.
fn request(case: &Value) -> (Vec<u8>, String) {
    let method = case["method"].as_str().unwrap_or("GET");
    let line = format!("{method} {}", text(case, "target"));
    let headers = case["headers"].as_object().into_iter().flatten();
    let headers: String =
        headers.map(|(name, value)| format!("\r\n{name}: {}", value.as_str().unwrap())).collect();
    let id = format!("{line}{}", headers.replace("\r\n", " "));
    let request = format!("{line} HTTP/1.1\r\nHost: localhost{headers}\r\n\r\n");
    (request.into_bytes(), id)
}

/// Somebody without a token is answered by what is for admins: by the path that arrives, or by
/// a header that names another one.
fn is_leak(request: &Recorded) -> bool {
    let named = request.headers.iter().any(|(_, value)| value.starts_with(ADMIN));
    named || may_be_below(&request.target, ADMIN)
}
