//! Properties: over random pairs of bundles, the diff misses nothing and invents nothing.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::super::blame::{Question, Who, Written};
use super::super::circumstances::Space;
use super::super::sides::{Access, Sides, only};
use super::super::{edits, requests};
use super::*;
use crate::activation::Circumstances;
use crate::judge::{Asker, Caller, Outcome};
use crate::role_set::RoleSet;

const NAMES: [&str; 5] = ["anonymous", "b", "c", "d", "e"];
const ACTIONS: [&str; 2] = ["read", "write"];
const SCOPES: [&str; 3] = ["own", "others", "any"];
const EFFECTS: [&str; 2] = ["allow", "deny"];
const NETWORKS: [&str; 4] =
    ["[\"10.0.0.0/8\"]", "[\"10.0.0.0/9\", \"::1/128\"]", "[]", "[\"0.0.0.0/0\", \"::/0\"]"];
const CONDITIONS: [&str; 5] =
    ["", "network = \"n\"", "network = \"m\"", "mfa = \"5m\"", "network = \"n\", mfa = \"1h\""];
const PATTERNS: [&str; 8] = [
    "GET /a",
    "GET /a/{x}",
    "* /a/{x}",
    "POST /a/b",
    "GET /a/b",
    "GET /{**rest}",
    "* /a/{**more}",
    "GET /{x}/b",
];
const AUTHS: [&str; 4] = ["none", "optional", "required", "signature"];

/// A bundle by numbers.
#[derive(Debug, Clone)]
struct Raw {
    links: Vec<(usize, usize)>,
    rules: Vec<(usize, usize, usize, usize)>,
    conditions: [usize; 5],
    networks: [usize; 2],
    routes: Vec<Option<(usize, usize, usize)>>,
}

fn raw() -> impl Strategy<Value = Raw> {
    (
        vec((1_usize..5, 0_usize..4), 0..5),
        vec((0_usize..5, 0_usize..2, 0_usize..3, 0_usize..2), 1..9),
        prop_oneof![2 => Just([0; 5]), 3 => prop::array::uniform5(0_usize..CONDITIONS.len())],
        prop::array::uniform2(0_usize..NETWORKS.len()),
        vec(prop::option::of((0_usize..2, 0_usize..4, 0_usize..CONDITIONS.len())), PATTERNS.len()),
    )
        .prop_map(|(links, rules, conditions, networks, routes)| Raw {
            links,
            rules,
            conditions,
            networks,
            routes,
        })
}

/// Two bundles that have much in common: the second takes each part from the first or its own.
fn pair() -> impl Strategy<Value = (Raw, Raw)> {
    (raw(), raw(), any::<[bool; 5]>(), vec(any::<bool>(), 16)).prop_map(
        |(old, mut new, own, each)| {
            let mix = |at: usize| each[at % each.len()];
            if !own[0] {
                new.links.clone_from(&old.links);
            }
            if own[1] {
                let kept = old.rules.iter().enumerate().filter(|(at, _)| mix(*at));
                new.rules.truncate(2);
                new.rules.extend(kept.map(|(_, rule)| *rule));
            } else {
                new.rules.clone_from(&old.rules);
            }
            if !own[2] {
                new.conditions = old.conditions;
            }
            if !own[3] {
                new.networks = old.networks;
            }
            for (at, route) in
                new.routes.iter_mut().enumerate().filter(|(at, _)| !own[4] || mix(*at))
            {
                *route = old.routes[at];
            }
            (old, new)
        },
    )
}

/// Two bundles that differ in one rule alone, with all conditions apart: whatever changes only
/// for whoever holds several roles at once shows here.
fn one_rule_apart() -> impl Strategy<Value = (Raw, Raw)> {
    (raw(), any::<prop::sample::Index>(), any::<bool>()).prop_map(|(mut new, at, is_added)| {
        new.conditions = [0; 5];
        new.links.truncate(1);
        new.routes = PATTERNS.iter().map(|_| None).collect();
        new.routes[0] = Some((0, 2, 0));
        new.routes[7] = Some((1, 2, 0));
        new.rules.push((0, 0, 0, 0));
        let mut old = new.clone();
        old.rules.remove(at.index(new.rules.len() - 1));
        if is_added { (old, new) } else { (new, old) }
    })
}

