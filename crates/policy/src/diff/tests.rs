//! Promises of comparing bundles.

use super::*;
use crate::files::{BundleFiles, RUNTIME_FILES};
use crate::model::MODEL;

mod properties;

fn load(roles: &str, policy: &str, routes: &str) -> Bundle {
    let texts = [MODEL, roles, policy, routes].map(|text| text.as_bytes().to_vec());
    let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts).collect();
    Bundle::load(&BundleFiles::new(files)).unwrap_or_else(|findings| panic!("{findings:#?}"))
}

const ROLES: &str =
    "g, admin, staff\ng, staff, customer\ng, customer, anonymous\ng, suspended, nobody\n";

const POLICY: &str = "\
p, customer,  orders, read,   own, allow
p, staff,     orders, read,   any, allow
p, suspended, orders, read,   any, deny
p, anonymous, pages,  read,   any, allow
";

const ROUTES: &str = r#"
[resources]
orders = { owned = true, actions = ["read", "refund"] }
pages = { actions = ["read"] }
[networks]
office = ["10.0.0.0/8"]
[roles]
admin = { network = "office", mfa = "12h" }
[limits]
general = { key = "address", quota = 100, per = "15m" }
[routes]
orders = { match = "GET /orders", needs = "orders.read", auth = "required", limits = ["general"] }
order = { match = "GET /orders/{id}", needs = "orders.read", auth = "required" }
pages = { match = "GET /pages/{**rest}", needs = "pages.read", auth = "none" }
"#;

/// What a diff says, one line for each thing.
fn told(diff: &Diff) -> Vec<String> {
    let mut lines = Vec::new();
    let edit =
        |edit: &Edit| format!("{}:{} {} {}", edit.file, edit.line, edit.sign.as_char(), edit.text);
    for group in &diff.groups {
        let edits: Vec<_> = group.edits.iter().map(edit).collect();
        lines.push(format!("{} by {}", group.direction.as_str(), edits.join(" with ")));
        for cell in &group.cells {
            let word = |scope: Option<Scope>| scope.map_or("-", Scope::as_str);
            let (who, step) = (cell.callers.join(", "), (word(cell.before), word(cell.after)));
            let Cell { permission, request, only, .. } = cell;
            let only = if only.is_empty() { String::new() } else { format!(" ({only})") };
            lines.push(format!("  {who}: {permission} {} -> {} {request}{only}", step.0, step.1));
        }
        lines.extend(group.terms.iter().map(|term| format!("  {term}")));
    }
    lines.extend(diff.without_effect.iter().map(|found| format!("nothing by {}", edit(found))));
    lines
}

/// Compares the policy above with one where each `from` is replaced by its `to`.
#[track_caller]
fn check(edits: &[(&str, &str)], expected: &[&str]) {
    let mut texts = [ROLES, POLICY, ROUTES].map(str::to_owned);
    for (from, to) in edits {
        let text = texts.iter_mut().find(|text| text.contains(from)).expect(from);
        *text = text.replacen(from, to, 1);
    }
    let [roles, policy, routes] = &texts;
    let diff = compare(&load(ROLES, POLICY, ROUTES), &load(roles, policy, routes));
    assert_eq!(told(&diff), expected);
}

#[test]
fn a_rule_is_charged_with_what_it_does() {
    check(
        &[("p, staff,     orders, read,   any", "p, staff,     orders, read,   others")],
        &[
            "nothing by policy.csv:2 ~ p, staff, orders, read, others, allow  (was: any, allow, line 2)",
        ],
    );
}

#[test]
fn a_deny_that_is_gone_widens_sets_of_roles_alone() {
    check(
        &[("p, suspended, orders, read,   any, deny\n", "")],
        &[
            "widened by policy.csv:3 - p, suspended, orders, read, any, deny",
            "  customer + suspended: orders.read - -> own GET /orders",
            "  suspended + staff, suspended + admin: orders.read - -> any GET /orders",
            "  customer + suspended: orders.read - -> own GET /orders/{id}",
            "  suspended + staff, suspended + admin: orders.read - -> any GET /orders/{id}",
        ],
    );
}

#[test]
fn a_link_and_a_rule_may_do_it_together() {
    check(
        &[
            ("g, staff, customer", "g, helper, staff\ng, staff, customer"),
            ("p, anonymous", "p, staff, orders, refund, any, allow\np, anonymous"),
            (
                "[routes]",
                "[routes]\nrefund = { match = \"POST /orders/{id}/refund\", needs = \"orders.refund\", auth = \"required\" }",
            ),
        ],
        &[
            "widened by policy.csv:4 + p, staff, orders, refund, any, allow with roles.csv:2 + g, helper, staff with routes.toml:12 + [routes] refund: POST /orders/{id}/refund, needs orders.refund, auth required",
            "  helper: orders.refund - -> any POST /orders/{id}/refund",
            "widened by policy.csv:4 + p, staff, orders, refund, any, allow with routes.toml:12 + [routes] refund: POST /orders/{id}/refund, needs orders.refund, auth required",
            "  staff, admin: orders.refund - -> any POST /orders/{id}/refund",
            "widened by roles.csv:2 + g, helper, staff",
            "  helper: orders.read - -> any GET /orders",
            "  helper: orders.read - -> any GET /orders/{id}",
        ],
    );
}

