//! Promises of `/api/products` to those who keep the catalog.

use hyper::StatusCode;
use serde_json::{Value, json};

use crate::call::{Answer, Call};
use crate::world::{World, someone};

const NOBODY: &str = "018f0000-0000-7000-8000-000000000000";

async fn publish(world: &World, body: &Value) -> Answer {
    world.call("POST", "/api/products").json(body).send().await
}

/// A product with one SKU, and its path.
async fn vase(world: &World) -> String {
    let body = json!({
        "name": "Vase", "description": "Blown glass.",
        "skus": [{"sku": "VASE", "price_minor": 2_500, "currency": "EUR"}],
    });
    let published = publish(world, &body).await;
    published.created();
    published.header("location").unwrap().to_owned()
}

fn patch(world: &World, path: &str, tag: &str, body: &Value) -> Call {
    world.call("PATCH", path).header("if-match", tag).json(body)
}

fn delete(world: &World, path: &str, tag: &str) -> Call {
    world.call("DELETE", path).header("if-match", tag)
}

#[tokio::test]
async fn what_is_published_is_found_and_sold() {
    let world = World::start().await;
    let text = "<b>Robert'); DROP TABLE product;--</b> & \u{1f3fa}";
    let body = json!({
        "name": text, "description": "line one\nline two", "category_id": null,
        "skus": [
            {"sku": "VASE-L", "price_minor": 4_000, "currency": "EUR"},
            {"sku": "VASE-S", "price_minor": 2_500, "currency": "EUR"},
        ],
    });
    let published = publish(&world, &body).await;
    published.created();
    let path = format!("/api/products/{}", published.text("id"));
    assert_eq!(published.header("location"), Some(&*path));
    assert_eq!(published.header("etag"), Some("\"1\""));
    assert_eq!(published.text("name"), text);
    assert_eq!(published.body["category_id"], Value::Null);
    assert_eq!(published.body["skus"][1]["sku"], "VASE-S");
    assert_eq!(published.body["skus"][1]["available"], 0);

    let read = world.call("GET", path).send().await;
    assert_eq!((read.header("etag"), &read.body), (Some("\"1\""), &published.body));
    let list = world.call("GET", "/api/products?limit=100").send().await;
    assert_eq!(list.body["items"].as_array().unwrap().last().unwrap(), &published.body);

    world.order(someone(), "VASE-S", 1).send().await.refused(409, "out_of_stock");
    world.receive("VASE-S", 1).send().await.created();
    let order = world.order(someone(), "VASE-S", 1).send().await;
    assert_eq!(order.body["total_minor"], 2_500);
}

#[tokio::test]
async fn a_product_may_have_nothing_to_sell_yet() {
    let world = World::start().await;
    let published = publish(&world, &json!({"name": "Idea", "description": ""})).await;
    published.created();
    assert_eq!(published.body["skus"], json!([]));
    let path = format!("/api/products/{}", published.text("id"));
    assert_eq!(world.call("GET", path).send().await.body, published.body);
}

#[tokio::test]
async fn a_product_that_breaks_a_rule_is_refused() {
    let world = World::start().await;
    let sku = json!({"sku": "X", "price_minor": 1, "currency": "EUR"});
    let with = |member: &str, value: Value| {
        let mut body = json!({"name": "Vase", "description": "", "skus": [sku]});
        body[member] = value;
        body
    };
    let priced = |price: Value| json!([{"sku": "X", "price_minor": price, "currency": "EUR"}]);
    for body in [
        with("name", json!("ab")),
        with("name", json!("x".repeat(201))),
        with("name", json!("a\u{0}bc")),
        with("name", Value::Null),
        with("description", json!("x".repeat(5001))),
        with("category_id", json!("tables")),
        with("skus", priced(json!(0))),
        with("skus", priced(json!(-1))),
        with("skus", priced(json!(1.5))),
        with("skus", priced(json!(1_000_000_000_001_i64))),
        with("skus", json!([{"sku": "X", "price_minor": 1, "currency": "eur"}])),
        with("skus", json!([{"sku": "no such", "price_minor": 1, "currency": "EUR"}])),
        with("skus", json!([sku, sku])),
        with("version", json!(7)),
    ] {
        publish(&world, &body).await.refused(422, "invalid_request");
    }
    let many: Vec<_> = (0..101)
        .map(|at| json!({"sku": format!("X{at}"), "price_minor": 1, "currency": "EUR"}))
        .collect();
    publish(&world, &with("skus", json!(many))).await.refused(422, "invalid_request");
    let stray = with("category_id", json!(NOBODY));
    publish(&world, &stray).await.refused(422, "unknown_category");
    let given = with("skus", json!([{"sku": "PRINT-10", "price_minor": 1, "currency": "EUR"}]));
    publish(&world, &given).await.refused(409, "sku_exists");
    assert_eq!(world.call("GET", "/api/products").send().await.body["items"][6], Value::Null);
}

