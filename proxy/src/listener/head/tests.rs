//! Which heads are one request, to the letter.

use super::*;

#[track_caller]
fn check(head: &str, expected: Result<Framing, Reason>) {
    let outcome = judge(head.as_bytes()).map(|(framing, _)| framing);
    assert_eq!(outcome.map_err(|rejection| rejection.reason), expected, "{head:?}");
}

fn with(fields: &str) -> String {
    format!("POST / HTTP/1.1\r\nHost: x\r\n{fields}\r\n\r\n")
}

#[test]
fn plain_heads_are_understood() {
    check("GET / HTTP/1.1\r\nHost: x\r\n\r\n", Ok(Framing::None));
    check("GET https://x/a HTTP/1.1\r\nhost:  x \r\n\r\n", Ok(Framing::None));
    check(&with("Content-Length: 12"), Ok(Framing::Length(12)));
    check(&with("Transfer-Encoding: Chunked"), Ok(Framing::Chunked));
    check(&with("X-Empty:"), Ok(Framing::None));
    check(&with("X-Obs: caf\u{e9}"), Ok(Framing::None));
}

#[test]
fn lines_are_read_to_the_letter() {
    for head in [
        "GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1 \r\nHost: x\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        "GET / http/1.1\r\nHost: x\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\t HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        check(head, Err(Reason::MalformedHead));
    }
}

#[test]
fn fields_are_read_to_the_letter() {
    for fields in [
        "Name : x",
        ": x",
        "no colon",
        " folded: x",
        "a: b\r\n folded",
        "a: b\rc",
        "a: b\0c",
        "na me: x",
        "Content-Length: +1",
        "Content-Length: 1, 1",
        "Content-Length: 0x1",
        "Content-Length:",
        "Content-Length: 99999999999999999999999",
        "Content-Length: 1\r\nContent-Length: 1",
        "Content-Length: 1\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
    ] {
        check(&with(fields), Err(Reason::MalformedHead));
    }
    check(
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        Err(Reason::MalformedHead),
    );
}

#[test]
fn one_host_is_named() {
    check("GET / HTTP/1.1\r\n\r\n", Err(Reason::InvalidHost));
    check("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", Err(Reason::InvalidHost));
    check("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", Err(Reason::InvalidHost));
    check("GET https://a/ HTTP/1.1\r\nHost: b\r\n\r\n", Err(Reason::InvalidHost));
}

#[test]
fn sizes_are_bounded() {
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(TARGET_BYTES_MAX));
    check(&long, Err(Reason::TargetTooLong));
    check(&with(&"a: b\r\n".repeat(FIELDS_MAX)), Err(Reason::HeadTooLarge));
}

#[test]
fn a_bare_line_feed_is_refused_as_soon_as_it_arrives() {
    let mut scanned = 0;
    assert_eq!(find_end(b"GET / HT", &mut scanned), Ok(None));
    assert_eq!(scanned, 8);
    assert!(find_end(b"GET / HTTP/1.1\n", &mut scanned).is_err());
}
