//! Every operation of the interface's description, asked with invented parameters and bodies by
//! everybody: no answer is a fault of ours, and none is undocumented.

use std::collections::BTreeMap;

use serde_json::Value;
use stockade_test_support::Answer;

use crate::asked::{Asked, asked, percent_encoded};
use crate::inventor::Inventor;
use crate::shop::{Guest, LAMP, Shop};

const SEED: u64 = 20_261_122;

/// For each operation.
const REQUESTS: usize = 240;

const ROLES: &[&str] = &["customer", "staff", "admin", "super-admin"];

/// Operations of which no invented request succeeds: they take a secret, or what no schema says,
/// or money that nobody has paid here.
const SECRETIVE: &[&str] = &[
    "change_password",
    "change_user",
    "confirm_totp",
    "deliver_order",
    "disable_totp",
    "fulfil_order",
    "issue_token",
    "log_out",
    "prove_factor",
    "receive_webhook",
    "refresh_token",
    "refund_payment",
    "register",
    "retry_dead_job",
    "return_order",
    "set_password",
    "ship_order",
    "verify_email",
];

/// Operations that take nothing, and so have nothing to refuse.
const PUBLIC: [&str; 2] = ["read_openapi", "read_docs"];

/// Operations that weigh a password, which takes its time, or end what others need.
const RARE: &[&str] =
    &["cancel_order", "change_password", "issue_token", "register", "set_password"];

#[tokio::test]
async fn no_invented_request_is_answered_off_the_description() {
    let shop = Shop::open().await;
    let mut inventor = Inventor::new(SEED, &shop.document);
    let lamp = lamp(&shop).await;
    let (mut guest, mut statuses) = (shop.guest(), BTreeMap::<&str, BTreeMap<u16, usize>>::new());
    let mut faults = Vec::new();
    for round in 0..REQUESTS {
        // There is some of it on hand.
        inventor.remember_sku(LAMP);
        for (method, path, operation) in operations(&shop.document) {
            let id = operation["operationId"].as_str().unwrap();
            if RARE.contains(&id) && round % 8 != 0 {
                continue;
            }
            let mut call = invent(&mut inventor, method, path, operation);
            if id == "set_price" && inventor.one_in(2) {
                // A product and a SKU of its own are hardly found by chance.
                call.target.clone_from(&lamp);
            }
            match send(&mut guest, &mut inventor, id, call).await {
                Ok(answer) => {
                    *statuses.entry(id).or_default().entry(answer.status).or_default() += 1;
                    remember(&mut inventor, &answer);
                }
                Err(fault) => faults.push(format!("{id}, round {round}: {fault}")),
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    for (id, statuses) in &statuses {
        let done = statuses.keys().any(|status| *status < 300);
        assert!(done || SECRETIVE.contains(id), "{id} was never done: {statuses:?}");
        let refused = statuses.keys().any(|status| *status >= 400);
        assert!(refused || PUBLIC.contains(id), "{id} was never refused: {statuses:?}");
    }
}

/// Where the demo's lamp is.
async fn lamp(shop: &Shop) -> String {
    let products = shop.guest().ask(asked("GET", "/api/products")).await.unwrap().json();
    let mut products = products["items"].as_array().unwrap().iter();
    let lamp = products.find(|product| product["skus"][0]["sku"] == LAMP).unwrap();
    format!("/api/products/{}/skus/{LAMP}", lamp["id"].as_str().unwrap())
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

fn invent(inventor: &mut Inventor<'_>, method: &str, path: &str, operation: &Value) -> Asked {
    let mut target = path.to_owned();
    inventor.about = path.split('/').nth(2).unwrap_or_default().to_owned();
    let (mut query, mut fields) = (Vec::new(), Vec::new());
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        let value = plain(&inventor.value(&parameter["schema"]));
        match parameter["in"].as_str().unwrap() {
            "path" => target = target.replace(&format!("{{{name}}}"), &percent_encoded(&value)),
            "query" if inventor.one_in(3) => {
                query.push(format!("{name}={}", percent_encoded(&value)));
            }
            "query" => {}
            _ if inventor.one_in(10) => {}
            _ if name == "If-Match" => fields.push((name, "*".to_owned())),
            // What texts are invented of is mostly no key.
            _ if inventor.one_in(2) => fields.push((name, inventor.below(1 << 40).to_string())),
            // A line break would begin another field.
            _ => fields.push((name, value.replace(['\r', '\n'], ""))),
        }
    }
    if inventor.one_in(20) {
        query.push(format!("{}=x", percent_encoded(&inventor.odd_text())));
    }
    if !query.is_empty() {
        target = format!("{target}?{}", query.join("&"));
    }
    let mut call = asked(&method.to_uppercase(), &target);
    for (name, value) in fields {
        call = call.field(name, value);
    }
    let bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
    for (media, body) in bodies {
        let value = inventor.value(&body["schema"]);
        call = call
            .body(media, if media.ends_with("json") { value.to_string() } else { form(&value) });
    }
    call
}

/// By anybody; nobody logs out or takes their second factor off who is still needed.
async fn send(
    guest: &mut Guest<'_>,
    inventor: &mut Inventor<'_>,
    id: &str,
    call: Asked,
) -> Result<Answer, String> {
    if matches!(id, "log_out" | "disable_totp") || inventor.one_in(10) {
        return guest.ask(call).await;
    }
    let role = if inventor.one_in(3) { *inventor.one_of(ROLES) } else { "super-admin" };
    guest.ask_as(role, call).await
}

/// What was made can be asked for.
fn remember(inventor: &mut Inventor<'_>, answer: &Answer) {
    if answer.status != 201 {
        return;
    }
    let made = answer.json();
    if let Some(id) = made["id"].as_str() {
        inventor.remember_id(id);
    }
    for sku in [&made["sku"], &made["skus"][0]["sku"]] {
        if let Some(sku) = sku.as_str() {
            inventor.remember_sku(sku);
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn form(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten();
    let pairs = pairs.map(|(name, value)| {
        format!("{}={}", percent_encoded(name), percent_encoded(&plain(value)))
    });
    pairs.collect::<Vec<_>>().join("&")
}
