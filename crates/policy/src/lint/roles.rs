//! Roles without effect, and conditions that seniors lack.

use std::collections::BTreeSet;

use super::addresses::Addresses;
use super::tally::{Count, Tally, parts};
use super::{in_roles, place_of_role};
use crate::activation::Condition;
use crate::bundle::Bundle;
use crate::files::ROUTES_FILE;
use crate::finding::{Code, Findings};
use crate::measure::Age;
use crate::names::{PermissionId, RoleId};
use crate::role_set::RoleSet;
use crate::roles::Link;
use crate::route::Auth;
use crate::rules::{Effect, Rule};
use crate::table::Scope;

/// Notes every role without effect, and every condition that a senior lacks.
pub(super) fn note(bundle: &Bundle, tally: &Tally<'_>, findings: &mut Findings) {
    let view = View { bundle, tally };
    for role in bundle.roles() {
        view.note_effect(role, findings);
        for kind in [Kind::Network, Kind::Mfa] {
            view.note_condition(role, kind, findings);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct View<'v> {
    bundle: &'v Bundle,
    tally: &'v Tally<'v>,
}

/// What a condition is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Network,
    Mfa,
}

impl View<'_> {
    fn note_effect(&self, role: RoleId, findings: &mut Findings) {
        // Callers without a token need not be allowed anything.
        if self.bundle.anonymous().contains(role) {
            return;
        }
        let (name, at) = (self.bundle.role_name(role), place_of_role(self.bundle, role));
        let mut cells = self.bundle.permissions().map(|id| self.tally.cell(role, id));
        if cells.all(|cell| cell == [Count::default(); 2]) {
            let message = format!("no rule is about `{name}` or a role below it");
            findings.add(Code::RoleWithoutRules, at, message, "write a rule, or remove it");
        } else if let Some(junior) = self.juniors(role).iter().find(|j| self.is_equal(role, *j)) {
            let junior = self.bundle.role_name(junior);
            let message = format!("`{name}` can do what `{junior}` can, and no more");
            findings.add(Code::EqualRole, at, message, "write a rule for it, or use one for both");
        }
    }

    fn juniors(&self, role: RoleId) -> RoleSet {
        self.bundle.reach(role).without(RoleSet::of(role))
    }

    /// Whether it makes no difference which of the two is held, alone or beside others.
    fn is_equal(&self, role: RoleId, junior: RoleId) -> bool {
        let terms = |condition: Condition| (condition.network, condition.mfa_secs);
        let asks_alike = terms(self.bundle.condition(role)) == terms(self.bundle.condition(junior));
        let same_cell = |id| {
            let cells = self.tally.cell(role, id).into_iter().zip(self.tally.cell(junior, id));
            cells.into_iter().all(|(one, other)| one.agrees(other))
        };
        asks_alike
            && !(self.bundle.anonymous().contains(junior) && self.has_use_for_token(role))
            && self.bundle.permissions().all(same_cell)
    }

    /// Whether some route wants a token and allows this role.
    fn has_use_for_token(&self, role: RoleId) -> bool {
        let mut routes = self.bundle.routes().iter().filter(|route| route.auth == Auth::Required);
        routes.any(|route| self.bundle.decide(RoleSet::of(role), route.needs).is_some())
    }

    /// Notes a role that gets, without a condition, what a role below it gets with it alone.
    fn note_condition(&self, role: RoleId, kind: Kind, findings: &mut Findings) {
        let stricter = self.juniors(role).iter().filter(|j| self.is_stricter(*j, role, kind));
        let Some(junior) = self.gained_through(role, stricter.collect()) else { return };
        let condition = self.of_role(junior);
        let wanted = self.text(condition, kind).unwrap_or_default();
        let (code, but) = match self.text(self.of_role(role), kind) {
            None => (Code::ConditionNotInherited, "without".to_owned()),
            Some(own) => (Code::WeakerCondition, format!("with `{own}` instead of")),
        };
        let (name, below) = (self.bundle.role_name(role), self.bundle.role_name(junior));
        let line = condition.line;
        let message =
            format!("`{name}` can do what `{below}` can, {but} `{wanted}` ({ROUTES_FILE}:{line})");
        let fix = format!("write `{wanted}` for `{name}` in [roles], too: it is not inherited");
        let leads =
            |link: &&Link| link.senior == role && self.bundle.reach(link.junior).contains(junior);
        let line = self.bundle.links().iter().filter(leads).map(|link| link.line).min();
        let at = line.map_or(place_of_role(self.bundle, role), in_roles);
        findings.add(code, at, message, fix);
    }

    /// The most senior of some juniors by whose rules `role` is allowed something that no rule of
    /// itself or of its other juniors allows it.
    fn gained_through(&self, role: RoleId, stricter: RoleSet) -> Option<RoleId> {
        if stricter.is_empty() {
            return None;
        }
        let freely = self.bundle.reach(role).without(stricter);
        let allows = || self.bundle.rules().iter().filter(|rule| rule.effect == Effect::Allow);
        let free: BTreeSet<(PermissionId, Scope)> = allows()
            .filter(|rule| freely.contains(rule.role))
            .flat_map(|rule| parts(rule.scope).map(|part| (rule.permission, part)))
            .collect();
        let gains = |rule: &&Rule| {
            parts(rule.scope).any(|part| {
                let granted = self.tally.at(role, rule.permission, part).granted();
                granted && !free.contains(&(rule.permission, part))
            })
        };
        let through = allows().filter(|rule| stricter.contains(rule.role)).filter(gains);
        through.map(|rule| rule.role).max()
    }

    fn of_role(&self, role: RoleId) -> Condition {
        self.bundle.condition(role)
    }

    /// Whether a junior's condition keeps out some whom its senior's does not, and nobody else.
    fn is_stricter(&self, junior: RoleId, senior: RoleId, kind: Kind) -> bool {
        let (junior, senior) = (self.of_role(junior), self.of_role(senior));
        match kind {
            Kind::Network if junior.network == senior.network => false,
            Kind::Network => {
                let addresses = |network| Addresses::of(self.bundle.networks(), network);
                let (inner, outer) = (addresses(junior.network), addresses(senior.network));
                outer.holds_all(&inner) && !inner.holds_all(&outer)
            }
            Kind::Mfa => match (junior.mfa_secs, senior.mfa_secs) {
                (Some(junior), Some(senior)) => junior < senior,
                (Some(_), None) => true,
                (None, _) => false,
            },
        }
    }

    /// A condition as it is written.
    fn text(&self, condition: Condition, kind: Kind) -> Option<String> {
        match kind {
            Kind::Network => {
                let network = self.bundle.networks().get(condition.network?)?;
                Some(format!("network = \"{}\"", network.name))
            }
            Kind::Mfa => Some(format!("mfa = \"{}\"", Age::from(condition.mfa_secs?))),
        }
    }
}
