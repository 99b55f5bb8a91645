//! The description says what the route table says, and refers to nothing it does not hold.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::http::routes;

fn described() -> Value {
    serde_json::from_str(&document()).unwrap()
}

#[test]
fn every_route_a_client_can_reach_is_described_and_no_other() {
    let document = described();
    assert_eq!(document["openapi"], "3.1.0");
    let mut found = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let text = |name: &str| operation[name].as_str().unwrap().to_owned();
            let method = method.to_uppercase();
            found.insert((
                method,
                path.clone(),
                text("operationId"),
                text("x-stockade-permission"),
            ));
        }
    }
    let reachable = routes().into_iter().filter(|route| !route.path.starts_with("/internal/"));
    let expected: BTreeSet<_> = reachable
        .map(|route| {
            let facts = [route.method, route.path, route.operation, route.permission];
            let [method, path, operation, permission] = facts.map(str::to_owned);
            (method, path, operation, permission)
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_reference_leads_somewhere_and_every_answer_says_what_it_is() {
    let document = described();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for reference in text.split("\"$ref\":\"").skip(1) {
        let name = reference.split('"').next().unwrap();
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert_ne!(answer["description"], "", "{operation}");
                let empty = ["202", "204"].contains(&status.as_str());
                assert_eq!(answer["content"].is_object(), !empty, "{operation}");
            }
        }
    }
}
