//! Promises of lint: each code is earned by a mistake, at its line, and a sound policy earns none.

use std::collections::BTreeSet;

use super::*;
use crate::files::{BundleFiles, RUNTIME_FILES};
use crate::finding::Severity;
use crate::model::MODEL;

const ROLES: &str = "\
g, admin, staff
g, staff, customer
g, auditor, customer
g, customer, anonymous
";

const POLICY: &str = "\
p, anonymous, products, read, any, allow
p, customer, orders, read, own, allow
p, staff, orders, read, others, allow
p, admin, orders, refund, any, allow
p, auditor, orders, export, any, allow
";

const ROUTES: &str = r#"
[resources]
products = { actions = ["read"] }
orders = { owned = true, actions = ["read", "refund", "export"] }
[roles]
admin = { network = "office", mfa = "1h" }
[networks]
office = ["10.0.0.0/8", "2001:db8::/32"]
[limits]
general = { key = "address", quota = 1000, per = "15m" }
[routes]
products = { match = "GET /products", needs = "products.read", auth = "optional", limits = ["general"] }
orders = { match = "GET /orders", needs = "orders.read", auth = "required" }
refund = { match = "POST /refunds", needs = "orders.refund", auth = "required" }
export = { match = "GET /export", needs = "orders.export", auth = "required", network = "office" }
"#;

/// The sound policy with `from` replaced by `to` in each of these files.
fn edited(edits: &[(&str, &str, &str)]) -> Bundle {
    let texts = [MODEL, ROLES, POLICY, ROUTES].map(str::to_owned);
    let mut files: Vec<_> = RUNTIME_FILES.into_iter().zip(texts).collect();
    for (file, from, to) in edits {
        let (_, text) = files.iter_mut().find(|(name, _)| name == file).unwrap();
        assert!(text.contains(from), "{file} lacks {from}");
        *text = text.replacen(from, to, 1);
    }
    let files = files.into_iter().map(|(name, text)| (name.to_owned(), text.into_bytes()));
    Bundle::load(&BundleFiles::new(files.collect())).unwrap()
}

/// Edits, and everything the edited policy earns.
type Oddity = (&'static [(&'static str, &'static str, &'static str)], &'static [(Code, u32)]);

/// At least one oddity per code.
const ODDITIES: &[Oddity] = &[
    // Rules.
    (
        &[(POLICY_FILE, "p, staff", "p, auditor, products, read, any, allow\np, staff")],
        &[(Code::RepeatedRule, 3)],
    ),
    (
        &[(POLICY_FILE, "p, admin", "p, admin, orders, read, any, allow\np, admin")],
        &[(Code::DeadRule, 4)],
    ),
    (
        &[(POLICY_FILE, "p, auditor", "p, auditor, orders, export, any, deny\np, auditor")],
        &[(Code::NobodyAllowed, 15), (Code::OverriddenRule, 6)],
    ),
    (
        &[(POLICY_FILE, "p, staff", "p, anonymous, orders, export, any, deny\np, staff")],
        &[(Code::DenyReachesSenior, 3), (Code::OverriddenRule, 6), (Code::NobodyAllowed, 15)],
    ),
    (
        &[(POLICY_FILE, "p, staff", "p, staff, orders, refund, own, deny\np, staff")],
        &[(Code::DenyReachesSenior, 3)],
    ),
    (
        &[
            (POLICY_FILE, "p, auditor, orders, export", "p, auditor, orders, view"),
            (POLICY_FILE, "p, staff", "p, staff, orders, export, any, deny\np, staff"),
            (ROUTES_FILE, "\"export\"]", "\"export\", \"view\"]"),
            (ROUTES_FILE, "\"orders.export\"", "\"orders.view\""),
        ],
        &[(Code::IdleDeny, 3), (Code::UnneededPermission, 4), (Code::UngrantedPermission, 4)],
    ),
    // Roles.
    (&[(ROLES_FILE, "g, admin", "g, admin, guest\ng, admin")], &[(Code::RoleWithoutRules, 1)]),
    (&[(ROLES_FILE, "g, staff", "g, clerk, staff\ng, staff")], &[(Code::EqualRole, 2)]),
    (
        &[
            (ROUTES_FILE, "admin = {", "staff = { network = \"office\" }\nsuper = {"),
            (ROLES_FILE, "g, admin", "g, super, admin\ng, admin"),
            (POLICY_FILE, "p, admin", "p, super, products, read, any, deny\np, admin"),
        ],
        &[(Code::ConditionNotInherited, 2)],
    ),
    (
        &[(ROUTES_FILE, "admin = {", "staff = { mfa = \"5m\" }\nadmin = {")],
        &[(Code::WeakerCondition, 1)],
    ),
    // Routes.
    (
        &[(
            ROUTES_FILE,
            "\"orders.read\", auth = \"required\"",
            "\"orders.read\", auth = \"none\"",
        )],
        &[(Code::NobodyAllowed, 13)],
    ),
    (
        &[
            (ROUTES_FILE, "orders.refund\", auth", "orders.refund\", network = \"home\", auth"),
            (ROUTES_FILE, "[limits]", "home = [\"192.0.2.0/24\"]\n[limits]"),
        ],
        &[(Code::UnreachableRoute, 15)],
    ),
    (
        &[
            (ROUTES_FILE, "orders.read\", auth", "orders.read\", network = \"home\", auth"),
            (ROUTES_FILE, "[limits]", "home = [\"192.0.2.0/24\"]\n[limits]"),
        ],
        &[(Code::RoleKeptOut, 14)],
    ),
    (
        &[(
            ROUTES_FILE,
            "orders.read\", auth = \"required\"",
            "orders.read\", auth = \"optional\"",
        )],
        &[(Code::ClosedToVisitors, 13)],
    ),
    // Declarations and networks.
    (
        &[(ROUTES_FILE, "orders = {", "carts = { actions = [\"read\", \"fill\"] }\norders = {")],
        &[(Code::UnusedResource, 4)],
    ),
    (
        &[(ROUTES_FILE, "[limits]", "home = []\n[limits]")],
        &[(Code::UnusedNetwork, 9), (Code::EmptyNetwork, 9)],
    ),
    (
        &[(
            ROUTES_FILE,
            "[routes]",
            "w = { key = \"address\", quota = 1, per = \"1m\" }\n[routes]",
        )],
        &[(Code::UnusedLimit, 11)],
    ),
    (
        &[(ROUTES_FILE, "[\"10.0.0.0/8\"", "[\"10.9.8.0/24\", \"10.0.0.0/8\"")],
        &[(Code::OverlappingRanges, 8)],
    ),
    // What is only tried.
    (
        &[
            (POLICY_FILE, "p, staff", "p, auditor, orders, read, own, deny, shadow\np, staff"),
            (ROUTES_FILE, "per = \"15m\"", "per = \"15m\", mode = \"shadow\""),
            (
                ROUTES_FILE,
                "network = \"office\" }\n",
                "network = \"office\", mode = \"shadow\" }\n",
            ),
        ],
        &[(Code::OnlyTried, 3), (Code::OnlyTried, 10), (Code::OnlyTried, 15)],
    ),
];

