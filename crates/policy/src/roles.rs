//! The roles of a bundle and who inherits from whom (`roles.csv`).

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Code, Findings, Place};
use crate::names::{RoleId, expect_name};
use crate::role_set::{ROLES_MAX, RoleSet};
use crate::rows::{Field, Row, Shape};
use crate::source::Source;

/// The role of callers without a token.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// The most roles in one chain of inheritance. Casbin stops looking further down, silently.
pub(crate) const CHAIN_ROLES_MAX: usize = 10;

const SHAPE: Shape<2> = Shape { row_type: "g", fields: ["senior", "junior"], mark: None };

/// A row of `roles.csv`: the senior can do whatever the junior can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Link {
    /// Who inherits.
    pub senior: RoleId,
    /// From whom.
    pub junior: RoleId,
    /// The line of `roles.csv`.
    pub line: u32,
}

/// The roles of a bundle, juniors before seniors.
#[derive(Debug)]
pub(crate) struct Roles {
    names: Vec<String>,
    /// Names with their ids, by name.
    by_name: BTreeMap<String, RoleId>,
    /// Of each role: itself and everything it inherits.
    reach: Vec<RoleSet>,
    /// The written links.
    links: Vec<Link>,
    anonymous: RoleId,
}

impl Roles {
    /// Reads `roles.csv`. `declared` are the roles named in `routes.toml`, with their places.
    pub(crate) fn read(
        source: &Source<'_>,
        declared: &[(String, Place<'_>)],
        findings: &mut Findings,
    ) -> Option<Self> {
        let before = findings.count();
        let mut draft = Draft::default();
        for Row { at, fields: [senior, junior], .. } in SHAPE.read(source, findings) {
            draft.link(at, senior, junior, findings);
        }
        for (name, at) in declared {
            draft.role(name, *at, findings);
        }
        if !draft.by_name.contains_key(ANONYMOUS) {
            findings.add(
                Code::NoAnonymous,
                Place::start_of(source.file()),
                format!(
                    "there is no role `{ANONYMOUS}`, so nobody decides for callers without a token"
                ),
                format!("add a row such as `g, customer, {ANONYMOUS}`"),
            );
        }
        let reach = draft.reach();
        if draft.note_cycles(&reach, findings) {
            return None;
        }
        let heights = draft.heights(&reach, findings);
        (findings.count() == before).then(|| draft.finish(&reach, &heights)).flatten()
    }

    /// The number of roles.
    pub(crate) fn count(&self) -> usize {
        self.names.len()
    }

    /// Every role, juniors first.
    pub(crate) fn ids(&self) -> impl Iterator<Item = RoleId> + use<> {
        (0..self.names.len()).filter_map(role_id)
    }

    /// A role by its name.
    pub(crate) fn find(&self, name: &str) -> Option<RoleId> {
        self.by_name.get(name).copied()
    }

    /// The name of a role of this bundle; empty for one of another.
    pub(crate) fn name(&self, role: RoleId) -> &str {
        self.names.get(role.index()).map_or("", String::as_str)
    }

    /// Every name, by the alphabet.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// A role and everything it inherits.
    pub(crate) fn reach(&self, role: RoleId) -> RoleSet {
        self.reach.get(role.index()).copied().unwrap_or_default()
    }

    /// The written links.
    pub(crate) fn links(&self) -> &[Link] {
        &self.links
    }

    /// The role of callers without a token.
    pub(crate) fn anonymous(&self) -> RoleId {
        self.anonymous
    }
}

/// Roles while they are read, numbered in the order of their first mention.
#[derive(Debug, Default)]
struct Draft<'a> {
    names: Vec<String>,
    by_name: BTreeMap<String, RoleId>,
    /// Senior and junior, with the row that says so.
    links: BTreeMap<(RoleId, RoleId), Place<'a>>,
}

impl<'a> Draft<'a> {
    fn link(
        &mut self,
        at: Place<'a>,
        senior: Field<'a>,
        junior: Field<'a>,
        findings: &mut Findings,
    ) {
        let senior = self.role(senior.text, senior.at, findings);
        let junior = self.role(junior.text, junior.at, findings);
        let (Some(senior), Some(junior)) = (senior, junior) else { return };
        if let Some(first) = self.links.get(&(senior, junior)) {
            let message = format!("the row repeats line {}", first.line);
            findings.add(Code::Duplicate, at, message, "remove one of the two");
            return;
        }
        self.links.insert((senior, junior), at);
    }

