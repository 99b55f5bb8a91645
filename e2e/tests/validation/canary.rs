//! A secret that is typed into every place where somebody can type something is afterwards in no
//! log, no metric, no row of the audit trail, and no refusal that somebody else is shown.
//!
//! The places come from the interface's description. Each gets a secret of its own, so that one
//! that leaks says where it was typed. Paths are the one exception: the decision record holds
//! them, without their queries, and nothing else does.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value, json};
use stockade_test_support::Answer;

use crate::asked::{Asked, asked, percent_encoded};
use crate::shop::{Guest, LAMP, Shop};

/// What no description knows of and people type secrets into all the same.
const FIELDS: &[&str] =
    &["Authorization", "Cookie", "Referer", "X-Api-Key", "X-Request-Id", "Accept"];

/// What letters a number is written in, so that it can be a name, a SKU, a key and a role.
const LETTERS: &[u8] = b"abdefghjklmnopqrstuv";

/// Secrets, and where each was typed.
#[derive(Debug, Default)]
struct Canaries {
    places: BTreeMap<String, String>,
}

impl Canaries {
    /// Another secret, for this place.
    fn at(&mut self, place: &str) -> String {
        let (mut number, mut text) = (self.places.len(), "zcanaryz".to_owned());
        for _ in 0..6 {
            text.push(char::from(LETTERS[number % LETTERS.len()]));
            number /= LETTERS.len();
        }
        self.places.insert(text.clone(), place.to_owned());
        text
    }

    /// Where the secrets were typed that a text holds.
    fn found(&self, text: &str) -> Vec<&str> {
        let starts = text.match_indices("zcanaryz");
        let canary = |(at, _): (usize, &str)| text.get(at..at + 14);
        starts.filter_map(canary).filter_map(|one| Some(self.places.get(one)?.as_str())).collect()
    }
}

#[tokio::test]
async fn what_is_typed_anywhere_is_told_nowhere() {
    let mut shop = Shop::open().await;
    let (mut canaries, mut guest) = (Canaries::default(), shop.guest());
    let known = Known::make(&mut guest).await;
    // Before the bad tokens: after so many, one that was never seen is not looked at any more.
    let tokens = log_in_with_a_secret(&mut guest, &mut canaries).await;
    let mut sent = 0;
    for (method, path, operation) in operations(&shop.document) {
        for call in typed(&mut canaries, &shop.document, &known, (method, path, operation)) {
            // Nobody logs out who is needed later.
            let ends = ["log_out", "disable_totp"].map(Value::from);
            let member =
                if ends.contains(&operation["operationId"]) { "staff" } else { "super-admin" };
            for role in [None, Some(member)] {
                let answer = send(&mut guest, role, call.clone()).await;
                told_to_its_author_alone(&canaries, &call, &answer);
                sent += 1;
            }
        }
    }
    assert!(sent > 400, "only {sent} requests: are there no places?");

    for ops in [shop.stockade.ops(), shop.stockade.core_ops()] {
        let metrics = shop.stockade.probe(ops, "/metrics").await.1;
        nowhere(&canaries, &tokens, "the metrics", &metrics);
    }
    let trail = trail(&mut guest).await;
    for action in ["account.registered", "login.failed", "product.published", "stock.received"] {
        assert!(trail.iter().any(|act| act["action"] == action), "nobody did {action}");
    }
    nowhere(&canaries, &tokens, "the audit trail", &Value::from(trail).to_string());

    drop(guest);
    assert!(shop.stockade.terminate().await.success());
    let (log, data) = (shop.stockade.said(), shop.stockade.data());
    assert!(log.contains(" INFO stockade_core_api"), "there is a log: {log}");
    nowhere(&canaries, &tokens, "the log", &log);
    let told = fs::read_to_string(data.join("audit-checkpoints.jsonl")).unwrap();
    nowhere(&canaries, &tokens, "what is told outside", &told);
    let records = fs::read_to_string(data.join("access.log")).unwrap();
    assert!(records.lines().count() > sent / 2, "there are records");
    let mut in_paths = 0;
    for line in records.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        in_paths += canaries.found(record["path"].take().as_str().unwrap()).len();
        nowhere(&canaries, &tokens, "a decision record", &record.to_string());
    }
    assert!(in_paths > 0, "what is there is found");
}

