//! Promises of loading and asking a bundle.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::activation::Unmet;
use crate::cases;
use crate::files::{
    FILE_BYTES_MAX, MODEL_FILE, POLICY_FILE, ROLES_FILE, ROUTES_FILE, RUNTIME_FILES,
};
use crate::finding::{Code, Severity};
use crate::judge::{Asker, Caller, Denial, Outcome};
use crate::mode::Mode;
use crate::openapi;

mod properties;

const ROLES: &str = "g, admin, customer\ng, customer, anonymous\n";

const POLICY: &str = "\
p, anonymous, products, read,   any,    allow
p, customer,  orders,   read,   own,    allow
p, admin,     orders,   read,   any,    allow
p, admin,     orders,   refund, others, allow
";

const ROUTES: &str = r#"
[resources]
products = { actions = ["read"] }
orders = { owned = true, actions = ["read", "refund"] }

[roles]
admin = { network = "office" }

[networks]
office = ["10.0.0.0/8"]

[routes]
products = { match = "GET /products", needs = "products.read", auth = "optional" }
orders = { match = "GET /orders", needs = "orders.read", auth = "required", limits = ["general"] }
refund = { match = "POST /orders/{id}/refund", needs = "orders.refund", auth = "required", network = "office", body = { max = "1KiB", media = ["application/json"] } }
login = { match = "POST /login", needs = "products.read", auth = "none", limits = ["general"] }

[limits]
general = { key = "address", quota = 1000, per = "15m" }
writes = { key = "principal", quota = 100, per = "15m" }

[cors]
origins = ["https://shop.example"]
headers = ["if-match"]
"#;

pub(super) fn files(roles: &str, policy: &str, routes: &str) -> BundleFiles {
    let texts = [MODEL, roles, policy, routes].map(|text| text.as_bytes().to_vec());
    BundleFiles::new(RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts).collect())
}

pub(crate) fn bundle() -> Bundle {
    Bundle::load(&files(ROLES, POLICY, ROUTES)).unwrap()
}

/// The valid files with `from` replaced by `to` in one of them.
pub(crate) fn edited(file: &str, from: &str, to: &str) -> BundleFiles {
    let mut texts: BTreeMap<&str, String> =
        RUNTIME_FILES.into_iter().zip([MODEL, ROLES, POLICY, ROUTES].map(str::to_owned)).collect();
    let text = texts.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} lacks {from}");
    *text = text.replacen(from, to, 1);
    BundleFiles::new(texts.into_iter().map(|(name, text)| (name.to_owned(), text.into())).collect())
}

pub(crate) fn findings(files: &BundleFiles) -> Vec<Finding> {
    Bundle::load(files).err().unwrap_or_default()
}

