//! What has one meaning, and what has not.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

#[track_caller]
fn check_head(target: &str, headers: &[(&str, &str)], expected: Result<&str, Reason>) {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let name = HeaderName::try_from(*name).unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    let head = RequestHead {
        method: "GET",
        target: target.as_bytes(),
        authority: None,
        headers: &map,
        version: Version::HTTP_11,
        has_body: false,
    };
    let outcome = check(&head).map_err(|rejection| rejection.reason);
    assert_eq!(outcome.as_ref().map(|clean| clean.path().as_str()), expected.as_ref().copied());
}

#[test]
fn admits_one_path_and_one_host() {
    check_head("/api/orders", &[("host", "localhost:8443")], Ok("/api/orders"));
    check_head("/", &[("host", "[::1]:8443")], Ok("/"));
    check_head("https://shop.example/api", &[("host", "shop.example")], Ok("/api"));
    check_head("https://shop.example", &[("host", "shop.example")], Ok("/"));
}

#[test]
fn refuses_a_path_with_two_meanings() {
    for target in ["/a/../b", "/a//b", "/a%2fb", "/a;b", "/a\\b", "/%00"] {
        check_head(target, &[("host", "x")], Err(Reason::AmbiguousPath));
    }
}

#[test]
fn refuses_a_missing_double_or_invalid_host() {
    check_head("/", &[], Err(Reason::InvalidHost));
    check_head("/", &[("host", "a"), ("host", "a")], Err(Reason::InvalidHost));
    for host in
        ["", "a b", "a@b", "a:b", "a:", "a:99999", "a/b", "[::1", "a..b", "é", "%41", "-:1:2"]
    {
        check_head("/", &[("host", host)], Err(Reason::InvalidHost));
    }
}

#[test]
fn refuses_two_framings() {
    let framed = |headers: &[(&str, &str)]| {
        let headers: Vec<_> = [("host", "x")].iter().chain(headers).copied().collect();
        check_head("/", &headers, Err(Reason::MalformedHead));
    };
    framed(&[("content-length", "1"), ("content-length", "1")]);
    framed(&[("content-length", "1"), ("transfer-encoding", "chunked")]);
    framed(&[("content-length", "+1")]);
}

#[test]
fn refuses_other_targets_and_expectations() {
    check_head("*", &[("host", "x")], Err(Reason::MalformedHead));
    check_head("x:443", &[("host", "x")], Err(Reason::MalformedHead));
    check_head("ftp://x/", &[("host", "x")], Err(Reason::MalformedHead));
    check_head("/", &[("host", "x"), ("expect", "wonders")], Err(Reason::ExpectationUnknown));
}
