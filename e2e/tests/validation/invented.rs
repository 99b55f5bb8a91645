//! Every operation of the interface's description, asked with invented parameters and bodies by
//! everybody: no answer is a fault of ours, and none is undocumented.

use std::collections::BTreeMap;

use serde_json::Value;
use stockade_test_support::Answer;
use stockade_test_support::form::{self, Part};

use crate::asked::{Asked, asked, percent_encoded};
use crate::inventor::Inventor;
use crate::shop::{Guest, LAMP, Shop};

const SEED: u64 = 20_261_122;

/// For each operation, and more while one of them was never done.
const REQUESTS: usize = 240;

/// But never more than these.
const REQUESTS_MAX: usize = 5 * REQUESTS;

const ROLES: &[&str] = &["customer", "staff", "admin", "super-admin"];

/// Operations of which no invented request succeeds: they take a secret, or what no schema says,
/// or money that nobody has paid here.
const SECRETIVE: &[&str] = &[
    "change_password",
    "change_user",
    "confirm_totp",
    "deliver_order",
    "disable_totp",
    "erase_me",
    "erase_user",
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
    let mut places = BTreeMap::from([("set_price", lamp(&shop).await)]);
    let (mut guest, mut statuses) = (shop.guest(), BTreeMap::<&str, BTreeMap<u16, usize>>::new());
    let mut faults = Vec::new();
    for round in 0..REQUESTS_MAX {
        if round >= REQUESTS && never_done(&statuses).is_empty() {
            break;
        }
        // There is some of it on hand.
        inventor.remember_sku(LAMP);
        for (method, path, operation) in operations(&shop.document) {
            let id = operation["operationId"].as_str().unwrap();
            if RARE.contains(&id) && round % 8 != 0 {
                continue;
            }
            let mut call = invent(&mut inventor, method, path, operation);
            // What belongs together is hardly found by chance.
            if let Some(place) = places.get(id).filter(|_| inventor.one_in(2)) {
                call.target.clone_from(place);
            }
            let asked_at = call.target.clone();
            match send(&mut guest, &mut inventor, id, call).await {
                Ok(answer) => {
                    *statuses.entry(id).or_default().entry(answer.status).or_default() += 1;
                    if id == "upload_image" {
                        remember_image(&mut places, &asked_at, &answer);
                    } else {
                        remember(&mut inventor, path, &answer);
                    }
                }
                Err(fault) => faults.push(format!("{id}, round {round}: {fault}")),
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    assert!(never_done(&statuses).is_empty(), "never done: {:?}", never_done(&statuses));
    for (id, statuses) in &statuses {
        let refused = statuses.keys().any(|status| *status >= 400);
        assert!(refused || PUBLIC.contains(id), "{id} was never refused: {statuses:?}");
    }
}

/// Operations of which no request succeeded that could, and how they were answered.
fn never_done<'s>(
    statuses: &'s BTreeMap<&'s str, BTreeMap<u16, usize>>,
) -> BTreeMap<&'s str, &'s BTreeMap<u16, usize>> {
    let done = |statuses: &BTreeMap<u16, usize>| statuses.keys().any(|status| *status < 300);
    let never = statuses.iter().filter(|(id, all)| !SECRETIVE.contains(id) && !done(all));
    never.map(|(id, all)| (*id, all)).collect()
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
        if media == "multipart/form-data" {
            call = call.body(form::MEDIA_TYPE, form_of_image(inventor));
            continue;
        }
        let value = inventor.value(&body["schema"]);
        call = call
            .body(media, if media.ends_with("json") { value.to_string() } else { encoded(&value) });
    }
    call
}

/// By anybody; nobody logs out, ends their account or takes their second factor off who is still
/// needed.
async fn send(
    guest: &mut Guest<'_>,
    inventor: &mut Inventor<'_>,
    id: &str,
    call: Asked,
) -> Result<Answer, String> {
    if matches!(id, "log_out" | "disable_totp" | "erase_me") || inventor.one_in(10) {
        return guest.ask(call).await;
    }
    let role = if inventor.one_in(3) { *inventor.one_of(ROLES) } else { "super-admin" };
    guest.ask_as(role, call).await
}

/// What was made can be asked for, by the word that its path ends with.
fn remember(inventor: &mut Inventor<'_>, path: &str, answer: &Answer) {
    if answer.status != 201 {
        return;
    }
    path.rsplit('/').next().unwrap_or_default().clone_into(&mut inventor.about);
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

/// Where an image is, and its product's.
fn remember_image(places: &mut BTreeMap<&str, String>, target: &str, answer: &Answer) {
    if answer.status == 201 {
        let made = answer.json();
        places.insert("read_image", made["url"].as_str().unwrap().to_owned());
        let id = made["id"].as_str().unwrap();
        places.insert("remove_image", format!("{target}/{id}"));
    }
}

/// A form with a picture in it, or nearly.
fn form_of_image(inventor: &mut Inventor<'_>) -> Vec<u8> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\
        \0\0\0\nIDATx\x9cc\xc8\0\0\0j\0i9FJ\x8a\0\0\0\0IEND\xaeB`\x82";
    let media_type = *inventor.one_of(&["image/png", "image/png", "image/png", "image/webp"]);
    let bytes = if inventor.one_in(10) { &PNG[..20] } else { PNG };
    let mut parts =
        vec![Part { name: "image", file_name: None, media_type: Some(media_type), bytes }];
    let alt = inventor.odd_text();
    if inventor.one_in(2) {
        parts.push(Part { name: "alt", file_name: None, media_type: None, bytes: alt.as_bytes() });
    }
    form::multipart(&parts)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn encoded(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten();
    let pairs = pairs.map(|(name, value)| {
        format!("{}={}", percent_encoded(name), percent_encoded(&plain(value)))
    });
    pairs.collect::<Vec<_>>().join("&")
}