/// The code, the file, what is replaced by what, and the line and column of the finding.
type Mistake = (Code, &'static str, &'static str, &'static str, (u32, u32));

/// One edit per code that makes exactly this finding.
const MISTAKES: &[Mistake] = &[
    (Code::ByteOrderMark, ROLES_FILE, "g, admin", "\u{feff}g, admin", (1, 1)),
    (Code::CarriageReturn, POLICY_FILE, "allow\n", "allow\r\n", (1, 46)),
    (Code::HiddenCharacter, ROUTES_FILE, "[roles]", "# \u{202e}\n[roles]", (6, 3)),
    (Code::ModelDiffers, MODEL_FILE, "some(where (p.eft == deny))", "false", (8, 1)),
    (Code::Quote, ROLES_FILE, "g, admin", "g, \"admin\"", (1, 4)),
    (Code::InlineComment, POLICY_FILE, "own,    allow", "own,    allow # so", (2, 47)),
    (Code::UnknownMode, POLICY_FILE, "own,    allow", "own,    allow, Shadow", (2, 48)),
    (
        Code::BadHeaderValue,
        ROUTES_FILE,
        "[routes]",
        "[headers]\ncache-control = \"\"\n[routes]",
        (13, 17),
    ),
    (Code::RowType, ROLES_FILE, "g, admin", "G, admin", (1, 1)),
    (Code::Arity, POLICY_FILE, "own,    allow", "own", (2, 1)),
    (Code::BadName, ROLES_FILE, "g, admin", "g, Chief, customer\ng, admin", (1, 4)),
    (Code::Duplicate, ROLES_FILE, "g, customer", "g,admin,customer\ng, customer", (2, 1)),
    (Code::NoAnonymous, ROLES_FILE, "g, customer, anonymous", "", (1, 1)),
    (Code::Cycle, ROLES_FILE, "g, customer", "g, customer, admin\ng, customer", (1, 1)),
    (Code::UnknownRole, POLICY_FILE, "p, customer", "p, costumer", (2, 4)),
    (Code::UnknownResource, POLICY_FILE, "orders,   read", "order,    read", (2, 15)),
    (Code::UnknownAction, POLICY_FILE, "orders,   read", "orders,   reed", (2, 25)),
    (Code::UnknownScope, POLICY_FILE, "own,", "mine,", (2, 33)),
    (Code::UnknownEffect, POLICY_FILE, "own,    allow", "own,    Deny", (2, 41)),
    (Code::ScopeWithoutOwner, POLICY_FILE, "any,    allow", "own,    allow", (1, 33)),
    (Code::NoRules, POLICY_FILE, POLICY, "# none\n", (1, 1)),
    (Code::TomlSyntax, ROUTES_FILE, "[resources]", "[resources", (2, 11)),
    (Code::UnknownKey, ROUTES_FILE, "[roles]", "[posture]\n[roles]", (6, 2)),
    (Code::MissingKey, ROUTES_FILE, ", auth = \"optional\"", "", (13, 1)),
    (Code::WrongKind, ROUTES_FILE, "owned = true", "owned = \"true\"", (4, 20)),
    (Code::BadMethod, ROUTES_FILE, "GET /orders", "HEAD /orders", (14, 20)),
    (Code::BadPattern, ROUTES_FILE, "/orders/{id}/", "/orders/{Id}/", (15, 20)),
    (Code::UnknownPermission, ROUTES_FILE, "\"orders.read\"", "\"orders.reed\"", (14, 43)),
    (Code::UnknownAuth, ROUTES_FILE, "\"optional\"", "\"public\"", (13, 71)),
    (
        Code::UnknownNetwork,
        ROUTES_FILE,
        "network = \"office\" }",
        "network = \"offices\" }",
        (7, 21),
    ),
    (Code::BadNetwork, ROUTES_FILE, "10.0.0.0/8", "10.0.0.0", (10, 11)),
    (Code::HostBits, ROUTES_FILE, "10.0.0.0/8", "10.0.0.1/8", (10, 11)),
    (Code::BadSize, ROUTES_FILE, "1KiB", "1kb", (15, 127)),
    (Code::BadMedia, ROUTES_FILE, "application/json", "json", (15, 144)),
    (Code::Overlap, ROUTES_FILE, "GET /orders", "GET /products", (14, 1)),
    (Code::BadDuration, ROUTES_FILE, "15m", "15 m", (19, 50)),
    (Code::BadQuota, ROUTES_FILE, "1000", "0", (19, 38)),
    (Code::UnknownLimitWord, ROUTES_FILE, "\"principal\"", "\"account\"", (20, 18)),
    (Code::UnknownLimit, ROUTES_FILE, "[\"general\"]", "[\"generally\"]", (14, 87)),
    (
        Code::LimitWithoutPrincipal,
        ROUTES_FILE,
        "\"none\", limits = [\"general\"]",
        "\"none\", limits = [\"writes\"]",
        (16, 84),
    ),
    (
        Code::MfaWithoutToken,
        ROUTES_FILE,
        "auth = \"optional\"",
        "auth = \"optional\", mfa = \"5m\"",
        (13, 83),
    ),
    (
        Code::MfaWithoutToken,
        ROUTES_FILE,
        "[networks]",
        "anonymous = { network = \"office\", mfa = \"5m\" }\n[networks]",
        (9, 35),
    ),
    (Code::BadOrigin, ROUTES_FILE, "shop.example", "shop.example/", (23, 12)),
    (Code::BadHeader, ROUTES_FILE, "if-match", "*", (24, 12)),
];

#[test]
fn a_mistake_is_found_where_it_is() {
    for (code, file, from, to, (line, column)) in MISTAKES {
        let found = findings(&edited(file, from, to));
        let places: Vec<_> =
            found.iter().map(|f| (f.code, f.file.as_str(), f.line, f.column)).collect();
        assert_eq!(places, [(*code, *file, *line, *column)], "{found:#?}");
        assert!(found.iter().all(|f| !f.message.is_empty() && !f.fix.is_empty()));
    }
}

/// Findings of mistakes that take more than an edit.
fn other_findings() -> Vec<Finding> {
    let all = |roles: &str| files(roles, POLICY, ROUTES);
    let named = |name: &str, bytes: Vec<u8>, writable| {
        BundleFiles::from_folder([(name.to_owned(), bytes, writable)])
    };
    let sixty_five: String = (0..65).map(|n| format!("g, r{n}, anonymous\n")).collect();
    let chain: String = (0..12).map(|n| format!("g, r{}, r{n}\n", n + 1)).collect();
    let mut found: Vec<Finding> = [
        named(ROLES_FILE, vec![0xff], true),
        named("extra.csv", vec![b' '; FILE_BYTES_MAX + 1], false),
        all(&sixty_five),
        all(&chain),
    ]
    .iter()
    .flat_map(findings)
    .collect();
    for text in [
        "- a: 1",
        "- c: {as: [], from: here, request: GET orders, expect: any}",
        "- c: {as: [], mfa: soon, request: GET /orders, expect: any}",
        "- c: {as: [], only_routes: [order]}",
    ] {
        found.extend(cases::parse("cases/x.yaml", text.as_bytes(), &bundle()).unwrap_err());
    }
    let document = r#"{"paths": {"/a": {"get": {"x-stockade-permission": "b"}, "put": {}},
        "/products": {"get": {"x-stockade-permission": "b"}}}}"#;
    found.extend(openapi::compare(&bundle(), "openapi.json", document.as_bytes()));
    for model in [MODEL.replace("!some", "some"), MODEL.replace("g(r.sub, p.sub)", "h(r.sub)")] {
        found.extend(unproven(&model));
    }
    found.extend(unproven(&MODEL.replace("&& !some(where (p.eft == deny))", "")));
    found
}

