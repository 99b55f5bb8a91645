//! Why a role has what it has: the ways down to the roles it inherits, and the rules found there.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use crate::bundle::Bundle;
use crate::names::{PermissionId, RoleId};
use crate::role_set::RoleSet;
use crate::roles::Link;
use crate::rules::{Effect, Rule};

/// The shortest way from one of `held` down to each role that they inherit, and to themselves; of
/// equal ones, that over earlier lines.
pub(crate) fn ways_down(bundle: &Bundle, held: RoleSet) -> BTreeMap<RoleId, Vec<Link>> {
    let mut links: Vec<Link> = bundle.links().to_vec();
    links.sort_by_key(|link| link.line);
    let mut ways: BTreeMap<RoleId, Vec<Link>> = held.iter().map(|r| (r, Vec::new())).collect();
    let mut waiting: VecDeque<(RoleId, Vec<Link>)> = ways.clone().into_iter().collect();
    while let Some((senior, way)) = waiting.pop_front() {
        for link in links.iter().filter(|link| link.senior == senior) {
            if let Entry::Vacant(unseen) = ways.entry(link.junior) {
                let way: Vec<Link> = way.iter().copied().chain([*link]).collect();
                unseen.insert(way.clone());
                waiting.push_back((link.junior, way));
            }
        }
    }
    ways
}

/// The rules of one effect that speak of a permission to these roles or to what they inherit.
pub(crate) fn rules_about(
    bundle: &Bundle,
    permission: PermissionId,
    effect: Effect,
    roles: RoleSet,
) -> impl Iterator<Item = &Rule> {
    let reach = roles.iter().fold(RoleSet::EMPTY, |all, role| all.union(bundle.reach(role)));
    bundle.rules().iter().filter(move |rule| {
        rule.permission == permission && rule.effect == effect && reach.contains(rule.role)
    })
}

/// A rule as a row of the policy file.
pub(crate) fn row(bundle: &Bundle, rule: &Rule) -> String {
    let (role, permission) = (bundle.role_name(rule.role), bundle.permission_name(rule.permission));
    let permission = permission.replacen('.', ", ", 1);
    format!("p, {role}, {permission}, {}, {}", rule.scope, rule.effect.as_str())
}
