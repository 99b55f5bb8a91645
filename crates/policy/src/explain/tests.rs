//! Promises of explanations.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::activation::Circumstances;
use crate::files::{BundleFiles, RUNTIME_FILES};
use crate::judge::Caller;
use crate::model::MODEL;

const ROLES: &str =
    "g, admin, staff\ng, staff, customer\ng, customer, anonymous\ng, suspended, nobody\n";

const POLICY: &str = "\
p, customer,  orders, read,   own, allow
p, staff,     orders, read,   any, allow
p, suspended, orders, read,   any, deny
p, anonymous, pages,  read,   any, allow
p, admin,     orders, refund, others, allow
";

const ROUTES: &str = r#"
[resources]
orders = { owned = true, actions = ["read", "refund", "burn"] }
pages = { actions = ["read"] }
[networks]
office = ["10.0.0.0/8"]
[roles]
admin = { network = "office", mfa = "12h" }
[routes]
orders = { match = "GET /orders", needs = "orders.read", auth = "required" }
refund = { match = "POST /orders/{id}/refund", needs = "orders.refund", auth = "required", network = "office", mfa = "5m" }
burn = { match = "POST /orders/{id}/burn", needs = "orders.burn", auth = "required" }
pages = { match = "GET /pages", needs = "pages.read", auth = "optional" }
"#;

fn bundle() -> Bundle {
    let texts = [MODEL, ROLES, POLICY, ROUTES].map(|text| text.as_bytes().to_vec());
    let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts).collect();
    Bundle::load(&BundleFiles::new(files)).unwrap()
}

const NAMES: [&str; 5] = ["anonymous", "customer", "staff", "admin", "suspended"];
const REQUESTS: [(&str, &str); 6] = [
    ("GET", "/orders"),
    ("POST", "/orders/1/refund"),
    ("POST", "/orders/1/burn"),
    ("GET", "/pages"),
    ("PUT", "/pages"),
    ("GET", "/page"),
];

proptest! {
    /// An explanation is never a second opinion, and names something missing for every refusal.
    #[test]
    fn it_says_what_is_judged(
        held in vec(0_usize..NAMES.len(), 0..4),
        inside in any::<bool>(),
        mfa_age_secs in prop::option::of(0_u64..90_000),
        request in 0_usize..REQUESTS.len(),
    ) {
        let bundle = bundle();
        let roles = bundle.role_set(held.iter().map(|at| NAMES[*at]));
        let from = inside.then(|| "10.1.2.3".parse().unwrap());
        let at = Circumstances { from, mfa_age_secs };
        let asker = Asker { caller: Caller::holding(&bundle, roles), at };
        let (method, path) = REQUESTS[request];
        let told = explain(&bundle, &asker, method, path);
        let (allowed, outcome) = match bundle.judge(&asker, method, path) {
            Outcome::Allow(scope) => (true, scope.as_str()),
            Outcome::Deny(denial) => (false, denial.as_str()),
        };
        prop_assert_eq!((told.allowed, told.outcome), (allowed, outcome));
        prop_assert_eq!(told.missing.is_empty(), allowed, "{:?}", told);
        prop_assert!(!allowed || !told.rules.is_empty());
        prop_assert!(told.rules.iter().all(|rule| !rule.via.is_empty()));
    }
}

#[test]
fn a_rule_is_told_with_the_way_to_it() {
    let bundle = bundle();
    let caller = Caller::Known(bundle.role_set(["admin"]));
    let at = Circumstances { from: Some([10, 0, 0, 1].into()), mfa_age_secs: Some(60) };
    let told = explain(&bundle, &Asker { caller, at }, "GET", "/orders");
    let [rule] = &told.rules[..] else { panic!("{told:?}") };
    assert_eq!((rule.text.as_str(), rule.at.line), ("p, staff, orders, read, any, allow", 2));
    let via: Vec<_> =
        rule.via.iter().map(|s| (s.role.as_str(), s.link.as_ref().map(|at| at.line))).collect();
    assert_eq!(via, [("admin", None), ("staff", Some(1))]);
}
