//! Which changes a changed outcome is charged to.
//!
//! A *world* is the new bundle with some changes taken back. The same outcome is asked of worlds:
//! a change that alone brings the old outcome back is to blame; where none does, the fewest that
//! bring it back together are.

use std::collections::{BTreeMap, BTreeSet};

use super::edits::{Change, What};
use super::requests::{matches, segments};
use super::sides::{Access, Cell, Roles, Side, Sides, numbers, only};
use crate::activation::{Circumstances, Condition};
use crate::names::RouteId;
use crate::pattern::{Method, MethodRule};
use crate::route::{Auth, Route};
use crate::route_table::is_more_specific;
use crate::rules::Rule;

/// Who asks, by shared numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    /// Somebody without a token.
    Visitor,
    /// Somebody with a token and these roles.
    Holding(Roles),
}

/// One question: a request, who asks, and from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'q> {
    pub(super) method: &'q str,
    pub(super) path: &'q Owners<'q>,
    pub(super) who: Who,
    pub(super) at: Circumstances,
}

/// What can answer a path: found once, asked often.
#[derive(Debug)]
pub(super) struct Owners<'b> {
    text: String,
    /// Routes that both bundles have.
    kept: Vec<&'b Route>,
    /// Changed routes, by their changes.
    changed: Vec<usize>,
    /// What these routes need, before and after.
    needs: BTreeSet<&'b str>,
}

/// Everything written in either bundle, sorted by what it takes part in.
#[derive(Debug)]
pub(super) struct Written<'b> {
    sides: &'b Sides<'b>,
    changes: &'b [Change<'b>],
    /// Rules that both bundles have, by permission.
    kept_rules: BTreeMap<&'b str, Vec<&'b Rule>>,
    /// Changed rules, by permission.
    changed_rules: BTreeMap<&'b str, Vec<usize>>,
    /// Links that both bundles have: senior and junior.
    kept_links: Vec<(Roles, Roles)>,
    /// Links of either bundle.
    all_links: Vec<(Roles, Roles)>,
    changed_links: Vec<(usize, (Roles, Roles))>,
    condition_changes: BTreeMap<usize, usize>,
    network_changes: BTreeMap<&'b str, usize>,
    changed_routes: Vec<usize>,
    kept_routes: Vec<&'b Route>,
}

/// What is taken back.
type Back = BTreeSet<usize>;