    fn role(&mut self, name: &str, at: Place<'_>, findings: &mut Findings) -> Option<RoleId> {
        if let Some(role) = self.by_name.get(name) {
            return Some(*role);
        }
        if !expect_name("role", name, at, findings) {
            return None;
        }
        let Some(role) = role_id(self.names.len()) else {
            let message = format!("`{name}` is one role too many");
            findings.add(Code::TooMany, at, message, format!("a bundle holds {ROLES_MAX} roles"));
            return None;
        };
        self.names.push(name.to_owned());
        self.by_name.insert(name.to_owned(), role);
        Some(role)
    }

    /// Of each role: itself and everything below it.
    fn reach(&self) -> Vec<RoleSet> {
        let mut reach: Vec<RoleSet> =
            (0..self.names.len()).filter_map(role_id).map(RoleSet::of).collect();
        // INVARIANT: every round but the last grows a set, and sets are bounded, so this ends.
        loop {
            let mut grew = false;
            for (senior, junior) in self.links.keys() {
                let below = at(&reach, *junior);
                if let Some(set) = reach.get_mut(senior.index()) {
                    let grown = set.union(below);
                    grew |= grown != *set;
                    *set = grown;
                }
            }
            if !grew {
                return reach;
            }
        }
    }

    /// Notes every circle once, at its first row. Says whether there is any.
    fn note_cycles(&self, reach: &[RoleSet], findings: &mut Findings) -> bool {
        let mut seen = BTreeSet::new();
        let mut links: Vec<_> = self.links.iter().collect();
        links.sort_by_key(|(_, place)| place.line);
        for ((senior, junior), place) in links {
            let below = at(reach, *junior);
            // Roles of one circle reach the same roles, and no other role reaches just these.
            if below.contains(*senior) && seen.insert(below) {
                let (senior, junior) = (self.name(*senior), self.name(*junior));
                let message =
                    format!("`{senior}` inherits from `{junior}`, and so in a circle from itself");
                findings.add(Code::Cycle, *place, message, "remove a row of the circle");
            }
        }
        !seen.is_empty()
    }

    /// The number of roles in the longest chain down from each role, itself included.
    /// Asked only where there is no circle.
    fn heights(&self, reach: &[RoleSet], findings: &mut Findings) -> Vec<usize> {
        let mut heights = vec![1_usize; self.names.len()];
        let mut links: Vec<_> = self.links.iter().collect();
        // INVARIANT: a senior reaches more roles than its junior, so juniors are settled first.
        links.sort_by_key(|((senior, _), place)| (at(reach, *senior).count(), place.line));
        for ((senior, junior), place) in links {
            let wanted = heights.get(junior.index()).map_or(1, |height| height + 1);
            let Some(height) = heights.get_mut(senior.index()) else { continue };
            if wanted == CHAIN_ROLES_MAX + 1 && *height < wanted {
                let message = format!(
                    "`{}` stands on a chain of more than {CHAIN_ROLES_MAX} roles",
                    self.name(*senior)
                );
                findings.add(
                    Code::TooDeep,
                    *place,
                    message,
                    "let it inherit from a role further down",
                );
            }
            *height = wanted.max(*height);
        }
        heights
    }

    fn name(&self, role: RoleId) -> &str {
        self.names.get(role.index()).map_or("", String::as_str)
    }

    /// Renumbers the roles by height, then by first mention.
    fn finish(&self, reach: &[RoleSet], heights: &[usize]) -> Option<Roles> {
        let mut order: Vec<RoleId> = (0..self.names.len()).filter_map(role_id).collect();
        order.sort_by_key(|role| heights.get(role.index()));
        let place = |old: RoleId| order.iter().position(|role| *role == old).and_then(role_id);
        let by_name: BTreeMap<_, _> = self
            .by_name
            .iter()
            .filter_map(|(name, old)| Some((name.clone(), place(*old)?)))
            .collect();
        Some(Roles {
            names: order.iter().map(|old| self.name(*old).to_owned()).collect(),
            anonymous: by_name.get(ANONYMOUS).copied()?,
            by_name,
            reach: order
                .iter()
                .map(|old| at(reach, *old).iter().filter_map(place).collect())
                .collect(),
            links: self
                .links
                .iter()
                .filter_map(|((senior, junior), at)| {
                    let (senior, junior) = (place(*senior)?, place(*junior)?);
                    Some(Link { senior, junior, line: at.line })
                })
                .collect(),
        })
    }
}

/// The id of the role with this number, where there can be one.
fn role_id(number: usize) -> Option<RoleId> {
    u8::try_from(number).ok().filter(|_| number < ROLES_MAX).map(RoleId)
}

fn at(reach: &[RoleSet], role: RoleId) -> RoleSet {
    reach.get(role.index()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
