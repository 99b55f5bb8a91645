//! Rules without effect, and denies that reach further than meant.
//!
//! INVARIANT: whether an allow adds anything shows in the cell of its own role alone. Whatever
//! else allows or denies there does so for every senior and every set, too.

use super::tally::{Tally, parts};
use super::{in_policy, lines, names};
use crate::bundle::Bundle;
use crate::finding::{Code, Findings};
use crate::role_set::RoleSet;
use crate::rules::{Effect, Rule};
use crate::table::Scope;

/// Notes every rule without effect, and every deny that takes from seniors.
pub(super) fn note(bundle: &Bundle, tally: &Tally<'_>, findings: &mut Findings) {
    let view = View { bundle, tally };
    for rule in bundle.rules() {
        view.note_idle(rule, findings);
        if rule.effect == Effect::Deny {
            view.note_seniors(rule, findings);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct View<'v> {
    bundle: &'v Bundle,
    tally: &'v Tally<'v>,
}

/// Why a part of a rule changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idle {
    /// Other rules say the same.
    Said,
    /// It is an allow, and a deny overrides it.
    Overridden,
    /// It is a deny, and nobody is allowed it anyway.
    Unallowed,
}

impl View<'_> {
    fn note_idle(&self, rule: &Rule, findings: &mut Findings) {
        let at = in_policy(rule.line);
        let others = self.tally.rules(rule.permission).iter().copied();
        if let Some(other) = others.clone().find(|other| self.says_all_of(other, rule)) {
            let message = format!("line {} says all that this rule says", other.line);
            return findings.add(Code::RepeatedRule, at, message, "remove it: nothing changes");
        }
        let reasons: Option<Vec<Idle>> = parts(rule.scope).map(|p| self.idle(rule, p)).collect();
        let Some(reasons) = reasons else { return };
        let all = |idle| reasons.iter().all(|reason| *reason == idle);
        let concerned = others.filter(|other| self.concerns(other, rule));
        let concerned: Vec<u32> = concerned.map(|other| other.line).collect();
        if all(Idle::Overridden) {
            let message = format!("it allows nothing: {} denies all of it", lines(&concerned));
            let fix = "remove one of them, unless the deny is there for a while only";
            findings.add(Code::OverriddenRule, at, message, fix);
        } else if all(Idle::Unallowed) {
            let message = "nobody is allowed what it denies, with or without it";
            findings.add(Code::IdleDeny, at, message, "remove it: nothing changes");
        } else {
            let message = format!("without it nothing changes, because of {}", lines(&concerned));
            findings.add(Code::DeadRule, at, message, "remove it, or one of those");
        }
    }

    /// Why this part of a rule changes nothing for any set of roles; nothing where it does.
    fn idle(&self, rule: &Rule, part: Scope) -> Option<Idle> {
        let own = self.tally.at(rule.role, rule.permission, part);
        match rule.effect {
            Effect::Allow if own.allows > 1 => Some(Idle::Said),
            Effect::Allow if own.denies > 0 => Some(Idle::Overridden),
            Effect::Allow => None,
            Effect::Deny if own.denies > 1 => Some(Idle::Said),
            Effect::Deny => (!self.takes_away(rule, part)).then_some(Idle::Unallowed),
        }
    }

    /// Whether some role is allowed this part unless it, or whoever holds it beside the rule's
    /// role, is denied by the rule.
    fn takes_away(&self, deny: &Rule, part: Scope) -> bool {
        self.bundle.roles().any(|role| {
            let count = self.tally.at(role, deny.permission, part);
            let by_this = u32::from(self.bundle.reach(role).contains(deny.role));
            count.allows > 0 && count.denies == by_this
        })
    }

    /// Whether all that `rule` says is said by `other` alone.
    fn says_all_of(&self, other: &Rule, rule: &Rule) -> bool {
        other.line != rule.line
            && other.effect == rule.effect
            && other.scope.covers(rule.scope)
            && self.bundle.reach(rule.role).contains(other.role)
    }

    /// Whether `other` speaks about what `rule` is about, for its role.
    fn concerns(&self, other: &Rule, rule: &Rule) -> bool {
        other.line != rule.line
            && parts(rule.scope).any(|part| other.scope.covers(part))
            && self.bundle.reach(rule.role).contains(other.role)
    }

    /// Notes seniors from whom a deny takes what they are allowed by rules that are not about its
    /// role or one below it.
    fn note_seniors(&self, deny: &Rule, findings: &mut Findings) {
        let below = self.bundle.reach(deny.role);
        let elsewhere = self.tally.rules(deny.permission).iter().filter(|rule| {
            rule.effect == Effect::Allow
                && !below.contains(rule.role)
                && parts(deny.scope).any(|part| rule.scope.covers(part))
        });
        let allowed: RoleSet = elsewhere.map(|rule| rule.role).collect();
        let loses = |reach: RoleSet| reach.contains(deny.role) && reach.meets(allowed);
        let seniors = self.bundle.roles().filter(|role| loses(self.bundle.reach(*role)));
        let seniors: RoleSet = seniors.collect();
        if !seniors.is_empty() {
            let message = format!(
                "it also denies {}, which other rules allow it",
                names(self.bundle.role_names(seniors))
            );
            let fix = "deny a role that these do not inherit from, if they are to keep it";
            findings.add(Code::DenyReachesSenior, in_policy(deny.line), message, fix);
        }
    }
}
