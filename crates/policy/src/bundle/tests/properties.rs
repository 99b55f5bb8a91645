//! Properties: the table says what the files say, and no file can make loading panic.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 5] = ["anonymous", "b", "c", "d", "e"];
const ACTIONS: [&str; 2] = ["read", "write"];
const SCOPES: [&str; 3] = ["own", "others", "any"];
const EFFECTS: [&str; 2] = ["allow", "deny"];

const SHOP: &str = r#"
[resources]
orders = { owned = true, actions = ["read", "write"] }
carts = { owned = true, actions = ["read", "write"] }
[roles]
[routes]
orders = { match = "GET /orders", needs = "orders.read", auth = "required" }
"#;

/// A rule by numbers: role, resource, action, scope, effect.
type RawRule = (usize, usize, usize, usize, usize);

fn words(rule: &RawRule) -> [&'static str; 5] {
    let (role, resource, action, scope, effect) = *rule;
    let resource = ["orders", "carts"][resource];
    [NAMES[role], resource, ACTIONS[action], SCOPES[scope], EFFECTS[effect]]
}

/// Whether `senior` is `junior` or above it, by walking the rows.
fn above(links: &BTreeSet<(usize, usize)>, senior: usize, junior: usize) -> bool {
    senior == junior || links.iter().any(|(from, to)| *from == senior && above(links, *to, junior))
}

/// The reference: rules are read again for every question.
fn allowed(
    links: &BTreeSet<(usize, usize)>,
    rules: &BTreeSet<RawRule>,
    role: usize,
    question: [&str; 3],
) -> bool {
    let [resource, action, scope] = question;
    let matching = rules.iter().filter(|rule| {
        let [_, of, to, within, _] = words(rule);
        of == resource && to == action && (within == "any" || within == scope)
    });
    let effects: Vec<_> = matching
        .filter(|(holder, ..)| above(links, role, *holder))
        .map(|rule| words(rule)[4])
        .collect();
    effects.contains(&"allow") && !effects.contains(&"deny")
}

fn load(links: &BTreeSet<(usize, usize)>, rules: &BTreeSet<RawRule>) -> Bundle {
    let links = links.iter().map(|(from, to)| format!("g, {}, {}\n", NAMES[*from], NAMES[*to]));
    let all = (1..NAMES.len()).map(|role| format!("g, top, {}\n", NAMES[role]));
    let roles: String = all.chain(["g, top, anonymous\n".to_owned()]).chain(links).collect();
    let rules: String =
        rules.iter().map(|rule| format!("p, {}\n", words(rule).join(", "))).collect();
    Bundle::load(&files(&roles, &rules, SHOP)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// The table, a naive reading of the rows and (inside `load`) Casbin agree on every cell.
    #[test]
    fn the_table_says_what_the_files_say(
        links in vec((1_usize..5, 0_usize..4), 0..8),
        rules in vec((0_usize..5, 0_usize..2, 0_usize..2, 0_usize..3, 0_usize..2), 1..14),
    ) {
        let links: BTreeSet<_> = links.into_iter().filter(|(from, to)| from > to).collect();
        let rules: BTreeSet<_> = rules.into_iter().collect();
        let bundle = load(&links, &rules);
        for (number, name) in NAMES.iter().enumerate() {
            let role = bundle.role(name).map(RoleSet::of).unwrap();
            for permission in bundle.permissions() {
                let (resource, action) = bundle.permission_name(permission).split_once('.').unwrap();
                for scope in [Scope::Own, Scope::Others] {
                    let question = [resource, action, scope.as_str()];
                    let table = bundle.decide(role, permission);
                    prop_assert_eq!(
                        table.is_some_and(|granted| granted.covers(scope)),
                        allowed(&links, &rules, number, question),
                        "{} {:?}", name, question
                    );
                }
            }
        }
    }

    /// Adding a deny never widens what any set of roles may do.
    #[test]
    fn a_deny_never_widens(
        rules in vec((0_usize..5, 0_usize..2, 0_usize..2, 0_usize..3, 0_usize..2), 1..10),
        deny in (0_usize..5, 0_usize..2, 0_usize..2, 0_usize..3),
        held in vec(0_usize..5, 1..4),
    ) {
        let links = BTreeSet::from([(1, 0), (2, 1)]);
        let mut rules: BTreeSet<_> = rules.into_iter().collect();
        let before = load(&links, &rules);
        rules.insert((deny.0, deny.1, deny.2, deny.3, 1));
        let after = load(&links, &rules);
        let roles = |bundle: &Bundle| held.iter().filter_map(|role| bundle.role(NAMES[*role])).collect();
        for permission in before.permissions() {
            let (old, new) = (before.decide(roles(&before), permission), after.decide(roles(&after), permission));
            prop_assert!(new.is_none_or(|new| old.is_some_and(|old| old.covers(new))));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever bytes a file holds, loading answers.
    #[test]
    fn no_bytes_make_loading_panic(file in 0_usize..4, bytes in vec(any::<u8>(), 0..200)) {
        let texts = [MODEL, ROLES, POLICY, ROUTES];
        let mut texts = texts.map(|text| text.as_bytes().to_vec());
        texts[file] = bytes;
        let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts).collect();
        prop_assert!(Bundle::load(&BundleFiles::new(files)).is_err());
    }

    /// The same for a valid file with a few bytes changed, which gets further in.
    #[test]
    fn no_edit_makes_loading_panic(
        file in 0_usize..4,
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let texts = [MODEL, ROLES, POLICY, ROUTES];
        let mut texts = texts.map(|text| text.as_bytes().to_vec());
        for (at, byte) in edits {
            let at = at.index(texts[file].len());
            texts[file][at] = byte;
        }
        let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts).collect();
        let _loaded = Bundle::load(&BundleFiles::new(files));
    }

    /// A file of cases is read or refused.
    #[test]
    fn no_text_makes_reading_cases_panic(text in "[-a-z :{}\\[\\]/\n&*!\"']{0,120}") {
        let bundle = bundle();
        let _cases = cases::parse("cases/x.yaml", text.as_bytes(), &bundle);
    }
}
