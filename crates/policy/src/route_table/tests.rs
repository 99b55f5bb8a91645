//! Promises of the route table.

use super::*;
use crate::names::PermissionId;
use crate::pattern::parse_match;
use crate::route::{Auth, BodyRule, RouteName};

fn routes(matches: &[&str]) -> Vec<(Route, Place<'static>)> {
    let route = |(number, text): (usize, &&str)| {
        let (method, pattern) = parse_match(text).unwrap();
        let index = RouteId(u16::try_from(number).unwrap());
        let route = Route {
            id: RouteName((*text).to_owned()),
            index,
            method,
            pattern,
            needs: PermissionId(0),
            auth: Auth::None,
            network: None,
            limits: Box::default(),
            body: BodyRule::default(),
            mfa_secs: None,
            mode: Mode::Enforce,
            line: u32::from(index.0) + 1,
        };
        (route, Place { file: "routes.toml", line: u32::from(index.0) + 1, column: 1 })
    };
    matches.iter().enumerate().map(route).collect()
}

fn table(matches: &[&str]) -> RouteTable {
    let mut findings = Findings::default();
    let table = RouteTable::build(routes(matches), &mut findings);
    assert!(findings.is_empty());
    table
}

/// The answer in words: the route as written, `405 Allow`, or `404`.
fn answer(table: &RouteTable, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    match table.find(method, path) {
        RouteMatch::Found(route) => route.id.to_string(),
        RouteMatch::MethodNotAllowed { allow } => format!("405 {allow}"),
        RouteMatch::NotFound => "404".to_owned(),
    }
}

#[track_caller]
fn check(matches: &[&str], answers: &[(&str, &str)]) {
    let table = table(matches);
    for (request, expected) in answers {
        assert_eq!(answer(&table, request), *expected, "{request}");
    }
}

#[test]
fn head_follows_get_and_other_methods_are_not_allowed() {
    check(
        &["GET /orders", "POST /orders", "GET /orders/{id}", "PUT /only"],
        &[
            ("GET /orders", "GET /orders"),
            ("HEAD /orders", "GET /orders"),
            ("POST /orders", "POST /orders"),
            ("DELETE /orders", "405 GET, HEAD, POST"),
            ("get /orders", "405 GET, HEAD, POST"),
            ("HEAD /only", "405 PUT"),
            ("GET /orders/42", "GET /orders/{id}"),
        ],
    );
}

#[test]
fn a_path_says_its_methods_without_being_asked_for_one() {
    let table = table(&["GET /orders", "POST /orders", "PUT /orders/{id}", "* /files/{**rest}"]);
    assert_eq!(table.allow("/orders"), Some("GET, HEAD, POST"));
    assert_eq!(table.allow("/orders/42"), Some("PUT"));
    let all = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
    assert_eq!(table.allow("/files/a/b"), Some(all));
    assert_eq!((table.allow("/"), table.allow("orders")), (None, None));
}

#[test]
fn a_literal_beats_a_parameter_beats_the_rest() {
    check(
        &["GET /a/b/c", "GET /a/{x}/d", "GET /a/{x}/c", "GET /a/{**rest}", "GET /{x}/b/e"],
        &[
            ("GET /a/b/c", "GET /a/b/c"),
            ("GET /a/b/d", "GET /a/{x}/d"),
            ("GET /a/z/c", "GET /a/{x}/c"),
            ("GET /a/b/e", "GET /a/{**rest}"),
            ("GET /z/b/e", "GET /{x}/b/e"),
            ("GET /a/b", "GET /a/{**rest}"),
            ("GET /a/", "GET /a/{**rest}"),
            ("GET /a", "404"),
        ],
    );
}

#[test]
fn a_path_has_one_owner_whatever_the_method() {
    check(
        &["GET /products/{id}", "POST /products/search"],
        &[("GET /products/search", "405 POST"), ("POST /products/7", "405 GET, HEAD")],
    );
}

#[test]
fn slashes_and_empty_segments_count() {
    check(
        &["GET /", "GET /files/", "GET /orders/{id}"],
        &[
            ("GET /", "GET /"),
            ("GET /files/", "GET /files/"),
            ("GET /files", "404"),
            ("GET /orders/", "404"),
            ("GET /orders/1/", "404"),
            ("GET /Orders/1", "404"),
            ("GET orders", "404"),
            ("GET ", "404"),
        ],
    );
}

#[test]
fn a_star_takes_every_method_but_connect_and_trace() {
    let all = "405 DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT";
    check(
        &["* /{**rest}"],
        &[
            ("PROPFIND /", "* /{**rest}"),
            ("HEAD /a/b/c", "* /{**rest}"),
            ("TRACE /a", all),
            ("CONNECT /a", all),
        ],
    );
}

#[test]
fn the_same_requests_cannot_have_two_routes() {
    for (matches, clash) in [
        (["GET /a/{x}", "GET /a/{y}"], true),
        (["* /a", "GET /a"], true),
        (["* /{**a}", "POST /{**b}"], true),
        (["GET /a", "POST /a"], false),
        (["GET /a/{x}", "GET /a/b"], false),
        (["GET /a/{x}", "POST /a/{y}"], false),
        (["GET /a/{x}/c", "GET /a/b/{y}"], false),
    ] {
        let mut findings = Findings::default();
        RouteTable::build(routes(&matches), &mut findings);
        let found = findings.into_sorted();
        let places: Vec<_> = found.iter().map(|finding| (finding.code, finding.line)).collect();
        assert_eq!(places, if clash { vec![(Code::Overlap, 2)] } else { vec![] }, "{matches:?}");
    }
}

/// Which of these paths fall to a pattern although another, stricter one could be meant.
#[track_caller]
fn check_shadowed(matches: &[&str], paths: &[(&str, bool)]) {
    let mut routes = routes(matches);
    // The first of them is guarded in another way than the rest.
    routes[0].0.auth = Auth::Required;
    let table = RouteTable::build(routes, &mut Findings::default());
    for (path, expected) in paths {
        let RouteMatch::Found(route) = table.find("GET", path) else { panic!("{path}") };
        let lenient = path.trim_end_matches('/');
        assert_eq!(table.is_shadowed(route, lenient), *expected, "{path}");
    }
}

#[test]
fn another_spelling_of_a_stricter_path_is_known() {
    let matches = ["* /api/admin/{**rest}", "GET /api/{id}", "* /{**rest}"];
    let paths = [
        ("/api/admin/x", false),
        ("/api/Admin/x", true),
        ("/API/ADMIN/x", true),
        ("/api/Administrator/x", false),
        ("/api/7", false),
        ("/other", false),
    ];
    check_shadowed(&matches, &paths);
    let paths = [("/Users", false), ("/users", true), ("/users/7", false), ("/Users/", true)];
    check_shadowed(&["GET /Users", "* /{**rest}"], &paths);
}

#[test]
fn a_path_that_is_named_as_it_is_stands_for_itself() {
    check_shadowed(
        &["GET /a", "GET /A", "GET /a/"],
        &[("/a", false), ("/A", false), ("/a/", false)],
    );
    check_shadowed(&["GET /x", "GET /{id}"], &[("/x", false), ("/y", false)]);
}