impl<'b> Written<'b> {
    pub(super) fn new(sides: &'b Sides<'b>, changes: &'b [Change<'b>]) -> Self {
        let mut written = Self {
            sides,
            changes,
            kept_rules: BTreeMap::new(),
            changed_rules: BTreeMap::new(),
            kept_links: Vec::new(),
            all_links: Vec::new(),
            changed_links: Vec::new(),
            condition_changes: BTreeMap::new(),
            network_changes: BTreeMap::new(),
            changed_routes: Vec::new(),
            kept_routes: Vec::new(),
        };
        let mut changed = Changed::default();
        for (number, change) in changes.iter().enumerate() {
            written.sort_in(number, &change.what, &mut changed);
        }
        written.keep(&changed);
        written
    }

    fn sort_in(&mut self, number: usize, what: &What<'b>, changed: &mut Changed) {
        match what {
            What::Rule { old, new } => {
                changed.rules.extend(new.map(|rule| rule.line));
                let old = old.map(|rule| self.sides.old.bundle.permission_name(rule.permission));
                let new = new.map(|rule| self.sides.new.bundle.permission_name(rule.permission));
                if let Some(permission) = new.or(old) {
                    self.changed_rules.entry(permission).or_default().push(number);
                }
            }
            What::Link { old, new } => {
                changed.links.extend(new.map(|link| link.line));
                let old = old.map(|link| (&self.sides.old, link));
                let found = new.map(|link| (&self.sides.new, link)).or(old);
                let ends = found.map(|(side, link)| {
                    (only(side.shared(link.senior)), only(side.shared(link.junior)))
                });
                self.changed_links.extend(ends.map(|ends| (number, ends)));
                self.all_links.extend(ends);
            }
            What::Condition { role } => _ = self.condition_changes.insert(*role, number),
            What::Network { name } => _ = self.network_changes.insert(name, number),
            What::Route { new, .. } => {
                changed.routes.extend(new.map(|route| route.index));
                self.changed_routes.push(number);
            }
        }
    }

    /// Sorts in what both bundles have.
    fn keep(&mut self, changed: &Changed) {
        let new = &self.sides.new;
        for rule in new.bundle.rules().iter().filter(|rule| !changed.rules.contains(&rule.line)) {
            let permission = new.bundle.permission_name(rule.permission);
            self.kept_rules.entry(permission).or_default().push(rule);
        }
        let links = new.bundle.links().iter().filter(|link| !changed.links.contains(&link.line));
        let ends = |link: &crate::roles::Link| {
            (only(new.shared(link.senior)), only(new.shared(link.junior)))
        };
        self.kept_links = links.map(ends).collect();
        self.all_links.extend(&self.kept_links);
        let routes = new.bundle.routes().iter();
        self.kept_routes = routes.filter(|route| !changed.routes.contains(&route.index)).collect();
    }

    /// The changed routes that match a path, before or after.
    pub(super) fn touching(&self, path: &str) -> BTreeSet<usize> {
        let parts = segments(path);
        let touches = |number: &&usize| match self.changes.get(**number).map(|c| c.what) {
            Some(What::Route { old, new }) => {
                old.into_iter().chain(new).any(|route| matches(&route.pattern, &parts))
            }
            _ => false,
        };
        self.changed_routes.iter().filter(touches).copied().collect()
    }

    /// What can answer a path.
    pub(super) fn owners(&self, path: &str) -> Owners<'b> {
        let parts = segments(path);
        let sides = [&self.sides.old, &self.sides.new].into_iter();
        let needs = sides.flat_map(|side| {
            let routes = side.bundle.routes().iter();
            let routes = routes.filter(|route| matches(&route.pattern, &parts));
            routes.map(|route| side.bundle.permission_name(route.needs))
        });
        let kept = self.kept_routes.iter().filter(|route| matches(&route.pattern, &parts));
        Owners {
            text: path.to_owned(),
            needs: needs.collect(),
            kept: kept.copied().collect(),
            changed: self.touching(path).into_iter().collect(),
        }
    }

    /// The changes to blame for an outcome that was `before`.
    pub(super) fn blame(&self, question: &Question<'_>, before: Access) -> Vec<usize> {
        let suspects = self.suspects(question);
        let restores = |back: &Back| self.outcome(back, question) == before;
        let alone: Vec<usize> =
            suspects.iter().copied().filter(|one| restores(&Back::from([*one]))).collect();
        if !alone.is_empty() {
            return alone;
        }
        let mut back = suspects.clone();
        for one in suspects {
            back.remove(&one);
            if !restores(&back) {
                back.insert(one);
            }
        }
        back.into_iter().collect()
    }

    /// Every change that can take part in the answer.
    fn suspects(&self, question: &Question<'_>) -> Back {
        let mut suspects: Back = question.path.changed.iter().copied().collect();
        let mut roles = only(self.sides.anonymous);
        if let Who::Holding(held) = question.who {
            roles |= held;
        }
        suspects.extend(numbers(roles).filter_map(|role| self.condition_changes.get(&role)));
        suspects.extend(self.network_changes.values());
        let reach = reach(roles, &self.all_links);
        let within = |(senior, _): (Roles, Roles)| senior & reach != 0;
        let links = self.changed_links.iter().filter(|(_, ends)| within(*ends));
        suspects.extend(links.map(|(number, _)| *number));
        let needs = question.path.needs.iter();
        let rules = needs.filter_map(|name| self.changed_rules.get(name)).flatten();
        suspects.extend(rules.copied().filter(|number| self.is_about(*number, reach)));
        suspects
    }

    /// Whether a changed rule speaks of one of these roles.
    fn is_about(&self, number: usize, roles: Roles) -> bool {
        match self.changes.get(number).map(|change| change.what) {
            Some(What::Rule { old, new }) => {
                let old = old.map(|rule| self.sides.old.shared(rule.role));
                let new = new.map(|rule| self.sides.new.shared(rule.role));
                old.into_iter().chain(new).any(|role| only(role) & roles != 0)
            }
            _ => false,
        }
    }

    /// What the question is answered while some changes are taken back.
    pub(super) fn outcome(&self, back: &Back, question: &Question<'_>) -> Access {
        let Some((side, route)) = self.route(back, question) else { return Access::default() };
        let network = route.network.and_then(|network| side.bundle.networks().get(network));
        let network = network.map(|network| network.name.as_str());
        if !self.meets(back, network, route.mfa_secs.map(u32::from), &question.at) {
            return Access::default();
        }
        let anonymous = only(self.sides.anonymous);
        let held = match (route.auth, question.who) {
            (Auth::None | Auth::Signature, _) | (Auth::Optional, Who::Visitor) => anonymous,
            (Auth::Required, Who::Visitor) => return Access::default(),
            (Auth::Optional | Auth::Required, Who::Holding(held)) => held,
        };
        let active = numbers(held).filter(|role| self.is_active(back, *role, &question.at));
        let active = active.fold(0, |all, role| all | only(role));
        self.granted(back, active, side.bundle.permission_name(route.needs))
    }

    fn version<T>(&self, back: &Back, number: usize, old: T, new: T) -> T {
        if back.contains(&number) { old } else { new }
    }

    /// The route that answers, and the side that its names are of.
    fn route<'q>(
        &'q self,
        back: &Back,
        question: &Question<'q>,
    ) -> Option<(&'q Side<'b>, &'q Route)> {
        let changed = question.path.changed.iter().filter_map(|number| {
            match self.changes.get(*number).map(|change| change.what) {
                Some(What::Route { old, new }) => self.version(
                    back,
                    *number,
                    old.map(|route| (&self.sides.old, route)),
                    new.map(|route| (&self.sides.new, route)),
                ),
                _ => None,
            }
        });
        // A changed route may match only before or only after.
        let parts = segments(&question.path.text);
        let changed = changed.filter(|(_, route)| matches(&route.pattern, &parts));
        let kept = question.path.kept.iter().map(|route| (&self.sides.new, *route));
        let mut owners: Vec<(&Side<'_>, &Route)> = Vec::new();
        for found in kept.chain(changed) {
            match owners.first() {
                Some((_, best)) if is_more_specific(&best.pattern, &found.1.pattern) => {}
                Some((_, best)) if is_more_specific(&found.1.pattern, &best.pattern) => {
                    owners = vec![found];
                }
                _ => owners.push(found),
            }
        }
        let asked = Method::of_request(question.method);
        owners.into_iter().find(|(_, route)| match route.method {
            MethodRule::Any => true,
            MethodRule::Only(own) => asked == Some(own),
        })
    }

    fn is_active(&self, back: &Back, role: usize, at: &Circumstances) -> bool {
        let is_old = self.condition_changes.get(&role).is_some_and(|number| back.contains(number));
        let side = if is_old { &self.sides.old } else { &self.sides.new };
        let found = side.bundle.role(self.sides.role_name(role));
        let condition: Condition = found.map(|r| side.bundle.condition(r)).unwrap_or_default();
        let network = condition.network.and_then(|network| side.bundle.networks().get(network));
        let network = network.map(|network| network.name.as_str());
        self.meets(back, network, condition.mfa_secs.map(u32::from), at)
    }

    fn meets(
        &self,
        back: &Back,
        network: Option<&str>,
        mfa_secs: Option<u32>,
        at: &Circumstances,
    ) -> bool {
        let inside = network.is_none_or(|name| {
            let number = self.network_changes.get(name);
            let is_old = number.is_some_and(|number| back.contains(number));
            let side = if is_old { &self.sides.old } else { &self.sides.new };
            let networks = side.bundle.networks();
            networks.find(name).is_some_and(|network| networks.holds(network, at.from))
        });
        let fresh = |max: u32| at.mfa_age_secs.is_some_and(|age| age <= u64::from(max));
        inside && mfa_secs.is_none_or(fresh)
    }

    fn granted(&self, back: &Back, active: Roles, permission: &str) -> Access {
        let changed = self.changed_links.iter().filter(|(number, _)| {
            let what = self.changes.get(*number).map(|change| change.what);
            matches!(what, Some(What::Link { old, new })
                if self.version(back, *number, old, new).is_some())
        });
        let changed = changed.map(|(_, ends)| *ends);
        let links: Vec<_> = self.kept_links.iter().copied().chain(changed).collect();
        let reach = reach(active, &links);
        let kept = self.kept_rules.get(permission).into_iter().flatten();
        let kept = kept.map(|rule| (&self.sides.new, *rule));
        let changed = self.changed_rules.get(permission).into_iter().flatten();
        let changed = changed.filter_map(|number| self.rule(back, *number));
        let mut cell = Cell::default();
        for (side, rule) in kept.chain(changed) {
            cell.add(only(side.shared(rule.role)) & reach, rule.scope, rule.effect);
        }
        cell.of_all(reach)
    }

    /// A changed rule as it is written, and the side that its names are of.
    fn rule(&self, back: &Back, number: usize) -> Option<(&'b Side<'b>, &'b Rule)> {
        match self.changes.get(number).map(|change| change.what) {
            Some(What::Rule { old, new }) => self.version(
                back,
                number,
                old.map(|rule| (&self.sides.old, rule)),
                new.map(|rule| (&self.sides.new, rule)),
            ),
            _ => None,
        }
    }
}

/// The lines of the new files that changed.
#[derive(Debug, Default)]
struct Changed {
    rules: BTreeSet<u32>,
    links: BTreeSet<u32>,
    routes: BTreeSet<RouteId>,
}

/// Roles and everything they inherit.
fn reach(roles: Roles, links: &[(Roles, Roles)]) -> Roles {
    let mut reach = roles;
    // INVARIANT: every round but the last grows the set, and it is bounded, so this ends.
    loop {
        let below = links.iter().filter(|(senior, _)| senior & reach != 0);
        let grown = below.fold(reach, |all, (_, junior)| all | junior);
        if grown == reach {
            return reach;
        }
        reach = grown;
    }
}
