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
    assert_eq!((results[1].expected.as_str(), results[1].got.as_str()), ("{deny: role}", "own"));
}

/// The sentence of every case and what happens, where it is not what should.
#[track_caller]
fn broken(text: &str) -> Vec<(String, String)> {
    let bundle = bundle();
    let cases = parse("cases/x.yaml", text.as_bytes(), &bundle).unwrap();
    let results = cases.iter().map(|case| case.run(&bundle));
    results.filter(|result| !result.passed()).map(|result| (result.sentence, result.got)).collect()
}

#[test]
fn a_table_makes_a_case_of_every_request_and_role() {
    let text = "\
- t:
    from: 10.0.0.1
    request: [GET /orders, GET /peek]
    each: {anonymous: {deny: role}, customer: own, admin: others}
- u:
    request: GET /orders
    each:
      anonymous: {deny: token}
      customer: any
- v: {as: [admin], from: 10.0.0.1, request: [GET /orders, POST /orders], expect: any}
";
    let wrong = [
        ("t (anonymous, GET /orders)", "{deny: token}"),
        ("t (admin, GET /orders)", "any"),
        ("t (admin, GET /peek)", "any"),
        ("u (customer)", "own"),
        ("v (POST /orders)", "{deny: method}"),
    ];
    assert_eq!(broken(text), wrong.map(|(sentence, got)| (sentence.to_owned(), got.to_owned())));
    assert_eq!(parse("cases/x.yaml", text.as_bytes(), &bundle()).unwrap().len(), 6 + 2 + 2);
}

#[test]
fn an_invariant_names_whatever_breaks_it() {
    for (bounds, got) in [
        ("as: [customer], only: [orders.read]", None),
        ("as: [customer], only: [\"orders.*\"], only_routes: [orders, peek, vault]", None),
        ("as: [], only: [], never: [\"orders.*\"], only_routes: []", None),
        ("as: [customer], only: []", Some("orders.read own (policy.csv:1)")),
        ("as: [admin], never: [orders.read]", Some("orders.read any (policy.csv:1, policy.csv:2)")),
        (
            "as: [customer], only_routes: [orders, peek]",
            Some("route vault by orders.read own (policy.csv:1)"),
        ),
        (
            "as: [customer], never: [orders.read], only_routes: [orders, vault]",
            Some("orders.read own (policy.csv:1), route peek by orders.read own (policy.csv:1)"),
        ),
    ] {
        let got: Vec<_> = got.map(|got| ("c".to_owned(), got.to_owned())).into_iter().collect();
        assert_eq!(broken(&format!("- c: {{{bounds}}}")), got, "{bounds}");
    }
    let bundle = bundle();
    let text =
        "- c: {as: [customer], only: [], never: [\"orders.*\"], only_routes: [orders, peek]}";
    let cases = parse("cases/x.yaml", text.as_bytes(), &bundle).unwrap();
    let expected = "nothing at all; none of orders.*; no route but orders, peek";
    assert_eq!(cases[0].run(&bundle).expected, expected);
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
    refuse(
        "- c: {request: [GET /a, b], each: {custmer: any, admin: any}}",
        &[(Code::CaseRequest, 1, 25), (Code::UnknownRole, 1, 36)],
    );
    refuse(
        "- c: {as: [], only: [orders.reed, \"order.*\"], only_routes: [order]}",
        &[
            (Code::UnknownPermission, 1, 22),
            (Code::UnknownResource, 1, 35),
            (Code::CaseRoute, 1, 61),
        ],
    );
    for text in [
        "- c: {request: GET /a, each: {admin: any, admin: own}}",
        "- c: {as: [], request: GET /a, each: {admin: any}, expect: any}",
        "- c: {as: [], request: [], expect: any}",
        "- c: {as: [], request: GET /a, expect: any, only: []}",
        "- c: {as: [], from: 10.0.0.1, never: []}",
        "- c: {as: [], expect: any, never: []}",
        "- c: {only: []}",
        "- c: {as: []}",
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