#[test]
fn conditions_and_networks_say_where() {
    check(
        &[("10.0.0.0/8\"", "10.0.0.0/9\", \"192.0.2.0/24\"")],
        &[
            "widened by routes.toml:6 ~ [networks] office: gains 192.0.2.0/24; loses 10.128.0.0/9",
            "  admin: orders.read - -> any GET /orders (from 192.0.2.0/24, second factor at most 12h old)",
            "  admin: orders.read - -> any GET /orders/{id} (from 192.0.2.0/24, second factor at most 12h old)",
            "narrowed by routes.toml:6 ~ [networks] office: gains 192.0.2.0/24; loses 10.128.0.0/9",
            "  admin: orders.read any -> - GET /orders (from 10.128.0.0/9, second factor at most 12h old)",
            "  admin: orders.read any -> - GET /orders/{id} (from 10.128.0.0/9, second factor at most 12h old)",
        ],
    );
    check(
        &[("mfa = \"12h\"", "mfa = \"13h\"")],
        &[
            "widened by routes.toml:8 ~ [roles] admin: network = \"office\", mfa = \"12h\" -> network = \"office\", mfa = \"13h\"",
            "  admin: orders.read - -> any GET /orders (from 10.0.0.0/8, second factor 12h to 13h old)",
            "  admin: orders.read - -> any GET /orders/{id} (from 10.0.0.0/8, second factor 12h to 13h old)",
        ],
    );
    check(
        &[("admin = { network = \"office\", mfa = \"12h\" }", "")],
        &[
            "widened by routes.toml:8 - [roles] admin: network = \"office\", mfa = \"12h\"",
            "  admin: orders.read - -> any GET /orders (unless from 10.0.0.0/8, second factor at most 12h old)",
            "  admin: orders.read - -> any GET /orders/{id} (unless from 10.0.0.0/8, second factor at most 12h old)",
        ],
    );
}

#[test]
fn routes_say_what_they_open_and_hide() {
    check(
        &[("auth = \"none\"", "auth = \"required\"")],
        &[
            "narrowed by routes.toml:14 ~ [routes] pages: auth none -> required",
            "  anonymous, nobody, suspended: pages.read any -> - GET /pages/{**rest}",
            "  admin: pages.read any -> - GET /pages/{**rest} (unless from 10.0.0.0/8, second factor at most 12h old)",
        ],
    );
    check(
        &[(
            "pages = { match",
            "special = { match = \"POST /orders/special\", needs = \"orders.read\", auth = \"required\" }\npages = { match",
        )],
        &[
            "widened by routes.toml:14 + [routes] special: POST /orders/special, needs orders.read, auth required",
            "  customer: orders.read - -> own POST /orders/special",
            "  staff, admin: orders.read - -> any POST /orders/special",
            "narrowed by routes.toml:14 + [routes] special: POST /orders/special, needs orders.read, auth required",
            "  customer: orders.read own -> - GET /orders/special",
            "  staff, admin: orders.read any -> - GET /orders/special",
        ],
    );
    check(
        &[(
            "needs = \"orders.read\", auth = \"required\" }",
            "needs = \"pages.read\", auth = \"required\", network = \"office\" }",
        )],
        &[
            "widened by routes.toml:13 ~ [routes] order: needs orders.read -> pages.read, network none -> office",
            "  anonymous by token, customer + suspended, suspended + staff, suspended + admin: pages.read - -> any GET /orders/{id}",
            "  customer: pages.read own -> any GET /orders/{id} (from 10.0.0.0/8)",
            "narrowed by routes.toml:13 ~ [routes] order: needs orders.read -> pages.read, network none -> office",
            "  customer: pages.read own -> - GET /orders/{id} (outside 10.0.0.0/8)",
            "  staff: pages.read any -> - GET /orders/{id} (outside 10.0.0.0/8)",
        ],
    );
}

#[test]
fn terms_have_a_direction() {
    check(
        &[("quota = 100", "quota = 200")],
        &[
            "widened by routes.toml:10 ~ [limits] general: 100 per 15m by address -> 200 per 15m by address",
            "  on orders",
        ],
    );
    check(
        &[("quota = 100, per = \"15m\"", "quota = 200, per = \"1h\"")],
        &[
            "changed by routes.toml:10 ~ [limits] general: 100 per 15m by address -> 200 per 1h by address",
            "  on orders",
        ],
    );
    check(
        &[(", limits = [\"general\"]", ", body = { max = \"1KiB\", media = [\"a/b\"] }")],
        &[
            "widened by routes.toml:12 ~ [routes] orders: counts no more towards general, body 0 -> 1024 bytes",
            "  GET /orders",
        ],
    );
    check(
        &[("[limits]", "[cors]\norigins = [\"https://shop.example\"]\n[limits]")],
        &[
            "widened by routes.toml:0 + [cors] pages of other origins",
            "  + origin https://shop.example",
            "  + request header authorization",
            "  + request header content-type",
            "  + request header idempotency-key",
            "  + request header if-match",
            "  + answer's header etag",
            "  + answer's header idempotency-replayed",
            "  + answer's header location",
            "  + answer's header ratelimit",
            "  + answer's header ratelimit-policy",
            "  + answer's header request-id",
            "  + answer's header retry-after",
        ],
    );
}

#[test]
fn what_changes_nothing_is_said_to() {
    check(
        &[("p, anonymous", "p, customer, orders, refund, own, allow\np, anonymous")],
        &["nothing by policy.csv:4 + p, customer, orders, refund, own, allow"],
    );
    check(&[("g, admin, staff\n", "\n# moved\ng, admin, staff\n")], &[]);
    check(
        &[
            ("quota = 100", "count = \"all\", quota = 100"),
            ("[networks]", "[networks]\nhome = [\"192.0.2.0/24\"]"),
        ],
        &["nothing by routes.toml:6 + [networks] home: gains 192.0.2.0/24"],
    );
}
