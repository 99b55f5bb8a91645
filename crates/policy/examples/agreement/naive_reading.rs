//! The naive reading: rules and links are walked again for every question, with no table.

use std::collections::BTreeSet;

use crate::world::{AGES, Asker, MFA_SECS, NETWORKS, World};

/// The roles of `asker` that count.
pub(crate) fn active(world: &World, asker: &Asker) -> BTreeSet<usize> {
    let met = |role: &&usize| {
        let condition = world.conditions[**role];
        let inside = condition.network.is_none_or(|n| NETWORKS[n].2.contains(&asker.address));
        let fresh = AGES[asker.age].is_some_and(|age| age <= MFA_SECS);
        inside && (!condition.mfa || fresh)
    };
    asker.held.iter().filter(met).copied().collect()
}

/// Whether some of these roles is allowed this part of a permission and none is denied it.
pub(crate) fn allows(
    world: &World,
    active: &BTreeSet<usize>,
    permission: usize,
    part: &str,
) -> bool {
    let matching = world.rules.iter().filter(|rule| {
        rule.permission == permission && (rule.scope == "any" || rule.scope == part)
    });
    let effects: BTreeSet<_> = matching
        .filter(|rule| active.iter().any(|role| is_above(world, *role, rule.role)))
        .map(|rule| rule.effect)
        .collect();
    effects.contains("allow") && !effects.contains("deny")
}

fn is_above(world: &World, senior: usize, junior: usize) -> bool {
    let mut links = world.links.iter();
    senior == junior || links.any(|(from, to)| *from == senior && is_above(world, *to, junior))
}