#[track_caller]
fn nowhere(canaries: &Canaries, tokens: &[String], place: &str, text: &str) {
    let found = canaries.found(text);
    assert!(found.is_empty(), "{place} holds what was typed at {found:?}: {text}");
    let token = tokens.iter().find(|token| text.contains(token.as_str()));
    assert!(token.is_none(), "{place} holds a token: {text}");
}

/// A refusal shows nobody what somebody else typed.
#[track_caller]
fn told_to_its_author_alone(canaries: &Canaries, call: &Asked, answer: &Answer) {
    if answer.status < 400 {
        return;
    }
    let body = String::from_utf8_lossy(&answer.body);
    let own = canaries.found(&String::from_utf8_lossy(&call.bytes(""))).join(" ");
    for place in canaries.found(&body) {
        assert!(own.contains(place), "a refusal holds what was typed at {place}: {body}");
    }
}

async fn send(guest: &mut Guest<'_>, role: Option<&str>, call: Asked) -> Answer {
    let sent = match role {
        Some(role) if !call.has("Authorization") => guest.ask_as(role, call).await,
        _ => guest.ask(call).await,
    };
    sent.unwrap_or_else(|fault| panic!("{fault}"))
}

/// Ids of things that are there, by what they are.
struct Known(BTreeMap<&'static str, String>);

impl Known {
    async fn make(guest: &mut Guest<'_>) -> Self {
        let mut made = BTreeMap::new();
        let account = json!({"username": "somebody", "password": "long enough to be", "email": "s@example.com"});
        let product = json!({"name": "A probe", "description": ""});
        let category = json!({"name": "A probe"});
        for (kind, path, body) in [
            ("users", "/api/auth/register", account),
            ("products", "/api/products", product),
            ("categories", "/api/categories", category),
        ] {
            let call = asked("POST", path).json(&body);
            let answer = send(guest, (kind != "users").then_some("admin"), call).await;
            made.insert(kind, answer.json()["id"].as_str().unwrap().to_owned());
        }
        Self(made)
    }

    /// What stands for a parameter of a path.
    fn value(&self, path: &str, name: &str) -> &str {
        let nobody = "00000000-0000-7000-8000-000000000000";
        let kind = self.0.iter().find(|(kind, _)| path.contains(*kind));
        match name {
            "sku" => LAMP,
            _ => kind.map_or(nobody, |(_, id)| id.as_str()),
        }
    }

    fn fill(&self, path: &str) -> String {
        let part = |part: &str| match part.strip_prefix('{') {
            Some(name) => self.value(path, name.trim_end_matches('}')).to_owned(),
            None => part.to_owned(),
        };
        path.split('/').map(part).collect::<Vec<_>>().join("/")
    }
}

type Operation<'d> = (&'d str, &'d str, &'d Value);

fn operations(document: &Value) -> impl Iterator<Item = Operation<'_>> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation))
    })
}

/// One request for each place of an operation.
fn typed(
    canaries: &mut Canaries,
    document: &Value,
    known: &Known,
    (method, path, operation): Operation<'_>,
) -> Vec<Asked> {
    let method = method.to_uppercase();
    let id = operation["operationId"].as_str().unwrap();
    let mut place = |name: &str| canaries.at(&format!("{id}: {name}"));
    let (media, body, texts) = body(document, operation);
    let with_body = |call: Asked, body: &Value| match media.as_deref() {
        Some(media) if media.ends_with("json") => call.json(body),
        Some(media) => call.body(media, form(body)),
        None => call,
    };
    let plain = || asked(&method, &known.fill(path)).field("If-Match", "*");
    let mut calls = Vec::new();
    for text in &texts {
        let mut spoilt = body.clone();
        let secret = place(text);
        let there = spoilt.pointer_mut(text).unwrap();
        *there = if text.ends_with("email") {
            format!("{secret}@example.com").into()
        } else {
            secret.clone().into()
        };
        calls.push(with_body(plain().field("Idempotency-Key", secret), &spoilt));
    }
    for name in FIELDS {
        let secret = place(name);
        let value = if *name == "Authorization" { format!("Bearer {secret}") } else { secret };
        calls.push(with_body(plain().field(name, value), &body));
    }
    let mut queries = vec!["token".to_owned()];
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str().unwrap() {
            "query" => queries.push(name.to_owned()),
            "header" => {
                let call = asked(&method, &known.fill(path)).field(name, place(name));
                calls.push(with_body(call, &body));
            }
            _ => {
                let filled = path.replace(&format!("{{{name}}}"), &place(name));
                calls.push(with_body(asked(&method, &known.fill(&filled)), &body));
            }
        }
    }
    for name in queries {
        let target = format!("{}?{name}={}", known.fill(path), place(&format!("?{name}")));
        calls.push(with_body(asked(&method, &target).field("If-Match", "*"), &body));
    }
    calls
}