#[tokio::test]
async fn an_edit_is_made_on_what_was_read() {
    let world = World::start().await;
    let path = vase(&world).await;
    let change = json!({"name": "Tall vase"});

    world.call("PATCH", &path).json(&change).send().await.refused(428, "precondition_required");
    for tag in ["\"2\"", "W/\"1\"", "1", ""] {
        patch(&world, &path, tag, &change).send().await.refused(412, "precondition_failed");
    }
    let edited = patch(&world, &path, "\"9\", \"1\"", &change).send().await;
    assert_eq!((edited.status, edited.header("etag")), (StatusCode::OK, Some("\"2\"")));
    assert_eq!(edited.text("name"), "Tall vase");
    assert_eq!(edited.text("description"), "Blown glass.");
    patch(&world, &path, "\"1\"", &change).send().await.refused(412, "precondition_failed");

    let last = patch(&world, &path, "*", &json!({"description": ""})).send().await;
    assert_eq!((last.header("etag"), last.text("description")), (Some("\"3\""), ""));
    for body in [json!({"name": null}), json!({"name": "x"}), json!({"skus": []}), json!(7)] {
        let refused = patch(&world, &path, "\"3\"", &body).send().await;
        refused.refused(422, "invalid_request");
    }
    let nowhere = patch(&world, &format!("/api/products/{NOBODY}"), "*", &change);
    nowhere.send().await.refused(404, "not_found");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_edits_on_one_version_one_is_made() {
    let world = World::start().await;
    let path = vase(&world).await;
    let one = patch(&world, &path, "\"1\"", &json!({"name": "Ann's vase"}));
    let other = patch(&world, &path, "\"1\"", &json!({"name": "Bob's vase"}));
    let (one, other) = tokio::join!(one.send(), other.send());
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    assert_eq!(world.call("GET", path).send().await.header("etag"), Some("\"2\""));
}

#[tokio::test]
async fn what_is_withdrawn_is_gone_from_the_shop_and_stays_in_its_history() {
    let world = World::start().await;
    let path = vase(&world).await;
    world.receive("VASE", 5).send().await.created();
    let ann = someone();
    let order = world.order(ann, "VASE", 2).send().await;
    order.created();

    world.call("DELETE", &path).send().await.refused(428, "precondition_required");
    delete(&world, &path, "\"7\"").send().await.refused(412, "precondition_failed");
    let deleted = delete(&world, &path, "\"1\"").send().await;
    assert_eq!((deleted.status, &deleted.body), (StatusCode::NO_CONTENT, &Value::Null));

    delete(&world, &path, "\"2\"").send().await.refused(404, "not_found");
    world.call("GET", &path).send().await.refused(404, "not_found");
    world.call("GET", format!("{path}/skus")).send().await.refused(404, "not_found");
    patch(&world, &path, "*", &json!({"name": "Vase"})).send().await.refused(404, "not_found");
    let price = world.call("PATCH", format!("{path}/skus/VASE")).json(&json!({"price_minor": 1}));
    price.send().await.refused(404, "not_found");
    let list = world.call("GET", "/api/products?limit=100").send().await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 6);
    world.order(someone(), "VASE", 1).send().await.refused(422, "unknown_sku");

    // The goods are still on the shelf, and who ordered them still has an order.
    let path = format!("/api/orders/{}", order.text("id"));
    let kept = world.by(ann, "GET", &path).send().await;
    assert_eq!(kept.body["lines"], order.body["lines"]);
    world.by(ann, "POST", format!("{path}/cancel")).send().await;
    assert_eq!(world.stock("VASE").await.on_hand, 5);
    world.adjust("VASE", -5, "sold elsewhere").send().await.created();

    let again = json!({
        "name": "Vase", "description": "",
        "skus": [{"sku": "VASE", "price_minor": 1, "currency": "EUR"}],
    });
    publish(&world, &again).await.refused(409, "sku_exists");
    world.intact().await;
}

#[tokio::test]
async fn skus_are_added_and_priced() {
    let world = World::start().await;
    let path = vase(&world).await;
    let skus = format!("{path}/skus");
    let new = json!({"sku": "VASE-XL", "price_minor": 9_000, "currency": "EUR"});

    let offered = world.call("POST", &skus).json(&new).send().await;
    offered.created();
    let expected =
        json!({"sku": "VASE-XL", "price_minor": 9_000, "currency": "EUR", "available": 0});
    assert_eq!(offered.body, expected);
    world.call("POST", &skus).json(&new).send().await.refused(409, "sku_exists");
    let list = world.call("GET", &skus).send().await;
    assert_eq!((&list.body["items"][1], &list.body["next"]), (&expected, &Value::Null));
    // A product is another one with every SKU that comes or changes its price.
    assert_eq!(world.call("GET", &path).send().await.header("etag"), Some("\"2\""));

    world.receive("VASE-XL", 3).send().await.created();
    let before = world.order(someone(), "VASE-XL", 1).send().await;
    let dearer = json!({"price_minor": 9_500});
    let priced = world.call("PATCH", format!("{skus}/VASE-XL")).json(&dearer).send().await;
    assert_eq!(priced.status, StatusCode::OK, "{priced:?}");
    assert_eq!(priced.body["price_minor"], 9_500);
    assert_eq!((&priced.body["currency"], &priced.body["available"]), (&json!("EUR"), &json!(2)));
    let after = world.order(someone(), "VASE-XL", 1).send().await;
    assert_eq!(before.body["total_minor"], 9_000);
    assert_eq!(after.body["total_minor"], 9_500);

    let elsewhere = world.call("PATCH", format!("{skus}/PRINT-10")).json(&dearer);
    elsewhere.send().await.refused(404, "not_found");
    let nowhere = world.call("POST", format!("/api/products/{NOBODY}/skus"));
    nowhere.json(&new).send().await.refused(404, "not_found");
    for body in [json!({"price_minor": 0}), json!({"price_minor": 1, "currency": "USD"}), json!({})]
    {
        let refused = world.call("PATCH", format!("{skus}/VASE-XL")).json(&body).send().await;
        refused.refused(422, "invalid_request");
    }
}

