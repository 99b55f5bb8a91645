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
    let statuses: Vec<_> = lines.iter().filter(|line| line.starts_with("HTTP/2 ")).collect();
    assert_eq!(statuses, [&"HTTP/2 401 ", &"HTTP/2 403 "], "{output}");
    let answers: Vec<Value> =
        lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let [products, order, orders, no_token, no_permission] = answers.as_slice() else {
        unreachable!("there are five answers in JSON:\n{output}");
    };
    assert_eq!(products["items"].as_array().unwrap().len(), 6);
    assert_eq!(order["state"], "pending_payment");
    assert_eq!(order["lines"][0]["sku"], "MUG-BLUE");
    assert_eq!(orders["items"][0]["id"], order["id"]);
    assert_eq!(no_token["code"], "token_missing");
    assert_eq!(no_permission["code"], "permission_denied");
    for route in ["products", "token", "place-order", "orders", "inventory"] {
        let series = format!("stockade_edge_requests_total{{route=\"{route}\"");
        assert!(lines.iter().any(|line| line.starts_with(&series)), "no `{series}`:\n{output}");
    }
}

/// From the first remark to the last line, once all of it is printed.
fn tour(printed: &str) -> Option<String> {
    let start = printed.find("\n# ")?;
    let tour = &printed[start..];
    tour.trim_end().ends_with("stockade_edge_requests_total").then(|| tour.to_owned())
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
