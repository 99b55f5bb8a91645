//! Lint against the long way round: every rule is taken out, everything is compiled again, and
//! every set of roles is asked; every route is asked for by everybody from everywhere.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::activation::Circumstances;
use crate::judge::{Asker, Caller, Outcome};
use crate::role_set::RoleSet;
use crate::table::Scope;

const NAMES: [&str; 5] = ["anonymous", "b", "c", "d", "e"];

const SHOP: &str = r#"
[resources]
orders = { owned = true, actions = ["read"] }
[roles]
[routes]
orders = { match = "GET /orders", needs = "orders.read", auth = "optional" }
"#;

/// A rule by numbers: role, scope, effect.
type RawRule = (usize, usize, usize);

fn load(links: &BTreeSet<(usize, usize)>, rules: &[RawRule]) -> Bundle {
    load_with(links, rules, SHOP)
}

fn load_with(links: &BTreeSet<(usize, usize)>, rules: &[RawRule], shop: &str) -> Bundle {
    let links = links.iter().map(|(from, to)| format!("g, {}, {}\n", NAMES[*from], NAMES[*to]));
    let all = NAMES.iter().map(|name| format!("g, top, {name}\n"));
    let roles: String = all.chain(links).collect();
    let rules = rules.iter().map(|(role, scope, effect)| {
        let (scope, effect) = (["own", "others", "any"][*scope], ["allow", "deny"][*effect]);
        format!("p, {}, orders, read, {scope}, {effect}\n", NAMES[*role])
    });
    let texts = [MODEL.to_owned(), roles, rules.collect(), shop.to_owned()].map(String::into_bytes);
    let names = RUNTIME_FILES.map(str::to_owned);
    Bundle::load(&BundleFiles::new(names.into_iter().zip(texts).collect())).unwrap()
}

/// Every set of roles.
fn sets(bundle: &Bundle) -> impl Iterator<Item = RoleSet> + Clone {
    (0_u32..1 << NAMES.len()).map(|bits| {
        let held = NAMES.iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1);
        bundle.role_set(held.map(|(_, name)| *name))
    })
}

/// What every set of roles gets.
fn decisions(bundle: &Bundle) -> Vec<Option<Scope>> {
    let permission = bundle.permission("orders.read").unwrap();
    sets(bundle).map(|set| bundle.decide(set, permission)).collect()
}

/// Terms of a role or a route. Of the networks, `left` and `right` are the halves of `all`.
const TERMS: [&str; 6] = ["", "all", "left", "right", "none", "mfa"];

/// One address inside of each network, and one outside of all.
const ADDRESSES: [&str; 3] = ["10.0.0.1", "10.128.0.1", "192.0.2.1"];

fn shop_with(terms: &[usize], route: usize, auth: &str) -> String {
    let text = |term: usize| match TERMS[term] {
        "" => String::new(),
        "mfa" => "mfa = \"5m\"".to_owned(),
        network => format!("network = \"{network}\""),
    };
    // Whoever shows no token shows no second factor.
    let of =
        |name: &str, term: usize| if name == NAMES[0] && TERMS[term] == "mfa" { 0 } else { term };
    let roles = NAMES.iter().zip(terms).map(|(name, term)| (name, of(name, *term)));
    let roles = roles.map(|(name, term)| format!("{name} = {{ {} }}\n", text(term)));
    let route = if TERMS[route] == "mfa" && auth != "required" { 0 } else { route };
    let route = if TERMS[route].is_empty() { String::new() } else { format!(", {}", text(route)) };
    SHOP.replace("[roles]\n", &format!("[roles]\n{}", roles.collect::<String>()))
        .replace(", auth = \"optional\"", &format!(", auth = \"{auth}\"{route}"))
        .replace(
            "[routes]",
            "[networks]\nall = [\"10.0.0.0/8\"]\nleft = [\"10.0.0.0/9\"]\n\
            right = [\"10.128.0.0/9\"]\nnone = []\n[routes]",
        )
}

/// Everybody who may come, from everywhere. Without a token that is read there is no second factor.
fn askers(bundle: &Bundle, auth: &str) -> Vec<Asker> {
    let known = sets(bundle).filter(|set| !set.is_empty() && !set.meets(bundle.anonymous()));
    let known = known.chain([bundle.role_set(["top"])]);
    let age = (auth != "none").then_some(0);
    let mut askers = Vec::new();
    for from in ADDRESSES.map(|address| address.parse().ok()) {
        let at = Circumstances { from, mfa_age_secs: None };
        askers.push(Asker { caller: Caller::Anonymous, at });
        let at = Circumstances { from, mfa_age_secs: age };
        askers.extend(known.clone().map(|set| Asker { caller: Caller::Known(set), at }));
    }
    askers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// A rule is warned of exactly where nothing changes without it.
    #[test]
    fn a_rule_is_idle_exactly_where_nothing_changes_without_it(
        links in vec((1_usize..5, 0_usize..4), 0..6),
        rules in btree_set((0_usize..5, 0_usize..3, 0_usize..2), 2..9),
    ) {
        let links: BTreeSet<_> = links.into_iter().filter(|(from, to)| from > to).collect();
        let rules: Vec<_> = rules.into_iter().collect();
        let bundle = load(&links, &rules);
        let idle = [Code::RepeatedRule, Code::DeadRule, Code::OverriddenRule, Code::IdleDeny];
        let found = lint(&bundle);
        let warned: BTreeSet<u32> =
            found.iter().filter(|f| idle.contains(&f.code)).map(|f| f.line).collect();
        let whole = decisions(&bundle);
        for (place, line) in (0..rules.len()).zip(1_u32..) {
            let mut others = rules.clone();
            others.remove(place);
            let changes = decisions(&load(&links, &others)) != whole;
            prop_assert_eq!(warned.contains(&line), !changes, "line {}: {:#?}", line, found);
        }
    }

    /// A route is warned of as one that nobody reaches exactly where nobody is admitted.
    #[test]
    fn a_route_is_unreachable_exactly_where_nobody_is_admitted(
        links in vec((1_usize..5, 0_usize..4), 0..6),
        rules in btree_set((0_usize..5, 0_usize..3, 0_usize..2), 1..6),
        terms in vec(0_usize..TERMS.len(), NAMES.len()),
        route in 0_usize..TERMS.len(),
        auth in prop::sample::select(vec!["none", "optional", "required"]),
    ) {
        let links: BTreeSet<_> = links.into_iter().filter(|(from, to)| from > to).collect();
        let rules: Vec<_> = rules.into_iter().collect();
        let bundle = load_with(&links, &rules, &shop_with(&terms, route, auth));
        let found = lint(&bundle);
        let warned = |code| found.iter().any(|finding| finding.code == code);
        let admitted = |asker: &Asker| {
            matches!(bundle.judge(asker, "GET", "/orders"), Outcome::Allow(_))
        };
        let askers = askers(&bundle, auth);
        let reached = askers.iter().any(admitted);
        let closed = warned(Code::NobodyAllowed) || warned(Code::UnreachableRoute);
        prop_assert_eq!(closed, !reached, "{:#?}", found);
    }
}