#[tokio::test]
async fn products_are_found_by_what_they_are() {
    let world = World::start().await;
    let sku = |sku: &str, price: u32, currency: &str| json!({"sku": sku, "price_minor": price, "currency": currency});
    let category = world.call("POST", "/api/categories").json(&json!({"name": "Tea"})).send().await;
    for (name, category, skus) in [
        ("Grüner TEE 100%", Some(category.text("id")), vec![sku("GREEN", 900_100, "CHF")]),
        ("Teekanne_1", None, vec![sku("POT", 900_500, "CHF"), sku("POT-L", 900_900, "EUR")]),
        ("Tasse", None, vec![]),
    ] {
        let body = json!({"name": name, "description": "", "category_id": category, "skus": skus});
        publish(&world, &body).await.created();
    }
    world.receive("POT-L", 1).send().await.created();
    let id = category.text("id");
    for (query, expected) in [
        ("q=tee".to_owned(), vec!["Grüner TEE 100%", "Teekanne_1"]),
        ("q=GR%C3%9CNER".to_owned(), vec!["Grüner TEE 100%"]),
        ("q=100%25".to_owned(), vec!["Grüner TEE 100%"]),
        ("q=e_1".to_owned(), vec!["Teekanne_1"]),
        ("q=r_T".to_owned(), vec![]),
        ("q=%25".to_owned(), vec!["Grüner TEE 100%"]),
        ("q=!".to_owned(), vec![]),
        ("q=%27%20OR%201=1%20--".to_owned(), vec![]),
        (format!("category={id}"), vec!["Grüner TEE 100%"]),
        (format!("category={id}&q=kanne"), vec![]),
        ("price_min=900000".to_owned(), vec!["Grüner TEE 100%", "Teekanne_1"]),
        ("price_min=900101&price_max=900899".to_owned(), vec!["Teekanne_1"]),
        ("price_min=900501&price_max=900899".to_owned(), vec![]),
        ("price_min=900000&currency=EUR".to_owned(), vec!["Teekanne_1"]),
        ("price_min=900000&available=true".to_owned(), vec!["Teekanne_1"]),
        // One SKU has to be all of it.
        ("currency=CHF&available=true".to_owned(), vec![]),
        ("q=ta&currency=CHF".to_owned(), vec![]),
        ("q=tass&available=false".to_owned(), vec!["Tasse"]),
    ] {
        let found = world.call("GET", format!("/api/products?{query}")).send().await;
        let names = found.body["items"].as_array().unwrap().iter();
        let names: Vec<_> = names.map(|item| item["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{query}");
    }
    let first = world.call("GET", "/api/products?q=tee&limit=1").send().await;
    let next = format!("/api/products?q=tee&limit=1&cursor={}", first.text("next"));
    let second = world.call("GET", next).send().await;
    assert_eq!(second.body["items"][0]["name"], "Teekanne_1");
    assert_eq!(second.body["next"], Value::Null);

    for query in [
        "q=",
        "q=%00",
        "q=a%0Ab",
        "price_min=-1",
        "price_max=1e9",
        "price_min=1000000000001",
        "currency=eur",
        "available=1",
        "category=x",
        "sort=name",
        "q=a&q=b",
    ] {
        let answer = world.call("GET", format!("/api/products?{query}")).send().await;
        answer.refused(422, "invalid_request");
    }
    let long = format!("/api/products?q={}", "x".repeat(101));
    world.call("GET", long).send().await.refused(422, "invalid_request");

    // What is edited is found by its new name alone.
    let pot = format!("/api/products/{}", second.body["items"][0]["id"].as_str().unwrap());
    patch(&world, &pot, "*", &json!({"name": "Samowar"})).send().await;
    let gone = world.call("GET", "/api/products?q=teekanne").send().await;
    assert_eq!(gone.body["items"], json!([]));
    let found = world.call("GET", "/api/products?q=SAMO").send().await;
    assert_eq!(found.body["items"][0]["name"], "Samowar");
}