fn load(raw: &Raw) -> Bundle {
    let links: BTreeSet<_> = raw.links.iter().filter(|(from, to)| from > to).collect();
    let mut roles: String = (0..5).map(|n| format!("g, {}, base\n", NAMES[n])).collect();
    for (from, to) in links {
        writeln!(roles, "g, {}, {}", NAMES[*from], NAMES[*to]).unwrap();
    }
    let rules: BTreeSet<_> = raw.rules.iter().collect();
    let mut policy = String::new();
    for (role, action, scope, effect) in rules {
        let (role, action) = (NAMES[*role], ACTIONS[*action]);
        writeln!(policy, "p, {role}, x, {action}, {}, {}", SCOPES[*scope], EFFECTS[*effect])
            .unwrap();
    }
    let mut routes =
        "[resources]\nx = { owned = true, actions = [\"read\", \"write\"] }\n".to_owned();
    writeln!(
        routes,
        "[networks]\nn = {}\nm = {}",
        NETWORKS[raw.networks[0]], NETWORKS[raw.networks[1]]
    )
    .unwrap();
    routes.push_str("[roles]\n");
    for (name, condition) in NAMES.iter().zip(raw.conditions) {
        // Whoever shows no token shows no second factor.
        let condition = if *name == NAMES[0] { condition % 3 } else { condition };
        writeln!(routes, "{name} = {{ {} }}", CONDITIONS[condition]).unwrap();
    }
    routes.push_str("[routes]\n");
    let mut taken = Vec::new();
    for (at, route) in raw.routes.iter().enumerate() {
        let Some((needs, auth, condition)) = route else { continue };
        // `GET /a/{x}` and `* /a/{x}` would be one request's two owners.
        if at == 2 && taken.contains(&1) {
            continue;
        }
        taken.push(at);
        let auth = AUTHS[*auth];
        let condition = if auth == "required" { *condition } else { *condition % 3 };
        let condition = Some(CONDITIONS[condition]).filter(|text| !text.is_empty());
        let condition = condition.map(|text| format!(", {text}")).unwrap_or_default();
        let (pattern, needs) = (PATTERNS[at], ACTIONS[*needs]);
        writeln!(routes, "r{at} = {{ match = \"{pattern}\", needs = \"x.{needs}\", auth = \"{auth}\"{condition} }}").unwrap();
    }
    super::load(&roles, &policy, &routes)
}

const PATHS: [&str; 7] = ["/a", "/a/", "/a/b", "/a/c", "/x/b", "/a/b/c", "/x/y/z"];
const METHODS: [&str; 3] = ["GET", "POST", "PURGE"];
const ADDRESSES: [Option<&str>; 5] =
    [None, Some("10.1.0.0"), Some("10.200.0.0"), Some("::1"), Some("192.0.2.1")];
const AGES: [Option<u64>; 4] = [None, Some(300), Some(3600), Some(3601)];

fn circumstances() -> impl Iterator<Item = Circumstances> {
    let parse = |text: &str| -> IpAddr { text.parse().unwrap() };
    ADDRESSES.iter().flat_map(move |from| {
        AGES.iter().map(move |age| Circumstances { from: from.map(parse), mfa_age_secs: *age })
    })
}

/// Every set of up to three roles, by names.
fn sets() -> Vec<Vec<&'static str>> {
    let mut sets = vec![vec![]];
    for (a, one) in NAMES.iter().enumerate() {
        sets.push(vec![*one]);
        for (b, two) in NAMES.iter().enumerate().skip(a + 1) {
            sets.push(vec![*one, two]);
            sets.extend(NAMES.iter().skip(b + 1).map(|three| vec![*one, *two, *three]));
        }
    }
    sets
}

fn access(
    bundle: &Bundle,
    caller: Option<&[&str]>,
    at: Circumstances,
    request: (&str, &str),
) -> Access {
    let roles = |names: &[&str]| -> RoleSet { bundle.role_set(names.iter().copied()) };
    let caller = caller.map_or(Caller::Anonymous, |names| Caller::Known(roles(names)));
    match bundle.judge(&Asker { caller, at }, request.0, request.1) {
        Outcome::Allow(scope) => {
            Access { own: scope.covers(Scope::Own), others: scope.covers(Scope::Others) }
        }
        Outcome::Deny(_) => Access::default(),
    }
}

