//! Promises of `/api/categories`.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn open(world: &World, name: &str) -> String {
    let opened = world.call("POST", "/api/categories").json(&json!({"name": name})).send().await;
    opened.created();
    assert_eq!(opened.text("name"), name);
    opened.text("id").to_owned()
}

async fn publish(world: &World, name: &str, category: &str) -> String {
    let body = json!({"name": name, "description": "", "category_id": category});
    let published = world.call("POST", "/api/products").json(&body).send().await;
    published.created();
    published.text("id").to_owned()
}

async fn names(world: &World, path: &str) -> Vec<String> {
    let list = world.call("GET", path).send().await;
    assert_eq!(list.status, StatusCode::OK, "{list:?}");
    let items = list.body["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn products_are_found_by_category() {
    let world = World::start().await;
    let (light, wool) = (open(&world, "Licht & Lampen").await, open(&world, "Wool").await);
    assert_eq!(names(&world, "/api/categories").await, ["Licht & Lampen", "Wool"]);
    publish(&world, "Candle", &light).await;
    let scarf = publish(&world, "Scarf", &wool).await;
    publish(&world, "Torch", &light).await;

    let lights = format!("/api/products?category={light}");
    assert_eq!(names(&world, &lights).await, ["Candle", "Torch"]);
    let page = world.call("GET", format!("{lights}&limit=1")).send().await;
    let next = format!("{lights}&limit=1&cursor={}", page.text("next"));
    assert_eq!(names(&world, &next).await, ["Torch"]);

    let path = format!("/api/products/{scarf}");
    let change = world.call("PATCH", &path).header("if-match", "\"1\"");
    let moved = change.json(&json!({"category_id": light})).send().await;
    assert_eq!(moved.text("category_id"), light);
    assert_eq!(names(&world, &lights).await.len(), 3);
    let change = world.call("PATCH", &path).header("if-match", "\"2\"");
    let moved = change.json(&json!({"category_id": null})).send().await;
    assert_eq!(moved.body["category_id"], Value::Null);
    assert_eq!(names(&world, &lights).await.len(), 2);

    world.call("GET", "/api/products?category=x").send().await.refused(422, "invalid_request");
}

#[tokio::test]
async fn a_category_that_is_in_use_stays() {
    let world = World::start().await;
    let light = open(&world, "Light").await;
    let path = format!("/api/categories/{light}");
    let candle = publish(&world, "Candle", &light).await;
    let refused = world.call("DELETE", &path).send().await;
    refused.refused(409, "category_in_use");
    assert_eq!(refused.body["detail"], "1 products are in the category");

    let withdraw = world.call("DELETE", format!("/api/products/{candle}"));
    withdraw.header("if-match", "*").send().await;
    assert_eq!(world.call("DELETE", &path).send().await.status, StatusCode::NO_CONTENT);
    world.call("DELETE", &path).send().await.refused(404, "not_found");
    assert!(names(&world, "/api/categories").await.is_empty());
    world.intact().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_category_does_not_vanish_under_a_product() {
    let world = World::start().await;
    let light = open(&world, "Light").await;
    let body = json!({"name": "Candle", "description": "", "category_id": light});
    let publish = world.call("POST", "/api/products").json(&body);
    let close = world.call("DELETE", format!("/api/categories/{light}"));
    let (published, closed) = tokio::join!(publish.send(), close.send());
    match published.status {
        StatusCode::CREATED => closed.refused(409, "category_in_use"),
        _ => {
            published.refused(422, "unknown_category");
            assert_eq!(closed.status, StatusCode::NO_CONTENT);
        }
    }
}

#[tokio::test]
async fn a_name_is_given_once_in_any_case() {
    let world = World::start().await;
    open(&world, "Küche").await;
    let call = world.call("POST", "/api/categories");
    let taken = call.clone().json(&json!({"name": "KÜCHE"})).send().await;
    taken.refused(409, "category_exists");
    for name in ["", " ", "a\nb", &"x".repeat(101)] {
        let refused = call.clone().json(&json!({"name": name})).send().await;
        refused.refused(422, "invalid_request");
    }
}
