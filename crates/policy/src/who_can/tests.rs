//! Promises of `who_can`.

use super::*;
use crate::files::{BundleFiles, RUNTIME_FILES};
use crate::model::MODEL;

const ROLES: &str = "\
g, chief, admin
g, admin, customer
g, suspended, anonymous
g, customer, anonymous
";

const POLICY: &str = "\
p, customer, orders, read, own, allow
p, admin, orders, read, any, allow
p, chief, orders, read, own, deny
p, suspended, orders, read, any, deny
p, admin, orders, refund, any, allow
";

const ROUTES: &str = r#"
[resources]
orders = { owned = true, actions = ["read", "refund", "burn"] }
[roles]
admin = { network = "office", mfa = "12h" }
suspended = { network = "home" }
[networks]
office = ["10.0.0.0/8"]
home = ["192.0.2.0/24"]
[routes]
orders = { match = "GET /orders", needs = "orders.read", auth = "required" }
refund = { match = "POST /refunds", needs = "orders.refund", auth = "required", mfa = "5m" }
at-home = { match = "GET /home", needs = "orders.read", auth = "required", network = "home" }
open = { match = "GET /open", needs = "orders.read", auth = "none" }
"#;

fn bundle() -> Bundle {
    let texts = [MODEL, ROLES, POLICY, ROUTES].map(|text| text.as_bytes().to_vec());
    let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts);
    Bundle::load(&BundleFiles::new(files.collect())).unwrap()
}

/// Rules by their line, with the lines of the links that lead there.
fn lines(reasons: &[Reason]) -> Vec<(u32, Vec<u32>)> {
    let path = |reason: &Reason| reason.path.iter().map(|link| link.line).collect();
    reasons.iter().map(|reason| (reason.rule.line, path(reason))).collect()
}

/// The roles, each with its scope.
fn allowed(bundle: &Bundle, target: &str) -> Vec<(String, Scope)> {
    let found = who_can(bundle, target).unwrap();
    let access = |access: &Access| (bundle.role_name(access.role).to_owned(), access.scope);
    found.allowed.iter().map(access).collect()
}

/// Pairs with what is left to them.
fn clashes(bundle: &Bundle, target: &str) -> Vec<(String, Option<Scope>)> {
    let found = who_can(bundle, target).unwrap();
    let clash = |clash: &Clash| {
        let names = clash.roles.map(|role| bundle.role_name(role));
        (names.join("+"), clash.scope)
    };
    found.clashes.iter().map(clash).collect()
}

#[test]
fn every_role_comes_with_its_rules_and_the_way_to_them() {
    let bundle = bundle();
    let expected = [("customer", Scope::Own), ("admin", Scope::Any), ("chief", Scope::Others)];
    let expected = expected.map(|(name, scope)| (name.to_owned(), scope));
    assert_eq!(allowed(&bundle, "orders.read"), expected);
    assert_eq!(allowed(&bundle, "GET /orders"), expected);

    let found = who_can(&bundle, "orders.read").unwrap();
    let chief = &found.allowed[2];
    assert_eq!(lines(&chief.allows), [(2, vec![1])]);
    assert_eq!(lines(&chief.denies), [(3, vec![])]);
    let admin = &found.allowed[1];
    assert_eq!(lines(&admin.allows), [(2, vec![]), (1, vec![2])]);
    let texts: Vec<_> = admin.requirements.iter().map(|r| (r.text.as_str(), r.line)).collect();
    assert_eq!(texts, [("network = \"office\"", 5), ("mfa = \"12h\"", 5)]);
}

#[test]
fn a_route_adds_its_conditions_and_keeps_roles_out() {
    let bundle = bundle();
    let found = who_can(&bundle, "POST /refunds").unwrap();
    let texts: Vec<_> =
        found.allowed[0].requirements.iter().map(|r| (r.text.as_str(), r.line)).collect();
    assert_eq!(texts, [("mfa = \"5m\"", 12), ("network = \"office\"", 5), ("mfa = \"12h\"", 5)]);
    let names = |target| allowed(&bundle, target).into_iter().map(|(name, _)| name).collect();
    let at_home: Vec<String> = names("GET /home");
    assert_eq!(at_home, ["customer", "chief"], "an admin counts in the office alone");
    let open: Vec<String> = names("GET /open");
    assert_eq!(open, [""; 0], "no token is read, and a visitor is allowed nothing");
    let burn: Vec<String> = names("orders.burn");
    assert_eq!(burn, [""; 0]);
}

#[test]
fn pairs_that_take_from_each_other_are_told_where_both_can_count() {
    let bundle = bundle();
    // Whoever is suspended is so at home, where no admin counts.
    assert_eq!(
        clashes(&bundle, "GET /orders"),
        [
            ("customer+suspended".to_owned(), None),
            ("customer+chief".to_owned(), Some(Scope::Others)),
            ("admin+chief".to_owned(), Some(Scope::Others)),
            ("chief+suspended".to_owned(), None),
        ]
    );
    assert_eq!(clashes(&bundle, "POST /refunds"), []);
    let found = who_can(&bundle, "GET /orders").unwrap();
    assert_eq!(found.clashes[0].denies.iter().map(|rule| rule.line).collect::<Vec<_>>(), [4]);
}

#[test]
fn what_is_no_target_is_told_why() {
    let bundle = bundle();
    for (target, message) in [
        (
            "orders.reed",
            "`orders.reed` is no permission of this policy; did you mean `orders.read`?",
        ),
        (
            "everything",
            "`everything` is no permission of this policy; \
             write it as `resource.action`, or a request as `GET /path`",
        ),
        ("GET /nowhere", "no route answers `GET /nowhere`"),
        ("POST /orders", "no route answers `POST /orders`; its path answers GET, HEAD"),
    ] {
        assert_eq!(who_can(&bundle, target).unwrap_err().to_string(), message);
    }
}
