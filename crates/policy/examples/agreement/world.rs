//! A random policy: as numbers, and as the files that say the same.

use std::collections::BTreeSet;

use stockade_policy::{Bundle, BundleFiles, Circumstances, RUNTIME_FILES};

use crate::random::Random;

/// The roles; the last stands above all others.
pub(crate) const ROLES: [&str; 7] = ["anonymous", "b", "c", "d", "e", "f", "top"];
const TOP: usize = ROLES.len() - 1;

/// Resource, action, and whether it belongs to somebody.
pub(crate) const PERMISSIONS: [(&str, &str, bool); 3] =
    [("orders", "read", true), ("orders", "write", true), ("docs", "read", false)];

/// The two parts of a scope.
pub(crate) const PARTS: [&str; 2] = ["own", "others"];

/// The networks, and which of [`ADDRESSES`] are in each.
pub(crate) const NETWORKS: [(&str, &str, &[usize]); 3] = [
    ("wide", "\"10.0.0.0/8\"", &[1, 2, 4]),
    ("half", "\"10.0.0.0/9\", \"2001:db8::/32\"", &[1, 3, 4]),
    ("empty", "", &[]),
];

/// Where callers may be; the first is not known.
pub(crate) const ADDRESSES: [Option<&str>; 6] = [
    None,
    Some("10.1.1.1"),
    Some("10.200.1.1"),
    Some("2001:db8::1"),
    Some("::ffff:10.1.1.1"),
    Some("192.0.2.1"),
];

/// How old a second factor may be where a role wants one, in seconds.
pub(crate) const MFA_SECS: u64 = 300;

/// How old second factors are.
pub(crate) const AGES: [Option<u64>; 4] = [None, Some(0), Some(MFA_SECS), Some(MFA_SECS + 1)];

/// The model, as `model.conf` says it.
pub(crate) const MODEL: &str = include_str!("../../../../policies/model.conf");

/// What a role asks of its holder.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    /// The number of a network.
    pub(crate) network: Option<usize>,
    /// Whether a second factor is wanted.
    pub(crate) mfa: bool,
}

/// A rule by numbers; `scope` is own, others or any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RawRule {
    /// The role.
    pub(crate) role: usize,
    /// The permission.
    pub(crate) permission: usize,
    /// The scope's word.
    pub(crate) scope: &'static str,
    /// The effect's word.
    pub(crate) effect: &'static str,
}

/// A random policy.
#[derive(Debug)]
pub(crate) struct World {
    /// Senior and junior.
    pub(crate) links: BTreeSet<(usize, usize)>,
    /// The rules.
    pub(crate) rules: BTreeSet<RawRule>,
    /// By role.
    pub(crate) conditions: [Condition; ROLES.len()],
}

/// Somebody asks.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// The roles they hold.
    pub(crate) held: BTreeSet<usize>,
    /// The number of their address.
    pub(crate) address: usize,
    /// The number of their second factor's age.
    pub(crate) age: usize,
}

impl World {
    /// A policy with up to 16 rules.
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut links: BTreeSet<_> = (0..TOP).map(|junior| (TOP, junior)).collect();
        for _ in 0..random.below(9) {
            let senior = 1 + random.below(TOP - 1);
            links.insert((senior, random.below(senior)));
        }
        let rules = (0..1 + random.below(16)).map(|_| Self::random_rule(random)).collect();
        let conditions = ROLES.map(|role| Condition {
            network: random.of_these([None, None, None, Some(0), Some(1), Some(2)]),
            // Whoever shows no token shows no second factor.
            mfa: random.below(4) == 0 && role != ROLES[0],
        });
        Self { links, rules, conditions }
    }

    fn random_rule(random: &mut Random) -> RawRule {
        let permission = random.below(PERMISSIONS.len());
        let scope = match PERMISSIONS[permission] {
            (_, _, true) => random.of_these(["own", "others", "any"]),
            (_, _, false) => "any",
        };
        let effect = random.of_these(["allow", "allow", "allow", "deny"]);
        RawRule { role: random.below(ROLES.len()), permission, scope, effect }
    }

    /// The policy as its files, loaded and proven.
    pub(crate) fn load(&self) -> Result<Bundle, String> {
        let texts = [MODEL.to_owned(), self.roles(), self.rules(), self.routes()];
        let files = RUNTIME_FILES.map(str::to_owned).into_iter().zip(texts.map(String::into_bytes));
        Bundle::load(&BundleFiles::new(files.collect())).map_err(|found| format!("{found:?}"))
    }

    /// What its files say, the model aside.
    pub(crate) fn text(&self) -> String {
        [self.roles(), self.rules(), self.routes()].join("\n")
    }

    fn roles(&self) -> String {
        let links = self.links.iter();
        links
            .map(|(senior, junior)| format!("g, {}, {}\n", ROLES[*senior], ROLES[*junior]))
            .collect()
    }

    fn rules(&self) -> String {
        let rule = |rule: &RawRule| {
            let (resource, action, _) = PERMISSIONS[rule.permission];
            format!(
                "p, {}, {resource}, {action}, {}, {}\n",
                ROLES[rule.role], rule.scope, rule.effect
            )
        };
        self.rules.iter().map(rule).collect()
    }

    fn routes(&self) -> String {
        let mut text = "[resources]\ndocs = { actions = [\"read\"] }\n\
            orders = { owned = true, actions = [\"read\", \"write\"] }\n[networks]\n"
            .to_owned();
        for (name, ranges, _) in NETWORKS {
            text += &format!("{name} = [{ranges}]\n");
        }
        text.push_str("[roles]\n");
        for (role, Condition { network, mfa }) in ROLES.iter().zip(self.conditions) {
            let network = network.map(|network| format!("network = \"{}\"", NETWORKS[network].0));
            let mfa = mfa.then(|| format!("mfa = \"{MFA_SECS}s\""));
            let terms: Vec<_> = network.into_iter().chain(mfa).collect();
            text += &format!("{role} = {{ {} }}\n", terms.join(", "));
        }
        text.push_str("[routes]\n");
        text
    }
}

impl Asker {
    /// Somebody with none to four roles.
    pub(crate) fn random(random: &mut Random) -> Self {
        let held = (0..random.below(5)).map(|_| random.below(ROLES.len())).collect();
        Self { held, address: random.below(ADDRESSES.len()), age: random.below(AGES.len()) }
    }

    /// What the bundle is told of them.
    pub(crate) fn circumstances(&self) -> Circumstances {
        let from = ADDRESSES[self.address].and_then(|address| address.parse().ok());
        Circumstances { from, mfa_age_secs: AGES[self.age] }
    }
}
