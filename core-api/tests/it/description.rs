//! Promises of `/api/openapi.json`. That every other answer here is described, and no route is
//! left out, is looked at with every call and beside the code.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

#[tokio::test]
async fn the_interface_describes_itself() {
    let world = World::start().await;
    let answer = world.call("GET", "/api/openapi.json").send().await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, Some("application/json"))
    );
    let offline: Value = serde_json::from_str(&stockade_core_api::openapi()).unwrap();
    assert_eq!(answer.body, offline);

    let document = &answer.body;
    assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
    let place = &document["paths"]["/api/orders"]["post"];
    assert_eq!(place["x-stockade-permission"], "orders.create");
    assert_eq!(place["security"], json!([{"bearer": []}]));
    let codes = &place["responses"]["409"]["x-stockade-codes"];
    assert_eq!(*codes, json!(["out_of_stock", "price_changed"]));
    let key = place["parameters"].as_array().unwrap().iter();
    let key = key.into_iter().find(|one| one["name"] == "Idempotency-Key").unwrap();
    assert_eq!((&key["in"], &key["required"]), (&json!("header"), &json!(true)));
}
