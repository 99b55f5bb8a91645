//! `jwt_attacks.json` and `jwt_http_forms.json`: which tokens are believed, and how they are shown.
//!
//! For each algorithm there is an edge whose one issuer uses it and nothing else. Cases that name
//! `any` are tried on each of them.

use std::io;

use serde_json::Value;
use stockade_test_support::vectors::{VectorSet, read};
use stockade_test_support::{Answer, EdgeAlone, EdgeSetup, PolicyFolder, RawTls};
use tokio::net::TcpListener;

use crate::edges::text;

const ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "HS256"];

/// Where some of the tokens say that their key can be fetched.
const ATTACKERS_KEYS: &str = "127.0.0.1:9199";

/// Longest head that the edge reads, in bytes.
const HEAD_BYTES_MAX: usize = 32 * 1024;

const MINE: &str = "/mine";
const ADMIN: &str = "/api/admin/users";

#[tokio::test]
async fn a_token_is_believed_for_good_reasons_only() {
    let (mut set, vectors) = (VectorSet::new("jwt_attacks"), read("jwt_attacks.json"));
    let attacker = listen_as_the_attacker().await;
    for algorithm in ALGORITHMS {
        let mut shower = Shower::start(algorithm, &vectors).await;
        for case in cases(&vectors, algorithm) {
            let line = format!("Authorization: Bearer {}", text(case, "token"));
            let verdict = shower.verdict(text(case, "expect"), &[line]).await;
            set.note(&id(case, algorithm), verdict);
        }
    }
    if let Some(attacker) = attacker {
        let called = tokio::time::timeout(std::time::Duration::ZERO, attacker.accept()).await;
        assert!(called.is_err(), "the edge fetched a key from where a token told it to");
    }
    set.finish();
}

#[tokio::test]
async fn a_token_is_shown_in_one_way_only() {
    let (mut set, vectors) = (VectorSet::new("jwt_http_forms"), read("jwt_attacks.json"));
    let forms = read("jwt_http_forms.json");
    for algorithm in ALGORITHMS {
        let mut shower = Shower::start(algorithm, &vectors).await;
        let is_good = |case: &&Value| case["expect"] == "accept" && case["group"] == "valid";
        let token = text(cases(&vectors, algorithm).find(is_good).unwrap(), "token");
        for form in forms.as_array().unwrap() {
            let lines = form["headers"].as_array().unwrap().iter();
            let lines: Vec<_> =
                lines.map(|line| line.as_str().unwrap().replace("{T}", token)).collect();
            let verdict = shower.verdict(text(form, "expect"), &lines).await;
            set.note(&format!("{} on {algorithm}", text(form, "id")), verdict);
        }
    }
    set.finish();
}

fn cases<'v>(vectors: &'v Value, algorithm: &str) -> impl Iterator<Item = &'v Value> {
    let cases = vectors["cases"].as_array().unwrap().iter();
    cases.filter(move |case| case["configured_alg"] == algorithm || case["configured_alg"] == "any")
}

fn id(case: &Value, algorithm: &str) -> String {
    match text(case, "configured_alg") {
        "any" => format!("{} on {algorithm}", text(case, "id")),
        _ => text(case, "id").to_owned(),
    }
}

/// Nobody can listen there while somebody else does; then this much is not tried.
async fn listen_as_the_attacker() -> Option<TcpListener> {
    match TcpListener::bind(ATTACKERS_KEYS).await {
        Ok(listener) => Some(listener),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => None,
        Err(error) => panic!("{ATTACKERS_KEYS}: {error}"),
    }
}

/// Somebody who shows one token after another, on one connection for as long as it lasts.
struct Shower {
    edge: EdgeAlone,
    connection: Option<RawTls>,
}

impl Shower {
    /// At an edge that believes one issuer, which uses one algorithm.
    async fn start(algorithm: &str, vectors: &Value) -> Self {
        let lines = format!(
            "issuer = \"{}\"\naudience = \"{}\"\nalgorithms = [\"{algorithm}\"]\n\
             token_type = \"JWT\"\nroles_claim = \"role\"\n{}",
            text(vectors, "issuer"),
            text(vectors, "audience"),
            if algorithm == "HS256" {
                "accept_until = 2099-12-31\nmax_role = \"admin\""
            } else {
                ""
            },
        );
        let edge = EdgeSetup::default()
            .policies(policies())
            .issuer(&lines, &vectors["keys"]["jwks"])
            .edge("workers = 1\nauthentication.failures_max = 100000")
            .start()
            .await;
        Self { edge, connection: None }
    }

    /// Whether a token that is shown by these header lines is judged as expected.
    async fn verdict(&mut self, expect: &str, lines: &[String]) -> Result<(), String> {
        let mine = self.ask(MINE, lines).await;
        let admin = self.ask(ADMIN, lines).await;
        let heard = self.edge.recorder().take();
        let forwarded = |target: &str| heard.iter().any(|request| request.target == target);
        let accepted = mine.status == 200 && forwarded(MINE);
        let rejected = is_refusal(&mine, lines) && is_refusal(&admin, lines) && heard.is_empty();
        let no_admin = mine.status < 500 && admin.status < 500 && !forwarded(ADMIN);
        let holds = match expect {
            "accept" => accepted && no_admin,
            // Our edge is held to the strict choice where there is one.
            "reject" | "reject_strict" | "reject_or_last" => rejected,
            "either" | "not_admin" => no_admin && (accepted || rejected),
            other => panic!("nobody knows what `{other}` expects"),
        };
        let told = || format!("{} for all, {} for admins", mine.status, admin.status);
        if holds { Ok(()) } else { Err(told()) }
    }

    async fn ask(&mut self, target: &str, lines: &[String]) -> Answer {
        let head =
            format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n", lines.join("\r\n"));
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => RawTls::http1(&self.edge.door()).await,
        };
        // An edge that has heard enough may close before it has heard all.
        drop(connection.try_send(head.as_bytes()).await);
        let answer = connection.response().await;
        if answer.header("connection") != Some("close") {
            self.connection = Some(connection);
        }
        answer
    }
}

/// A refusal of the token; or of the head, where it is no head or too large.
fn is_refusal(answer: &Answer, lines: &[String]) -> bool {
    let is_field =
        lines.iter().flat_map(|line| line.bytes()).all(|byte| byte == b'\t' || byte >= b' ');
    let length: usize = lines.iter().map(String::len).sum();
    match answer.status {
        401 => answer.header("www-authenticate").is_some_and(|text| text.starts_with("Bearer")),
        400 => !is_field,
        431 => length > HEAD_BYTES_MAX,
        _ => false,
    }
}

/// Customers have something of their own, and admins have what is theirs.
fn policies() -> PolicyFolder {
    let routes = r#"
[resources]
admin  = { actions = ["do"] }
things = { actions = ["see"] }
[routes]
mine  = { match = "GET /mine", needs = "things.see", auth = "required" }
admin = { match = "* /api/admin/{**rest}", needs = "admin.do", auth = "required" }
"#;
    let rows = "p, admin, admin, do, any, allow\np, customer, things, see, any, allow\n";
    PolicyFolder::with(routes, rows)
}
