//! What was written differently: the rows, links and declarations that only one bundle has.

use std::collections::{BTreeMap, BTreeSet};

use crate::activation::Condition;
use crate::bundle::Bundle;
use crate::derivation::row;
use crate::diff::{Edit, Sign};
use crate::files::{POLICY_FILE, ROLES_FILE, ROUTES_FILE};
use crate::measure::Age;
use crate::network::Network;
use crate::roles::Link;
use crate::route::Route;
use crate::rules::Rule;

use super::ranges::difference;
use super::sides::Sides;

/// One change of the files, old and new; one of the two is there at least.
#[derive(Debug)]
pub(super) struct Change<'b> {
    pub(super) what: What<'b>,
    pub(super) edit: Edit,
}

/// What changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum What<'b> {
    Rule {
        old: Option<&'b Rule>,
        new: Option<&'b Rule>,
    },
    Link {
        old: Option<&'b Link>,
        new: Option<&'b Link>,
    },
    /// The condition of the role with this shared number.
    Condition {
        role: usize,
    },
    Network {
        name: &'b str,
    },
    Route {
        old: Option<&'b Route>,
        new: Option<&'b Route>,
    },
}

/// Every change that can change an outcome: by kind, then by place.
pub(super) fn all<'b>(sides: &Sides<'b>) -> Vec<Change<'b>> {
    let mut changes = rules(sides);
    changes.extend(links(sides));
    changes.extend(conditions(sides));
    changes.extend(networks(sides));
    changes.extend(routes(sides));
    changes
}

fn sign<T>(old: Option<T>, new: Option<T>) -> Sign {
    match (old, new) {
        (None, _) => Sign::Added,
        (_, None) => Sign::Removed,
        (Some(_), Some(_)) => Sign::Changed,
    }
}

/// The fields of a rule, by name.
fn rule_words<'b>(bundle: &'b Bundle, rule: &Rule) -> [&'b str; 4] {
    let permission = bundle.permission_name(rule.permission);
    let role = bundle.role_name(rule.role);
    [role, permission, rule.scope.as_str(), rule.effect.as_str()]
}

/// Rules that only one side has; one of the same role and permission on the other is its partner,
/// first of all where it has the same effect.
fn rules<'b>(sides: &Sides<'b>) -> Vec<Change<'b>> {
    let keyed = |bundle: &'b Bundle| {
        let rules = bundle.rules().iter();
        rules.map(|rule| (rule_words(bundle, rule), rule)).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (keyed(sides.old.bundle), keyed(sides.new.bundle));
    let mut gone: BTreeMap<[&str; 2], Vec<([&str; 4], &Rule)>> = BTreeMap::new();
    for (words, rule) in old.iter().filter(|(words, _)| !new.contains_key(*words)) {
        let [role, permission, ..] = *words;
        gone.entry([role, permission]).or_default().push((*words, rule));
    }
    let mut added: Vec<_> = new.iter().filter(|(words, _)| !old.contains_key(*words)).collect();
    added.sort_by_key(|(_, rule)| rule.line);
    let mut changes = Vec::new();
    for (words, rule) in added {
        let [role, permission, _, effect] = *words;
        let partners = gone.entry([role, permission]).or_default();
        let alike = partners.iter().position(|([.., other], _)| *other == effect);
        let partner = alike.or((!partners.is_empty()).then_some(0)).map(|at| partners.remove(at));
        let mut text = row(sides.new.bundle, rule);
        if let Some(([.., scope, effect], old)) = partner {
            text.push_str(&format!("  (was: {scope}, {effect}, line {})", old.line));
        }
        changes.push(rule_change(partner.map(|(_, old)| old), Some(rule), &text));
    }
    let mut left: Vec<&Rule> = gone.into_values().flatten().map(|(_, rule)| rule).collect();
    left.sort_by_key(|rule| rule.line);
    let removed = left.into_iter();
    changes.extend(removed.map(|old| rule_change(Some(old), None, &row(sides.old.bundle, old))));
    changes
}

fn rule_change<'b>(old: Option<&'b Rule>, new: Option<&'b Rule>, text: &str) -> Change<'b> {
    let line = new.or(old).map_or(0, |rule| rule.line);
    let edit = Edit::new(sign(old, new), POLICY_FILE, line, text);
    Change { what: What::Rule { old, new }, edit }
}

fn links<'b>(sides: &Sides<'b>) -> Vec<Change<'b>> {
    let words = |bundle: &'b Bundle, link: &Link| {
        [bundle.role_name(link.senior), bundle.role_name(link.junior)]
    };
    let keyed = |bundle: &'b Bundle| {
        let links = bundle.links().iter();
        links.map(|link| (words(bundle, link), link)).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (keyed(sides.old.bundle), keyed(sides.new.bundle));
    let change = |words: &[&str; 2], old: Option<&'b Link>, new: Option<&'b Link>| {
        let [senior, junior] = words;
        let line = new.or(old).map_or(0, |link| link.line);
        let text = format!("g, {senior}, {junior}");
        let edit = Edit::new(sign(old, new), ROLES_FILE, line, &text);
        Change { what: What::Link { old, new }, edit }
    };
    let added = new.iter().filter(|(words, _)| !old.contains_key(*words));
    let gone = old.iter().filter(|(words, _)| !new.contains_key(*words));
    let added = added.map(|(words, link)| change(words, None, Some(link)));
    added.chain(gone.map(|(words, link)| change(words, Some(link), None))).collect()
}