/// A body in which everything is there, and where its texts are.
fn body(document: &Value, operation: &Value) -> (Option<String>, Value, Vec<String>) {
    let mut texts = Vec::new();
    let mut bodies = operation["requestBody"]["content"].as_object().into_iter().flatten();
    let Some((media, content)) = bodies.next() else { return (None, Value::Null, texts) };
    let sample = sample(document, &content["schema"], "", &mut texts);
    (Some(media.clone()), sample, texts)
}

fn sample(document: &Value, schema: &Value, at: &str, texts: &mut Vec<String>) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let schema = document.pointer(reference.trim_start_matches('#')).unwrap();
        return sample(document, schema, at, texts);
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            let schema = schemas.iter().find(|one| one["type"] != "null").unwrap();
            return sample(document, schema, at, texts);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null").unwrap(),
        kind => kind,
    };
    match kind.as_str().unwrap_or("object") {
        "string" => {
            texts.push(at.to_owned());
            text(schema, at).into()
        }
        "integer" => schema["minimum"].as_i64().unwrap_or(0).max(1).into(),
        "boolean" => false.into(),
        "array" => json!([sample(document, &schema["items"], &format!("{at}/0"), texts)]),
        _ => {
            let mut object = Map::new();
            for (name, member) in schema["properties"].as_object().into_iter().flatten() {
                let value = sample(document, member, &format!("{at}/{name}"), texts);
                object.insert(name.clone(), value);
            }
            object.into()
        }
    }
}

/// A text that would do in this place.
fn text(schema: &Value, at: &str) -> String {
    if let Some(word) = schema["enum"][0].as_str() {
        return word.to_owned();
    }
    let name = at.rsplit('/').next().unwrap_or_default();
    let text = match name {
        "grant_type" => "password",
        "currency" => "EUR",
        "email" => "probe@example.com",
        "phone" => "+33123456789",
        "role" => "customer",
        "sku" => LAMP,
        _ if schema["format"] == "uuid" => "00000000-0000-7000-8000-000000000000",
        _ => "sample text long enough",
    };
    text.to_owned()
}

fn form(value: &Value) -> String {
    let pairs = value.as_object().into_iter().flatten();
    let pairs = pairs.filter_map(|(name, value)| {
        Some(format!("{}={}", percent_encoded(name), percent_encoded(value.as_str()?)))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Somebody whose password is a secret as well logs in with it; the tokens that they get.
async fn log_in_with_a_secret(guest: &mut Guest<'_>, canaries: &mut Canaries) -> Vec<String> {
    let password = canaries.at("a password that is right");
    let account = json!({"username": "secretive", "password": password, "email": "t@example.com"});
    let made = send(guest, None, asked("POST", "/api/auth/register").json(&account)).await;
    assert_eq!(made.status, 201);
    let login = json!({"grant_type": "password", "username": "secretive", "password": password});
    let form = form(&login);
    let call = asked("POST", "/api/auth/token").body("application/x-www-form-urlencoded", form);
    let tokens = send(guest, None, call).await.json();
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let call =
        asked("GET", "/api/me").field("Authorization", format!("Bearer {}", token("access_token")));
    assert_eq!(send(guest, None, call).await.status, 200);
    vec![token("access_token"), token("refresh_token")]
}

/// Every act, oldest last.
async fn trail(guest: &mut Guest<'_>) -> Vec<Value> {
    let (mut acts, mut target) = (Vec::new(), "/api/admin/audit?limit=100".to_owned());
    loop {
        let page = send(guest, Some("super-admin"), asked("GET", &target)).await.json();
        acts.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => target = format!("/api/admin/audit?limit=100&cursor={next}"),
            None => return acts,
        }
    }
}
