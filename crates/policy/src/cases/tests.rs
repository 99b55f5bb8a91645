//! Promises of cases.

use std::collections::BTreeMap;

use super::*;
use crate::files::BundleFiles;
use crate::model::MODEL;

const ROUTES: &str = r#"
[resources]
orders = { owned = true, actions = ["read"] }
[roles]
admin = { network = "office" }
[networks]
office = ["10.0.0.0/8"]
vault = ["10.9.0.0/16"]
[routes]
orders = { match = "GET /orders", needs = "orders.read", auth = "required" }
peek = { match = "GET /peek", needs = "orders.read", auth = "optional" }
vault = { match = "GET /vault", needs = "orders.read", auth = "required", network = "vault" }
hook = { match = "POST /hook", needs = "orders.read", auth = "signature" }
"#;

fn bundle() -> Bundle {
    let files = [
        ("model.conf", MODEL),
        ("roles.csv", "g, admin, customer\ng, customer, anonymous\n"),
        (
            "policy.csv",
            "p, customer, orders, read, own, allow\np, admin, orders, read, any, allow\n",
        ),
        ("routes.toml", ROUTES),
    ];
    let files: BTreeMap<_, _> =
        files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    Bundle::load(&BundleFiles::new(files)).unwrap()
}

#[track_caller]
fn check(held: &str, from: &str, request: &str, expected: &str) {
    let text = format!(
        "- c:\n    as: {held}\n    from: {from}\n    request: {request}\n    expect: any\n"
    );
    let bundle = bundle();
    let cases = parse("cases/x.yaml", text.as_bytes(), &bundle).unwrap();
    let got: Vec<_> = cases.iter().map(|case| case.run(&bundle).got.to_string()).collect();
    assert_eq!(got, [expected], "{held} {from} {request}");
}

#[test]
fn the_answer_names_what_decided() {
    check("[customer]", "192.0.2.1", "GET /orders", "own");
    check("[admin]", "10.0.0.1", "GET /orders", "any");
    check("[admin]", "\"::ffff:10.0.0.1\"", "HEAD /orders", "any");
    check("[admin]", "192.0.2.1", "GET /orders", "{deny: network}");
    check("[admin]", "unknown", "GET /orders", "{deny: network}");
    check("[admin, customer]", "192.0.2.1", "GET /orders", "own");
    check("[admin]", "10.0.0.1", "GET /vault", "{deny: network}");
    check("[admin]", "10.9.0.1", "GET /vault", "any");
    check("[]", "10.9.0.1", "GET /orders", "{deny: token}");
    check("[anonymous]", "10.9.0.1", "GET /orders", "{deny: token}");
    check("[]", "10.9.0.1", "GET /peek", "{deny: role}");
    check("[admin]", "10.0.0.1", "POST /hook", "{deny: role}");
    check("[admin]", "10.0.0.1", "POST /orders", "{deny: method}");
    check("[admin]", "10.0.0.1", "GET /nowhere", "{deny: route}");
}

#[test]
fn a_case_knows_where_it_stands_and_whether_it_passed() {
    let text = "# orders\n- one:\n    as: [customer]\n    request: GET /orders\n    expect: own\n\n\
                - two:\n    as: [customer]\n    request: GET /orders\n    expect: {deny: role}\n";
    let bundle = bundle();
    let cases = parse("cases/x.yaml", text.as_bytes(), &bundle).unwrap();
    let results: Vec<_> = cases.iter().map(|case| case.run(&bundle)).collect();
    let seen: Vec<_> = results.iter().map(|r| (r.line, r.sentence.as_str(), r.passed())).collect();
    assert_eq!(seen, [(2, "one", true), (7, "two", false)]);
    assert_eq!(results[1].expected, Outcome::Deny(Denial::Role));
}

#[track_caller]
fn refuse(body: &str, expected: &[(Code, u32, u32)]) {
    let found = parse("cases/x.yaml", body.as_bytes(), &bundle()).unwrap_err();
    let places: Vec<_> = found.iter().map(|f| (f.code, f.line, f.column)).collect();
    assert_eq!(places, expected, "{found:#?}");
}

#[test]
fn what_is_not_understood_is_refused() {
    refuse("- c: {as: [custmer], request: GET /a, expect: any}", &[(Code::UnknownRole, 1, 12)]);
    refuse("- c: {as: [], request: GET a, expect: any}", &[(Code::CaseRequest, 1, 24)]);
    refuse("- c: {as: [], request: GET /a?b, expect: any}", &[(Code::CaseRequest, 1, 24)]);
    refuse(
        "- c: {as: [], from: 1.2.3, request: GET /a, expect: any}",
        &[(Code::CaseAddress, 1, 21)],
    );
    refuse(
        "- c: {as: [a], from: b, request: c, expect: any}",
        &[(Code::UnknownRole, 1, 12), (Code::CaseAddress, 1, 22), (Code::CaseRequest, 1, 34)],
    );
    for text in [
        "- c: {as: [], request: GET /a, expect: some}",
        "- c: {as: [], request: GET /a, expect: {deny: why}}",
        "- c: {as: [], request: GET /a}",
        "- c: {as: [], request: GET /a, expect: any, mfax: yes}",
        "- c: {as: [], as: [], request: GET /a, expect: any}",
        "- {c: {as: [], request: GET /a, expect: any}, d: {as: [], request: GET /a, expect: any}}",
        "- {}",
        "c: d",
        "- [",
    ] {
        let found = parse("cases/x.yaml", text.as_bytes(), &bundle()).unwrap_err();
        assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::CaseSyntax], "{text}");
    }
}