/// A condition in words: `network = "admins", mfa = "12h"`; empty where there is none.
fn condition_text(bundle: &Bundle, condition: Condition) -> String {
    let network = condition.network.and_then(|network| bundle.networks().get(network));
    let network = network.map(|network| format!("network = \"{}\"", network.name));
    let mfa = condition.mfa_secs.map(|secs| format!("mfa = \"{}\"", Age::from(secs)));
    network.into_iter().chain(mfa).collect::<Vec<_>>().join(", ")
}

fn conditions<'b>(sides: &Sides<'b>) -> Vec<Change<'b>> {
    let of = |bundle: &'b Bundle, name: &str| {
        let condition = bundle.role(name).map(|role| bundle.condition(role)).unwrap_or_default();
        (condition_text(bundle, condition), condition.line)
    };
    let names = [sides.new.bundle, sides.old.bundle].into_iter();
    let names = names.flat_map(|bundle| bundle.roles().map(|role| bundle.role_name(role)));
    let roles: BTreeSet<usize> = names.filter_map(|name| sides.role(name)).collect();
    let mut changes = Vec::new();
    for role in roles {
        let name = sides.role_name(role);
        let ((old, old_line), (new, new_line)) =
            (of(sides.old.bundle, name), of(sides.new.bundle, name));
        let written = |text: &String| (!text.is_empty()).then_some(());
        if old != new {
            let sign = sign(written(&old), written(&new));
            let text = match sign {
                Sign::Added => format!("[roles] {name}: {new}"),
                Sign::Removed => format!("[roles] {name}: {old}"),
                Sign::Changed => format!("[roles] {name}: {old} -> {new}"),
            };
            let line = if sign == Sign::Removed { old_line } else { new_line };
            let edit = Edit::new(sign, ROUTES_FILE, line, &text);
            changes.push(Change { what: What::Condition { role }, edit });
        }
    }
    changes
}

fn networks<'b>(sides: &Sides<'b>) -> Vec<Change<'b>> {
    let keyed = |bundle: &'b Bundle| {
        let networks = bundle.networks().iter();
        networks.map(|network| (network.name.as_str(), network)).collect::<BTreeMap<_, _>>()
    };
    let (old, new) = (keyed(sides.old.bundle), keyed(sides.new.bundle));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    let changes = names.into_iter().filter_map(|name| {
        let (old, new) = (old.get(name).copied(), new.get(name).copied());
        let ranges = |network: Option<&'b Network>| network.map_or(&[][..], |found| &found.ranges);
        let (gained, lost) = difference(ranges(old), ranges(new));
        if old.is_some() == new.is_some() && gained.is_empty() && lost.is_empty() {
            return None;
        }
        let mut parts = Vec::new();
        if !gained.is_empty() {
            parts.push(format!("gains {}", gained.join(", ")));
        }
        if !lost.is_empty() {
            parts.push(format!("loses {}", lost.join(", ")));
        }
        let parts = if parts.is_empty() { "holds nobody".to_owned() } else { parts.join("; ") };
        let line = new.or(old).map_or(0, |network| network.line);
        let text = format!("[networks] {name}: {parts}");
        let edit = Edit::new(sign(old, new), ROUTES_FILE, line, &text);
        Some(Change { what: What::Network { name }, edit })
    });
    changes.collect()
}

/// What of a route decides who gets what, each with its key; nothing for what is not written.
fn route_keys(bundle: &Bundle, route: &Route) -> [(&'static str, String); 5] {
    let network = route.network.and_then(|network| bundle.networks().get(network));
    let network = network.map_or_else(|| "none".to_owned(), |network| network.name.clone());
    let mfa = route.mfa_secs.map_or_else(|| "none".to_owned(), |secs| Age::from(secs).to_string());
    [
        ("match", format!("{} {}", route.method, route.pattern)),
        ("needs", bundle.permission_name(route.needs).to_owned()),
        ("auth", route.auth.as_str().to_owned()),
        ("network", network),
        ("mfa", mfa),
    ]
}

fn routes<'b>(sides: &Sides<'b>) -> Vec<Change<'b>> {
    let mut changes = Vec::new();
    for new in sides.new.bundle.routes().iter() {
        let words = route_keys(sides.new.bundle, new);
        let old = sides.old.bundle.routes().by_id(new.id.as_str());
        let text = match old.map(|old| route_keys(sides.old.bundle, old)) {
            None => route_text(&words),
            Some(before) if before == words => continue,
            Some(before) => {
                let both = before.iter().zip(&words).filter(|(old, new)| old != new);
                let both = both.map(|((key, old), (_, new))| format!("{key} {old} -> {new}"));
                both.collect::<Vec<_>>().join(", ")
            }
        };
        changes.push(route_change(old, Some(new), &text));
    }
    for old in sides.old.bundle.routes().iter() {
        if sides.new.bundle.routes().by_id(old.id.as_str()).is_none() {
            let text = route_text(&route_keys(sides.old.bundle, old));
            changes.push(route_change(Some(old), None, &text));
        }
    }
    changes
}

fn route_text(keys: &[(&str, String); 5]) -> String {
    let written = keys.iter().filter(|(key, value)| *key == "auth" || value != "none");
    let words = written.map(|(key, value)| match *key {
        "match" => value.clone(),
        key => format!("{key} {value}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn route_change<'b>(old: Option<&'b Route>, new: Option<&'b Route>, text: &str) -> Change<'b> {
    let found = new.or(old);
    let line = found.map_or(0, |route| route.line);
    let text = format!("[routes] {}: {text}", found.map_or("", |route| route.id.as_str()));
    let edit = Edit::new(sign(old, new), ROUTES_FILE, line, &text);
    Change { what: What::Route { old, new }, edit }
}