/// Whether somebody gets more, and whether somebody gets less, by asking everybody everything.
fn by_asking(old: &Bundle, new: &Bundle) -> (bool, bool) {
    let (mut more, mut less) = (false, false);
    let sets = sets();
    for path in PATHS {
        for method in METHODS {
            for at in circumstances() {
                for caller in sets.iter().map(|set| Some(set.as_slice())).chain([None]) {
                    let request = (method, path);
                    let was = access(old, caller, at, request);
                    let is = access(new, caller, at, request);
                    more |= is.exceeds(was);
                    less |= was.exceeds(is);
                }
            }
        }
    }
    (more, less)
}

fn directions(diff: &Diff) -> (bool, bool) {
    let any = |direction| diff.groups.iter().any(|group| group.direction == direction);
    let changed = any(Direction::Changed);
    (changed || any(Direction::Widened), changed || any(Direction::Narrowed))
}

/// Caller, path, before and after.
type Different = (Vec<String>, String, Option<Scope>, Option<Scope>);

/// Every outcome that differs.
fn cells(diff: &Diff, reversed: bool) -> BTreeSet<Different> {
    let cells = diff.groups.iter().flat_map(|group| &group.cells);
    let single = cells.flat_map(|cell| cell.callers.iter().map(move |caller| (caller, cell)));
    single
        .map(|(caller, cell)| {
            let mut caller: Vec<_> = caller.split(" + ").map(str::to_owned).collect();
            caller.sort();
            let steps =
                if reversed { (cell.after, cell.before) } else { (cell.before, cell.after) };
            let path = cell.request.split_once(' ').unwrap().1.replace("{x}", "{id}");
            (caller, path, steps.0, steps.1)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Some set of up to three roles gets more in some circumstances for some request exactly
    /// where the diff says that something widens; and so for less.
    #[test]
    fn whatever_widens_is_told_and_nothing_else(
        (old, new) in prop_oneof![pair(), one_rule_apart()],
    ) {
        let (old, new) = (load(&old), load(&new));
        prop_assert_eq!(directions(&compare(&old, &new)), by_asking(&old, &new));
    }

    /// One way is the other way turned round.
    #[test]
    fn the_way_back_narrows_what_the_way_there_widens((old, new) in pair()) {
        let (old, new) = (load(&old), load(&new));
        let (there, back) = (compare(&old, &new), compare(&new, &old));
        let count = |diff: &Diff, direction| diff.groups.iter().any(|g| g.direction == direction);
        prop_assert_eq!(cells(&there, false), cells(&back, true));
        prop_assert_eq!(count(&there, Direction::Widened), count(&back, Direction::Narrowed));
    }

    #[test]
    fn nothing_differs_from_itself(raw in raw()) {
        let bundle = load(&raw);
        let diff = compare(&bundle, &bundle);
        prop_assert!(diff.is_empty() && diff.without_effect.is_empty() && diff.same_bytes);
    }

    /// The world with nothing taken back is the new bundle, that with everything the old one; and
    /// taking back what is blamed brings the old outcome back.
    #[test]
    fn what_is_blamed_did_it((old, new) in pair()) {
        let (old, new) = (load(&old), load(&new));
        let sides = Sides::new(&old, &new);
        let changes = edits::all(&sides);
        let written = Written::new(&sides, &changes);
        let everything: BTreeSet<usize> = (0..changes.len()).collect();
        let space = Space::of(&sides);
        for class in requests::classes(&sides, &|path| written.touching(path)) {
            for atom in space.atoms() {
                let at = space.example(atom);
                for names in sets() {
                    let held = names.iter().filter_map(|name| sides.role(name));
                    let held = held.fold(0, |all, role| all | only(role));
                    let (method, path) = (class.methods[0], class.path.as_str());
                    let owners = &written.owners(path);
                    let question = Question { method, path: owners, who: Who::Holding(held), at };
                    let was = access(&old, Some(&names), at, (method, path));
                    let is = access(&new, Some(&names), at, (method, path));
                    prop_assert_eq!(written.outcome(&BTreeSet::new(), &question), is);
                    prop_assert_eq!(written.outcome(&everything, &question), was);
                    if was != is {
                        let blamed = written.blame(&question, was);
                        prop_assert!(!blamed.is_empty());
                        let together: BTreeSet<usize> = blamed.iter().copied().collect();
                        let alone = blamed.iter().all(|one| {
                            written.outcome(&BTreeSet::from([*one]), &question) == was
                        });
                        prop_assert!(alone || written.outcome(&together, &question) == was);
                    }
                }
            }
        }
    }
}
