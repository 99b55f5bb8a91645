//! Promises of coverage.

use super::*;
use crate::cases;
use crate::files::{BundleFiles, RUNTIME_FILES};
use crate::model::MODEL;

const ROLES: &str = "g, admin, customer\ng, customer, anonymous\n";

const POLICY: &str = "\
p, anonymous, products, read, any, allow
p, customer, orders, read, own, allow
p, admin, orders, read, any, allow
p, admin, orders, read, own, deny
";

const ROUTES: &str = r#"
[resources]
products = { actions = ["read"] }
orders = { owned = true, actions = ["read"] }
[roles]
admin = { network = "office" }
[networks]
office = ["10.0.0.0/8"]
home = ["192.0.2.0/24"]
[routes]
products = { match = "GET /products", needs = "products.read", auth = "none" }
orders = { match = "GET /orders", needs = "orders.read", auth = "required" }
mine = { match = "GET /mine", needs = "orders.read", auth = "required", network = "home" }
"#;

fn bundle() -> Bundle {
    let texts = [MODEL, ROLES, POLICY, ROUTES].map(|text| text.as_bytes().to_vec());
    let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts);
    Bundle::load(&BundleFiles::new(files.collect())).unwrap()
}

/// What these cases leave uncovered: line and what it is.
fn uncovered(text: &str) -> (Coverage, Vec<String>) {
    let bundle = bundle();
    let cases = cases::parse("cases/x.yaml", text.as_bytes(), &bundle).unwrap();
    let coverage = measure(bundle, &cases);
    let missing = coverage.missing().map(|missing| {
        format!("{}:{} {}", missing.file, missing.line, missing.what).replace('`', "")
    });
    let missing = missing.collect();
    (coverage, missing)
}

#[test]
fn without_cases_nothing_is_covered_and_only_what_can_be_asked_is_counted() {
    let (coverage, missing) = uncovered("[]");
    // An admin is in the office and can never be at home, where `mine` answers.
    assert_eq!(
        (coverage.routes.total, coverage.permissions.total, coverage.rules.total),
        (8, 3, 4)
    );
    assert_eq!((coverage.percent(), missing.len()), (0, 15));
    assert!(missing.contains(&"routes.toml:11 products as customer".to_owned()), "{missing:?}");
    assert!(!missing.contains(&"routes.toml:13 mine as admin".to_owned()), "{missing:?}");
    assert!(missing.contains(&"routes.toml:3 products.read as anonymous".to_owned()));
    assert!(missing.contains(&"policy.csv:4 p, admin, orders, read, own, deny".to_owned()));
}

#[test]
fn a_request_covers_its_role_alone_and_only_with_conditions_met() {
    let before = uncovered("[]").1.len();
    for (case, less) in [
        ("{as: [customer], request: GET /orders, expect: own}", 3),
        ("{as: [customer, admin], from: 10.0.0.1, request: GET /orders, expect: others}", 2),
        // Why it is denied depends on a rule.
        ("{as: [admin], request: GET /orders, expect: {deny: network}}", 1),
        ("{as: [admin], from: 10.0.0.1, request: GET /orders, expect: others}", 4),
        ("{as: [customer], request: GET /mine, expect: {deny: network}}", 0),
        ("{as: [], request: GET /orders, expect: {deny: token}}", 1),
        ("{as: [admin], request: GET /products, expect: any}", 3),
        ("{as: [], request: GET /nowhere, expect: {deny: route}}", 0),
        ("{as: [anonymous], only: [products.read], only_routes: [products]}", 2),
        ("{as: [customer], only: [orders.read, products.read]}", 0),
    ] {
        let (coverage, missing) = uncovered(&format!("- c: {case}"));
        assert_eq!(before - missing.len(), less, "{case}: {missing:#?}");
        assert!(coverage.percent() < 100);
    }
}

#[test]
fn everything_can_be_covered() {
    let (coverage, missing) = uncovered(
        "\
- a:
    from: 10.0.0.1
    request: GET /orders
    each: {anonymous: {deny: token}, customer: own, admin: others}
- b: {request: GET /products, each: {anonymous: any, customer: any, admin: any}}
- c: {from: 192.0.2.1, request: GET /mine, each: {anonymous: {deny: token}, customer: own}}
",
    );
    assert_eq!(missing, [""; 0]);
    assert_eq!(coverage.percent(), 100);
}