mod exact;

#[test]
fn a_sound_policy_earns_nothing() {
    assert_eq!(lint(&edited(&[])), []);
}

#[test]
fn an_oddity_is_told_where_it_is() {
    for (edits, expected) in ODDITIES {
        let found = lint(&edited(edits));
        let places: BTreeSet<_> = found.iter().map(|found| (found.code, found.line)).collect();
        assert_eq!(places, expected.iter().copied().collect(), "{edits:?}: {found:#?}");
        assert_eq!(places.len(), found.len(), "{found:#?}");
        assert!(found.iter().all(|found| !found.message.is_empty() && !found.fix.is_empty()));
    }
}

#[test]
fn every_warning_and_note_has_a_policy_that_earns_it() {
    let seen: BTreeSet<Code> =
        ODDITIES.iter().flat_map(|(_, expected)| *expected).map(|(code, _)| *code).collect();
    let mild = Code::ALL.iter().filter(|code| code.severity() != Severity::Error);
    let missing: Vec<_> = mild.filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn warnings_name_the_lines_and_roles_concerned() {
    let told = |edits: &[(&str, &str, &str)]| {
        lint(&edited(edits)).first().map(ToString::to_string).unwrap_or_default()
    };
    for (edit, expected) in [
        (
            (POLICY_FILE, "p, staff", "p, auditor, products, read, any, allow\np, staff"),
            "policy.csv:3:1: [W101] line 1 says all that this rule says; remove it: nothing changes",
        ),
        (
            (POLICY_FILE, "p, admin", "p, admin, orders, read, any, allow\np, admin"),
            "policy.csv:4:1: [W102] without it nothing changes, because of lines 2, 3; \
             remove it, or one of those",
        ),
        (
            (POLICY_FILE, "p, staff", "p, staff, orders, refund, own, deny\np, staff"),
            "policy.csv:3:1: [W105] it also denies `admin`, which other rules allow it; \
             deny a role that these do not inherit from, if they are to keep it",
        ),
        (
            (ROUTES_FILE, "admin = {", "staff = { mfa = \"5m\" }\nadmin = {"),
            "roles.csv:1:1: [W204] `admin` can do what `staff` can, with `mfa = \"1h\"` instead of \
             `mfa = \"5m\"` (routes.toml:6); write `mfa = \"5m\"` for `admin` in [roles], too: \
             it is not inherited",
        ),
    ] {
        assert_eq!(told(&[edit]), expected);
    }
}

#[test]
fn a_deny_between_roles_that_one_caller_may_hold_is_no_idle_deny() {
    let separation = "p, staff, orders, export, any, deny\np, staff";
    assert_eq!(lint(&edited(&[(POLICY_FILE, "p, staff", separation)])), []);
}

#[test]
fn a_condition_is_not_missed_where_the_senior_has_the_right_by_itself() {
    let edits = [
        (ROUTES_FILE, "admin = {", "auditor = {"),
        (ROLES_FILE, "g, admin, staff", "g, admin, auditor\ng, admin, staff"),
    ];
    assert_eq!(lint(&edited(&edits)).len(), 2, "export is had through the auditor alone");
    let by_itself = (POLICY_FILE, "p, admin", "p, staff, orders, export, any, allow\np, admin");
    assert_eq!(lint(&edited(&[edits[0], edits[1], by_itself])), []);
}
