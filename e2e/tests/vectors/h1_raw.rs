//! `h1_raw_cases.json`: HTTP/1.1 to the letter of RFC 9112, and every way around it.
//!
//! Strict is what a case expects; safe is that nothing reaches the upstream which it could read
//! in two ways. `llhttp_requests.json` is a second opinion, which is reported and nothing else.

use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use serde_json::Value;
use stockade_test_support::vectors::{VectorSet, read};
use stockade_test_support::{EdgeAlone, Recorded};

use crate::edges::{Upstream, latin1, open_to_everybody, text, try_all};
use crate::h1_exchange::{After, exchange};

/// Fields that concern one connection alone (RFC 9110, 7.6.1).
const HOP_BY_HOP: [&str; 6] =
    ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];

/// Fields in which a client could pass for somebody else.
const SPOOFABLE: [&str; 5] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

#[tokio::test]
async fn a_request_has_one_meaning_or_is_refused() {
    let (mut strict, mut safe) = (VectorSet::new("h1_raw_cases"), VectorSet::new("h1_raw_safe"));
    let vectors = read("h1_raw_cases.json");
    let cases = vectors["cases"].as_array().unwrap();
    for (id, as_expected, is_safe) in try_all(open_to_everybody, cases, case).await {
        strict.note(&id, as_expected);
        safe.note(&id, is_safe);
    }
    safe.finish();
    strict.finish();
}

/// What was heard, and whether it is as expected.
async fn case(edge: &EdgeAlone, case: &Value) -> (String, Result<(), String>, Result<(), String>) {
    let malformed_before = edge.recorder().malformed().len();
    let goodbye = if case["close_write"] == true { After::Bytes } else { After::FirstResponse };
    let statuses = exchange(&edge.door(), &bytes(case), goodbye).await;
    let upstream = Upstream::since(edge, malformed_before).await;
    let requests_max = usize::try_from(case["max_upstream_requests"].as_u64().unwrap()).unwrap();
    let told = || format!("{statuses:?}; {upstream}");
    let is_safe = upstream.malformed.is_empty() && upstream.requests.len() <= requests_max;
    let as_expected = is_safe && is_as_expected(text(case, "expect"), &statuses, &upstream);
    let verdict = |good: bool| if good { Ok(()) } else { Err(told()) };
    (text(case, "id").to_owned(), verdict(as_expected), verdict(is_safe))
}

fn is_as_expected(expect: &str, statuses: &[u16], upstream: &Upstream) -> bool {
    let refused = upstream.requests.is_empty() && statuses.iter().all(|status| *status >= 400);
    let answered = statuses.first() == Some(&200) && upstream.requests.len() == 1;
    let all = |holds: fn(&Recorded) -> bool| upstream.requests.iter().all(holds);
    let normalised = answered && all(|request| carries_none(request, &SPOOFABLE));
    match expect {
        "accept" => normalised && all(has_its_body),
        "reject" => refused,
        "reject_or_normalise" | "reject_or_normalise_split" => refused || normalised,
        "reject_or_drop_trailer" => refused || normalised && all(has_no_trailer),
        "reject_or_forward_te" => refused || normalised && all(says_its_coding),
        "no_upgrade_forwarded" => all(|request| carries_none(request, &["upgrade"])),
        "hop_by_hop_stripped" => normalised && all(|request| carries_none(request, &HOP_BY_HOP)),
        other => panic!("nobody knows what `{other}` expects"),
    }
}

fn carries_none(request: &Recorded, names: &[&str]) -> bool {
    names.iter().all(|name| request.values(name).is_empty())
}

/// Every POST of these has a body.
fn has_its_body(request: &Recorded) -> bool {
    request.body.is_empty() == (request.method != "POST")
}

fn has_no_trailer(request: &Recorded) -> bool {
    request.values("transfer-encoding").is_empty() || request.raw.ends_with(b"\r\n0\r\n\r\n")
}

fn says_its_coding(request: &Recorded) -> bool {
    request.values("transfer-encoding") == ["gzip, chunked"]
}

fn bytes(case: &Value) -> Vec<u8> {
    let Some(packed) = case["raw_gz_b64"].as_str() else { return latin1(text(case, "raw")) };
    let (packed, mut bytes) = (STANDARD.decode(packed).unwrap(), Vec::new());
    GzDecoder::new(packed.as_slice()).read_to_end(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn llhttp_has_a_second_opinion() {
    let (edge, vectors) = (open_to_everybody().start().await, read("llhttp_requests.json"));
    let (mut alike, mut stricter, mut laxer) = (0, Vec::new(), Vec::new());
    for case in vectors.as_array().unwrap() {
        let (id, bytes) = (text(case, "id"), text(case, "raw").as_bytes());
        let statuses = exchange(&edge.door(), bytes, After::FirstResponse).await;
        match (statuses.iter().any(|status| *status < 400), case["llhttp"] == "ok") {
            (true, true) | (false, false) => alike += 1,
            (false, true) => stricter.push(id),
            (true, false) => laxer.push(id),
        }
    }
    println!(
        "llhttp_requests: {alike} alike, {} refused by us alone, {} by llhttp alone: {laxer:?}",
        stricter.len(),
        laxer.len()
    );
}
