//! Promises of `/api/products` and of lists in general.

use hyper::StatusCode;
use serde_json::Value;

use crate::world::World;

#[tokio::test]
async fn products_carry_their_skus_prices_and_stock() {
    let world = World::start().await;
    let list = world.call("GET", "/api/products").send().await;
    let items = list.body["items"].as_array().unwrap();
    assert_eq!((items.len(), &list.body["next"]), (6, &Value::Null));
    let lamp = &items[0];
    assert_eq!(lamp["name"], "Desk lamp");
    assert_eq!(lamp["skus"][0]["sku"], "LAMP-BLACK");
    assert_eq!(lamp["skus"][0]["price_minor"], 4_990);
    assert_eq!(lamp["skus"][0]["currency"], "EUR");
    assert_eq!(lamp["skus"][0]["available"], 120);

    let id = lamp["id"].as_str().unwrap();
    assert_eq!(world.call("GET", format!("/api/products/{id}")).send().await.body, *lamp);
    for id in ["nothing", "018f0000-0000-7000-8000-000000000000"] {
        let missing = world.call("GET", format!("/api/products/{id}")).send().await;
        missing.refused(404, "not_found");
    }
}

#[tokio::test]
async fn pages_follow_one_another_to_the_end() {
    let world = World::start().await;
    for (path, total) in [("/api/products", 6), ("/api/inventory", 9)] {
        let mut seen = Vec::new();
        let mut next = format!("{path}?limit=4");
        loop {
            let page = world.call("GET", next.as_str()).send().await;
            assert_eq!(page.status, StatusCode::OK, "{page:?}");
            seen.extend(page.body["items"].as_array().unwrap().iter().map(ToString::to_string));
            let Some(cursor) = page.body["next"].as_str() else { break };
            next = format!("{path}?limit=4&cursor={cursor}");
        }
        assert_eq!(seen.len(), total, "{path}");
        seen.dedup();
        assert_eq!(seen.len(), total, "{path}");
    }
}

#[tokio::test]
async fn a_page_is_asked_for_in_one_way() {
    let world = World::start().await;
    let cursor = world.call("GET", "/api/products?limit=1").send().await;
    let cursor = cursor.text("next");
    for path in [
        "/api/products?limit=0".to_owned(),
        "/api/products?limit=101".to_owned(),
        "/api/products?limit=x".to_owned(),
        "/api/products?offset=1".to_owned(),
        "/api/products?cursor=abc".to_owned(),
        format!("/api/products?cursor=A{cursor}"),
        format!("/api/inventory?cursor={cursor}"),
    ] {
        world.call("GET", path).send().await.refused(422, "invalid_request");
    }
}
