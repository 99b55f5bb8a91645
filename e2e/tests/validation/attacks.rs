//! `crs_requests.json`: requests that a web application firewall looks for, and some that it
//! must let pass. There is nothing to look for here: each is answered as what it is.

use serde_json::Value;
use stockade_test_support::vectors::{VectorSet, read};

use crate::asked::{Asked, asked, percent_encoded};
use crate::shop::{Guest, Shop};

#[tokio::test]
async fn attacks_are_requests_like_any_other() {
    let shop = Shop::open().await;
    let (mut set, vectors) = (VectorSet::new("crs_requests"), read("crs_requests.json"));
    let mut guest = shop.guest();
    for case in vectors["cases"].as_array().unwrap() {
        let verdict = verdict(&mut guest, case).await;
        set.note(case["id"].as_str().unwrap(), verdict);
    }
    set.finish();
}

async fn verdict(guest: &mut Guest<'_>, case: &Value) -> Result<(), String> {
    let answer = guest.ask(as_it_is(case)).await?;
    let is_benign = case["attack"] == false;
    match answer.status {
        // It knows no such path, and those it knows take no such method, body or token.
        401 | 404 | 405 => {}
        400 | 413 | 414 | 415 | 417 | 431 if !is_benign => {}
        status => return Err(format!("{status} {}", String::from_utf8_lossy(&answer.body))),
    }
    for carrier in carriers(case) {
        let target = carrier.target.clone();
        let answer = guest.ask_as("customer", carrier).await?;
        if !matches!(answer.status, 400 | 404 | 413 | 414 | 415 | 422) {
            let body = String::from_utf8_lossy(&answer.body);
            return Err(format!("{} {body} to {target}", answer.status));
        }
    }
    Ok(())
}

/// The request of the case.
fn as_it_is(case: &Value) -> Asked {
    let data = case["data"].as_str().unwrap_or_default();
    let mut call = asked(case["method"].as_str().unwrap(), case["uri"].as_str().unwrap());
    for (name, value) in case["headers"].as_object().unwrap() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        call = call.field(name, value);
    }
    call.body = data.into();
    call
}

/// Requests that bring what the case sends to where it is read.
fn carriers(case: &Value) -> Vec<Asked> {
    let (uri, data) = (case["uri"].as_str().unwrap(), case["data"].as_str().unwrap_or_default());
    let mut carriers = Vec::new();
    if let Some((_, query)) = uri.split_once('?') {
        carriers.push(asked("GET", &format!("/api/products?cursor=x&{query}")));
    }
    if !data.is_empty() {
        let form = "application/x-www-form-urlencoded";
        carriers.push(asked("POST", "/api/auth/refresh").body(form, data));
        let order = asked("POST", "/api/orders").field("Idempotency-Key", percent_encoded(uri));
        carriers.push(order.body("application/json", data));
    }
    carriers
}
