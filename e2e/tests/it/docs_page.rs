//! The interface's page, in a real browser.

use serde_json::Value;
use stockade_test_support::Stockade;

#[tokio::test]
async fn a_browser_shows_every_operation_and_has_nothing_to_complain_about() {
    let stockade = Stockade::start().await;
    let document = stockade.visitor().get("/api/openapi.json").send().await.json();

    let shown = stockade.browse("/api/docs").await;

    assert_eq!(shown.console, [""; 0]);
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let ids: Vec<_> =
        operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    assert!(ids.len() > 30, "{ids:?}");
    for id in ids {
        assert!(shown.document.contains(&format!("<section id=\"{id}\">")), "no {id}");
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for reference in references(&document) {
        assert!(schemas.contains_key(reference), "{reference}");
        assert!(shown.document.contains(&format!("<section id=\"schema-{reference}\">")));
    }
}

/// The names of the schemas that are spoken of anywhere.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str);
            let own = own.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            members.values().flat_map(references).chain(own).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
