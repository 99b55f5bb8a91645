//! The tour that `stockade up` prints works as printed.

use std::fs;

use serde_json::Value;
use stockade_test_support::deadline::eventually;
use stockade_test_support::{Process, Stockade};

#[tokio::test]
async fn every_line_of_the_tour_does_what_it_says() {
    let mut stockade = Stockade::start().await;
    let script = eventually("the tour", || tour(&stockade.process().stdout())).await;

    let output = run_in_bash(&script).await;

    let lines: Vec<_> = output.lines().collect();
    let statuses: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix("HTTP/2 ")).collect();
    let statuses: Vec<_> = statuses.iter().map(|status| status.trim()).collect();
    assert_eq!(statuses, ["403", "401", "403", "404", "405", "413", "415"], "{output}");
    let answers: Vec<Value> = lines.iter().filter_map(|line| answer(line)).collect();
    let [products, order, own, confirmed, paid, all, restocked, refusals @ ..] = answers.as_slice()
    else {
        unreachable!("there are seven answers before the refusals:\n{output}");
    };
    assert_eq!(products["items"].as_array().unwrap().len(), 6);
    assert_eq!(order["state"], "pending_payment");
    assert_eq!(order["lines"][0]["sku"], "MUG-BLUE");
    assert_eq!(own["items"][0]["id"], order["id"]);
    assert_eq!(confirmed["status"], "requires_capture");
    assert_eq!((&paid["id"], &paid["state"]), (&order["id"], &"paid".into()));
    assert_eq!(all["items"][0]["id"], order["id"]);
    assert_eq!(restocked["on_hand"], 509);
    let codes: Vec<_> = refusals.iter().filter_map(|refusal| refusal["code"].as_str()).collect();
    assert_eq!(codes, REFUSALS, "{output}");
    let logins: Vec<_> = lines.iter().filter(|line| ["400", "429"].contains(line)).collect();
    assert_eq!(logins, [&"400", &"400", &"400", &"400", &"400", &"429"], "{output}");
    for route in
        ["products", "token", "place-order", "open-payment", "webhook", "orders", "inventory"]
    {
        let series = format!("stockade_edge_requests_total{{route=\"{route}\"");
        assert!(lines.iter().any(|line| line.starts_with(&series)), "no `{series}`:\n{output}");
    }
}

/// What the tour is refused, in its order.
const REFUSALS: [&str; 7] = [
    "network_not_allowed",
    "token_missing",
    "permission_denied",
    "no_route",
    "method_not_allowed",
    "body_too_large",
    "unsupported_media_type",
];

/// A line that is an answer in JSON.
fn answer(line: &str) -> Option<Value> {
    serde_json::from_str(line).ok().filter(Value::is_object)
}

/// From the first remark to the last line, once all of it is printed.
fn tour(printed: &str) -> Option<String> {
    let start = printed.find("\n# ")?;
    let tour = &printed[start..];
    let end = "[1-9]'";
    tour.find(end).map(|at| tour[..at + end.len()].to_owned())
}

async fn run_in_bash(script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tour.sh"), script).unwrap();
    let arguments = ["-euo", "pipefail", "tour.sh"];
    let mut bash = Process::spawn("/bin/bash".as_ref(), arguments, folder.path());
    let status = bash.end().await;
    assert!(status.success(), "{status}\n{}{}", bash.stdout(), bash.stderr());
    bash.stdout()
}
