//! `json_parsing.json`: what is JSON and what is not, as the bodies of requests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use stockade_test_support::vectors::{VectorSet, read};

use crate::asked::{Asked, asked};
use crate::shop::{Guest, LAMP, Shop};

const JSON: &str = "application/json";

/// Of an order that there is not; what is said of it is read before that shows.
const RETURN: &str = "/api/orders/00000000-0000-7000-8000-000000000000/return";

#[tokio::test]
async fn what_is_not_json_is_not_taken_for_it() {
    let shop = Shop::open().await;
    let (mut set, vectors) = (VectorSet::new("json_parsing"), read("json_parsing.json"));
    let mut guest = shop.guest();
    for case in vectors.as_array().unwrap() {
        let document = STANDARD.decode(case["b64"].as_str().unwrap()).unwrap();
        let expect = case["expect"].as_str().unwrap();
        let verdict = verdict(&mut guest, expect, &document).await;
        set.note(case["id"].as_str().unwrap(), verdict);
    }
    set.finish();
}

/// As the body of each kind of operation, and as a member of one.
async fn verdict(guest: &mut Guest<'_>, expect: &str, document: &[u8]) -> Result<(), String> {
    let member = [br#"{"description":"x","name":"#, document, b"}"].concat();
    let movements = format!("/api/inventory/{LAMP}/movements");
    let stocktake = format!("/api/inventory/{LAMP}/stocktake");
    let key = |asked: Asked| asked.field("Idempotency-Key", "one");
    let calls = [
        ("admin", asked("POST", "/api/products").body(JSON, document)),
        ("admin", asked("POST", "/api/products").body(JSON, member)),
        ("admin", asked("POST", "/api/categories").body(JSON, document)),
        ("admin", key(asked("POST", &movements)).body(JSON, document)),
        ("admin", key(asked("POST", &stocktake)).body(JSON, document)),
        ("admin", asked("PATCH", &format!("/api/inventory/{LAMP}")).body(JSON, document)),
        ("customer", key(asked("POST", "/api/orders")).body(JSON, document)),
        ("customer", asked("POST", "/api/auth/register").body(JSON, document)),
        ("customer", asked("PUT", &format!("/api/cart/lines/{LAMP}")).body(JSON, document)),
        ("staff", asked("POST", RETURN).body(JSON, document)),
    ];
    for (role, call) in calls {
        let target = call.target.clone();
        let answer = guest.ask_as(role, call).await?;
        let code = answer.json()["code"].as_str().unwrap_or("none").to_owned();
        let holds = match (expect, answer.status) {
            ("accept" | "either", 201) => answer.json()["name"].is_string(),
            ("accept" | "either", 422) => code == "invalid_request",
            ("reject" | "either", 400) => code == "invalid_json",
            _ => false,
        };
        if !holds {
            return Err(format!("{} `{code}` by {target}", answer.status));
        }
    }
    Ok(())
}

/// Beyond the vectors: what is JSON, but has no single meaning, or none that fits.
#[tokio::test]
async fn json_that_means_nothing_here_is_refused_where_it_is_wrong() {
    let shop = Shop::open().await;
    let mut guest = shop.guest();
    let deep = |open: &str| format!(r#"{{"name":{}"#, open.repeat(10_000));
    let name = |json: &str| format!(r#"{{"description":"","name":{json}}}"#);
    let sku = |json: &str| format!(r#"{{"name":"Mug","description":"","skus":[{json}]}}"#);
    let price =
        |json: &str| sku(&format!(r#"{{"sku":"A-1","currency":"EUR","price_minor":{json}}}"#));
    let cases: Vec<(u16, &str, String)> = vec![
        (422, "duplicate field `name`", r#"{"name":"Mug","name":"Cup","description":""}"#.into()),
        (422, "duplicate field `name`", r#"{"name":"Mug","n\u0061me":"Cup"}"#.into()),
        (422, "__proto__: unknown field `__proto__`", r#"{"name":"Mug","__proto__":{}}"#.into()),
        (422, "name: ", name(r#""a\u0000bc""#)),
        (422, "name: ", name(r#""a\nbc""#)),
        (422, "name: ", name("null")),
        (422, "name: ", name("[]")),
        (422, "invalid type: sequence, expected an object", r#"["Mug",""]"#.into()),
        (422, "skus[0]: invalid type: sequence, expected an object", sku(r#"["A-1",1,"EUR"]"#)),
        (422, "missing field `description`", r#"{"name":"Mug"}"#.into()),
        (400, "", name(r#""\ud800abc""#)),
        (400, "", name(r#""\udfaa\ud800""#)),
        (400, "", format!("\u{feff}{}", name("\"Mug\""))),
        (400, "", deep("[")),
        (400, "", deep(r#"{"a":"#)),
        (422, "skus[0].price_minor: ", price("0")),
        (422, "skus[0].price_minor: ", price("-1")),
        (422, "skus[0].price_minor: ", price("-0")),
        (422, "skus[0].price_minor: ", price("1.0")),
        (422, "skus[0].price_minor: ", price("1e2")),
        (422, "skus[0].price_minor: ", price("\"1\"")),
        (422, "skus[0].price_minor: ", price("9223372036854775808")),
        (422, "skus[0].price_minor: ", price(&"9".repeat(300))),
        (400, "", price("1e999")),
        (400, "", price("0x10")),
        (400, "", price("01")),
        (400, "", price("NaN")),
    ];
    for (status, detail, body) in cases {
        let call = asked("POST", "/api/products").body(JSON, body.clone());
        let answer = guest.ask_as("admin", call).await.unwrap();
        let problem: Value = answer.json();
        let start: String = body.chars().take(80).collect();
        assert_eq!(answer.status, status, "{start}: {problem}");
        let told = problem["detail"].as_str().unwrap();
        assert!(told.starts_with(detail), "{start}: {problem}");
        assert!(status != 400 || told.contains(" at line 1 column "), "{start}: {problem}");
    }
}
