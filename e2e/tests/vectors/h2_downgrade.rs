//! `h2_downgrade_cases.json`: what HTTP/2 can carry and HTTP/1.1 must never hear (RFC 9113, 8).

use serde_json::Value;
use stockade_test_support::vectors::{VectorSet, read};
use stockade_test_support::{EdgeAlone, RawH2, Recorded};

use crate::edges::{Upstream, latin1, open_to_everybody, text, try_all};

/// Fields as bytes.
type Fields = Vec<(Vec<u8>, Vec<u8>)>;

#[tokio::test]
async fn nothing_is_smuggled_through_http2() {
    let (mut set, vectors) =
        (VectorSet::new("h2_downgrade_cases"), read("h2_downgrade_cases.json"));
    let cases = vectors.as_array().unwrap();
    for (id, verdict) in try_all(open_to_everybody, cases, case).await {
        set.note(&id, verdict);
    }
    set.finish();
}

async fn case(edge: &EdgeAlone, case: &Value) -> (String, Result<(), String>) {
    let malformed_before = edge.recorder().malformed().len();
    let (headers, trailers) = (fields(&case["headers"]).unwrap(), fields(&case["trailers"]));
    let body = case["body"].as_str().map(latin1);
    let trailers = trailers.as_ref().map(borrowed);
    let mut connection = RawH2::connect(&edge.door()).await;
    let end = connection.exchange(&borrowed(&headers), body.as_deref(), trailers.as_deref()).await;
    let upstream = Upstream::since(edge, malformed_before).await;
    let refused = upstream.requests.is_empty() && end.status.is_none_or(|status| status >= 400);
    let has_its_body = |request: &Recorded| request.body == body.clone().unwrap_or_default();
    let answered = end.status == Some(200)
        && upstream.requests.len() == 1
        && upstream.requests.iter().all(has_its_body);
    let holds = match text(case, "expect") {
        "accept" => answered,
        "reject" => refused,
        "reject_or_normalise" => refused || answered,
        other => panic!("nobody knows what `{other}` expects"),
    };
    let holds = holds && upstream.malformed.is_empty() && names_no_other_host(&upstream);
    let verdict = if holds { Ok(()) } else { Err(format!("{end:?}; {upstream}")) };
    (text(case, "id").to_owned(), verdict)
}

/// `:authority` wins over Host (RFC 9113, 8.3.1).
fn names_no_other_host(upstream: &Upstream) -> bool {
    upstream.requests.iter().all(|request| request.values("host") == ["localhost"])
}

fn fields(list: &Value) -> Option<Fields> {
    let bytes = |text: &Value| latin1(text.as_str().unwrap());
    Some(list.as_array()?.iter().map(|field| (bytes(&field[0]), bytes(&field[1]))).collect())
}

fn borrowed(fields: &Fields) -> Vec<(&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice())).collect()
}

#[tokio::test]
async fn a_body_that_is_announced_to_be_empty_may_end_later() {
    let edge = open_to_everybody().start().await;
    let mut connection = RawH2::connect(&edge.door()).await;
    let fields: [(&[u8], &[u8]); 5] = [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", b"/p"),
        (b"content-length", b"0"),
    ];

    let end = connection.exchange(&fields, Some(b""), None).await;

    assert_eq!(end.status, Some(200), "{end:?}");
}
