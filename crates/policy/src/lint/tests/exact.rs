//! Lint against the long way round: every rule is taken out, everything is compiled again, and
//! every set of roles is asked.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
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
    let links = links.iter().map(|(from, to)| format!("g, {}, {}\n", NAMES[*from], NAMES[*to]));
    let all = NAMES.iter().map(|name| format!("g, top, {name}\n"));
    let roles: String = all.chain(links).collect();
    let rules = rules.iter().map(|(role, scope, effect)| {
        let (scope, effect) = (["own", "others", "any"][*scope], ["allow", "deny"][*effect]);
        format!("p, {}, orders, read, {scope}, {effect}\n", NAMES[*role])
    });
    let texts = [MODEL.to_owned(), roles, rules.collect(), SHOP.to_owned()].map(String::into_bytes);
    let names = RUNTIME_FILES.map(str::to_owned);
    Bundle::load(&BundleFiles::new(names.into_iter().zip(texts).collect())).unwrap()
}

/// What every set of roles gets.
fn decisions(bundle: &Bundle) -> Vec<Option<Scope>> {
    let permission = bundle.permission("orders.read").unwrap();
    let sets = (0_u32..1 << NAMES.len()).map(|bits| {
        let held = NAMES.iter().enumerate().filter(move |(place, _)| bits >> place & 1 == 1);
        bundle.role_set(held.map(|(_, name)| *name))
    });
    sets.map(|set| bundle.decide(set, permission)).collect()
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
}