/// What the proof says about the valid files when Casbin is given another model.
fn unproven(model: &str) -> Vec<Finding> {
    let mut findings = Findings::default();
    let policy = format!("{POLICY}p, customer, orders, read, own, deny\n");
    let files = files(ROLES, &policy, ROUTES);
    let Draft { roles, resources, rules, .. } =
        Draft::read(&files, View::InForce, &mut findings).unwrap();
    let table = DecisionTable::compile(&roles, resources.count(), &rules);
    let claim = Claim { roles: &roles, resources: &resources, rules: &rules, table: &table };
    assert!(claim.prove(model, &mut || (), &mut findings).is_none());
    findings.into_sorted()
}

#[test]
fn every_code_has_a_mistake_that_earns_it() {
    let edits = MISTAKES.iter().map(|(code, ..)| *code);
    let seen: BTreeSet<Code> =
        edits.chain(other_findings().iter().map(|finding| finding.code)).collect();
    let errors = Code::ALL.iter().filter(|code| code.severity() == Severity::Error);
    let missing: Vec<_> = errors.filter(|code| !seen.contains(code)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn all_mistakes_are_told_at_once() {
    let routes = ROUTES.replace("orders.refund", "orders.refunds").replace("1KiB", "1kb");
    let found = findings(&files("g, admin\n", "p, admin, x, y, z, Allow\n", &routes));
    let codes: Vec<_> = found.iter().map(|finding| finding.code).collect();
    assert_eq!(
        codes,
        [
            Code::UnknownResource,
            Code::UnknownScope,
            Code::UnknownEffect,
            Code::Arity,
            Code::NoAnonymous,
            Code::UnknownPermission,
            Code::BadSize,
        ]
    );
}

#[test]
fn findings_read_like_a_compiler() {
    let [found] =
        findings(&edited(POLICY_FILE, "orders,   read", "ordrs,    read")).try_into().unwrap();
    assert_eq!(
        found.to_string(),
        "policy.csv:2:15: [P041] the resource `ordrs` is not declared; did you mean `orders`?"
    );
    let [found] =
        findings(&edited(POLICY_FILE, "own,    allow", "own,    DENY")).try_into().unwrap();
    assert_eq!(found.fix, "write `deny` in lower case");
}

#[test]
fn a_misspelled_role_does_not_lose_its_condition_silently() {
    let [found] = findings(&edited(ROUTES_FILE, "admin = {", "admni = {")).try_into().unwrap();
    assert_eq!((found.code, found.line), (Code::UnknownRole, 7));
    assert_eq!(found.fix, "did you mean `admin`?");
}

#[test]
fn roles_with_a_failing_condition_are_nobody() {
    let bundle = bundle();
    let at =
        |address: &str| Circumstances { from: Some(address.parse().unwrap()), mfa_age_secs: None };
    let orders = bundle.permission("orders.read").unwrap();
    let admin = bundle.role("admin").unwrap();
    let network = bundle.networks().find("office").unwrap();

    let inside = bundle.activate(["admin"], &at("10.1.2.3"));
    assert_eq!((inside.roles, inside.inactive.as_slice()), (RoleSet::of(admin), &[][..]));
    assert_eq!(bundle.decide(inside.roles, orders), Some(Scope::Any));

    for address in [at("192.0.2.1"), Circumstances::default()] {
        let outside = bundle.activate(["admin", "admin"], &address);
        assert!(outside.roles.is_empty());
        assert_eq!(
            outside.inactive,
            [InactiveRole { role: admin, unmet: Unmet::Network(network) }]
        );
        assert_eq!(bundle.decide(outside.roles, orders), None);
        assert_eq!(bundle.in_the_way(&outside, orders), outside.inactive.first().copied());
    }

    let both = bundle.activate(["admin", "customer", "stranger"], &Circumstances::default());
    assert_eq!(bundle.role_names(both.roles).collect::<Vec<_>>(), ["customer"]);
    assert_eq!(bundle.decide(both.roles, orders), Some(Scope::Own));
}

/// What somebody with these roles gets for `GET` or `POST`, in these circumstances.
fn outcome(bundle: &Bundle, roles: &[&str], at: Circumstances, request: &str) -> Outcome {
    let caller = Caller::holding(bundle, bundle.role_set(roles.iter().copied()));
    let (method, path) = request.split_once(' ').unwrap();
    bundle.judge(&Asker { caller, at }, method, path)
}

#[test]
fn a_second_factor_is_asked_of_roles_and_of_routes() {
    let routes = ROUTES
        .replace(
            "network = \"office\" }\n\n[networks]",
            "network = \"office\", mfa = \"12h\" }\n\n[networks]",
        )
        .replace("network = \"office\", body", "mfa = \"5m\", body");
    let bundle = Bundle::load(&files(ROLES, POLICY, &routes)).unwrap();
    let at = |from: &str, mfa_age_secs| Circumstances {
        from: Some(from.parse().unwrap()),
        mfa_age_secs,
    };
    let (any, others) = (Outcome::Allow(Scope::Any), Outcome::Allow(Scope::Others));
    let deny = Outcome::Deny;
    for (at, request, expected) in [
        (at("10.0.0.1", None), "GET /orders", deny(Denial::Mfa)),
        (at("10.0.0.1", Some(12 * 3600)), "GET /orders", any),
        (at("10.0.0.1", Some(12 * 3600 + 1)), "GET /orders", deny(Denial::Mfa)),
        (at("192.0.2.1", Some(1)), "GET /orders", deny(Denial::Network)),
        (at("10.0.0.1", Some(300)), "POST /orders/1/refund", others),
        (at("10.0.0.1", Some(301)), "POST /orders/1/refund", deny(Denial::Mfa)),
    ] {
        assert_eq!(outcome(&bundle, &["admin"], at, request), expected, "{at:?} {request}");
    }
    let fresh = at("10.0.0.1", Some(1));
    assert_eq!(outcome(&bundle, &["customer"], fresh, "POST /orders/1/refund"), deny(Denial::Role));
}

#[test]
fn what_is_only_tried_counts_in_the_shadow_alone() {
    let policy = format!("{POLICY}p, customer, orders, read, any, deny, shadow\n");
    let tried = "new = { match = \"GET /new\", needs = \"products.read\", auth = \"none\", mode = \"shadow\" }\n\
        stricter = { match = \"GET /products\", needs = \"orders.read\", auth = \"required\", mode = \"shadow\" }\n\n[limits]";
    let routes = ROUTES.replace("[limits]", tried);
    let bundle = Bundle::load(&files(ROLES, &policy, &routes)).unwrap();
    let shadow = bundle.shadow().unwrap();
    let nowhere = Circumstances::default();
    for (request, now, then) in [
        ("GET /orders", Outcome::Allow(Scope::Own), Outcome::Deny(Denial::Role)),
        ("GET /new", Outcome::Deny(Denial::Route), Outcome::Allow(Scope::Any)),
        ("GET /products", Outcome::Allow(Scope::Any), Outcome::Deny(Denial::Role)),
    ] {
        assert_eq!(outcome(&bundle, &["customer"], nowhere, request), now, "{request}");
        assert_eq!(outcome(shadow, &["customer"], nowhere, request), then, "{request}");
    }
    assert_eq!(
        (bundle.rules().len() + 1, bundle.routes().len() + 2),
        (shadow.rules().len(), shadow.routes().len())
    );
    assert!(shadow.shadow().is_none() && shadow.proof().cells == bundle.proof().cells);
    assert!(self::bundle().shadow().is_none());

    let limits = ROUTES.replace("quota = 1000,", "mode = \"shadow\", quota = 1000,");
    let bundle = Bundle::load(&files(ROLES, POLICY, &limits)).unwrap();
    assert_eq!(bundle.limits().find("general").unwrap().mode, Mode::Shadow);
    assert_eq!(bundle.limits().find("writes").unwrap().mode, Mode::Enforce);
}

#[test]
fn everything_knows_its_line() {
    let bundle = bundle();
    assert_eq!(bundle.rules().iter().map(|rule| rule.line).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(bundle.links().iter().map(|link| link.line).max(), Some(2));
    let line = |text: &str| {
        ROUTES.lines().zip(1_u32..).find(|(line, _)| line.starts_with(text)).unwrap().1
    };
    assert_eq!(bundle.routes().by_id("refund").unwrap().line, line("refund ="));
    assert_eq!(bundle.limits().find("general").unwrap().line, line("general ="));
    assert_eq!(bundle.networks().iter().next().unwrap().line, line("office ="));
    let admin = bundle.role("admin").unwrap();
    assert_eq!(bundle.condition(admin).line, line("admin ="));
    let refund = bundle.permission("orders.refund").unwrap();
    assert_eq!(bundle.permission_line(refund), line("orders = { owned"));
}

#[test]
fn limits_and_cors_are_part_of_the_bundle() {
    let bundle = bundle();
    let orders = bundle.routes().by_id("orders").unwrap();
    let general = bundle.limits().find("general").unwrap();
    assert_eq!(*orders.limits, [general.index]);
    assert!(bundle.cors().is_some_and(|cors| cors.allows("https://shop.example")));

    let without = ROUTES.split("[limits]").next().unwrap();
    let without = without.replace(", limits = [\"general\"]", "");
    let bundle = Bundle::load(&files(ROLES, POLICY, &without)).unwrap();
    assert!(bundle.limits().is_empty() && bundle.cors().is_none());
}

#[test]
fn a_deny_reaches_every_senior_and_every_set() {
    let policy = format!("{POLICY}p, customer, orders, read, own, deny\n");
    let bundle = Bundle::load(&files(ROLES, &policy, ROUTES)).unwrap();
    let orders = bundle.permission("orders.read").unwrap();
    let scope = |names: &[&str]| {
        let roles = names.iter().filter_map(|name| bundle.role(name)).collect();
        bundle.decide(roles, orders)
    };
    assert_eq!(scope(&["customer"]), None);
    assert_eq!(scope(&["admin"]), Some(Scope::Others));
    assert_eq!(scope(&["admin", "customer"]), Some(Scope::Others));
    assert_eq!(scope(&[]), None);
}

#[test]
fn the_proof_covers_every_cell_and_the_longest_chain() {
    let chain: String = (1..9).map(|n| format!("g, r{n}, r{}\n", n - 1)).collect();
    let roles = format!("g, r0, anonymous\n{chain}g, customer, anonymous\ng, admin, customer\n");
    let bundle = Bundle::load(&files(&roles, POLICY, ROUTES)).unwrap();
    assert_eq!(bundle.proof().cells, 12 * 3 * 2);
    let products = bundle.permission("products.read").unwrap();
    let top = bundle.role("r8").map(RoleSet::of).unwrap();
    assert_eq!(bundle.decide(top, products), Some(Scope::Any));
}

#[test]
fn depth_and_repetition_do_not_exhaust_anything() {
    let count = FILE_BYTES_MAX / 8;
    for routes in [
        format!("x = {}", "[".repeat(count)),
        format!("x = {}", "{a=".repeat(count)),
        format!("{}a = 1", "a.".repeat(count)),
        format!("[{}a]", "a.".repeat(count)),
        "[[x]]\n".repeat(count / 8),
    ] {
        assert!(Bundle::load(&files(ROLES, POLICY, &routes)).is_err());
    }
    let rows = "p, x, y, z, w, v\n".repeat(count / 8);
    assert!(findings(&files(ROLES, &rows, ROUTES)).len() <= 1000);
    for text in ["- ".repeat(count), "[".repeat(count), "{a: ".repeat(count), "&a [*a]\n".repeat(9)]
    {
        assert!(cases::parse("cases/x.yaml", text.as_bytes(), &bundle()).is_err());
    }
}
