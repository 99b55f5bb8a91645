//! Why a request gets what it gets, down to the lines of the files, and what is missing where it
//! is refused.
//!
//! The outcome is that of [`Bundle::examine`], never a second opinion.

use serde::Serialize;

use crate::activation::{Condition, Unmet};
use crate::bundle::Bundle;
use crate::derivation::{row, rules_about, ways_down};
use crate::files::{POLICY_FILE, ROLES_FILE};
use crate::finding::nearest;
use crate::judge::{Asker, Denial, Judgement, Outcome, heard};
use crate::measure::Age;
use crate::names::{NetworkId, RoleId};
use crate::role_set::RoleSet;
use crate::route::Route;
use crate::route_table::RouteMatch;
use crate::rules::{Effect, Rule};
use crate::table::Scope;

/// A place in the files of a bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: &'static str,
    /// The line, counted from 1.
    pub line: u32,
}

/// What a request gets, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Whether it is admitted.
    pub allowed: bool,
    /// The scope that is granted, or why it is refused: the words of cases.
    pub outcome: &'static str,
    /// The route that answers.
    pub route: Option<RouteFacts>,
    /// The roles that count.
    pub active: Vec<String>,
    /// The roles that do not.
    pub inactive: Vec<InactiveFacts>,
    /// The rules that settle it, allows first.
    pub rules: Vec<RuleFacts>,
    /// What would have to be different, the nearest first; empty where it is admitted.
    pub missing: Vec<Missing>,
    /// The hash of the bundle.
    pub bundle: String,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteFacts {
    /// Its id.
    pub id: String,
    /// Its method and pattern.
    pub matches: String,
    /// Where it is written.
    pub at: Place,
    /// The permission it needs.
    pub needs: String,
    /// Whether what it is about belongs to somebody.
    pub owned: bool,
    /// Whether and how a caller proves to be somebody.
    pub auth: &'static str,
    /// The network it is kept to.
    pub network: Option<String>,
    /// How old a second factor may be.
    pub mfa: Option<String>,
    /// The limits it counts towards.
    pub limits: Vec<String>,
}

/// A role that does not count, and the condition that is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InactiveFacts {
    /// The role.
    pub role: String,
    /// What it asks, such as `network admins`.
    pub condition: String,
    /// Where that is written.
    pub at: Place,
}

/// A rule that takes part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleFacts {
    /// The rule as written.
    pub text: String,
    /// Where it is written.
    pub at: Place,
    /// How a role of the caller comes to it; the first is held, the last is named by the rule.
    pub via: Vec<Step>,
}

/// A role on the way down, and the link that leads to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// The role.
    pub role: String,
    /// The link; nothing for the first role.
    pub link: Option<Place>,
}

/// Something that would have to be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// Another path; advice, where there is any.
    Path(String),
    /// One of these methods.
    Method(String),
    /// A token.
    Token,
    /// A condition of the route.
    OfRoute {
        /// What it asks.
        condition: String,
        /// Where that is written.
        at: Place,
    },
    /// A condition of a role that the caller holds.
    OfRole(InactiveFacts),
    /// A role.
    Role {
        /// The role.
        role: String,
        /// What it asks of whoever holds it.
        condition: Option<String>,
    },
    /// A rule that denies and would have to go.
    Deny(RuleFacts),
    /// A rule that allows, which the other things would bring to bear.
    Rule(RuleFacts),
    /// Nobody may do it.
    AnyRule,
}

/// Why a request gets what it gets. The path is canonical, as for [`Bundle::judge`].
pub fn explain(bundle: &Bundle, asker: &Asker, method: &str, path: &str) -> Explanation {
    let judgement = bundle.examine(asker, method, path);
    let teller = Teller { bundle };
    let (allowed, outcome) = match judgement.outcome {
        Outcome::Allow(scope) => (true, scope.as_str()),
        Outcome::Deny(denial) => (false, denial.as_str()),
    };
    let activation = judgement.activation.as_ref();
    let active = activation.map(|activation| activation.roles).unwrap_or_default();
    let inactive = activation.map_or(&[][..], |activation| &activation.inactive);
    Explanation {
        allowed,
        outcome,
        route: judgement.route.map(|route| teller.route(route)),
        active: bundle.role_names(active).map(str::to_owned).collect(),
        inactive: inactive.iter().map(|role| teller.inactive(role.role, role.unmet)).collect(),
        rules: judgement.route.map_or_else(Vec::new, |route| teller.settling(route, active)),
        missing: teller.missing(&judgement, asker, method, path),
        bundle: bundle.hash().to_string(),
    }
}

/// Tells facts of one bundle.
#[derive(Debug, Clone, Copy)]
struct Teller<'b> {
    bundle: &'b Bundle,
}

impl<'b> Teller<'b> {
    fn route(self, route: &Route) -> RouteFacts {
        let limits = route.limits.iter().filter_map(|limit| self.bundle.limits().get(*limit));
        RouteFacts {
            id: route.id.to_string(),
            matches: format!("{} {}", route.method, route.pattern),
            at: routes_line(route.line),
            needs: self.bundle.permission_name(route.needs).to_owned(),
            owned: self.bundle.is_owned(route.needs),
            auth: route.auth.as_str(),
            network: route.network.map(|network| self.network(network)),
            mfa: route.mfa_secs.map(|secs| Age::from(secs).to_string()),
            limits: limits.map(|limit| limit.name.to_string()).collect(),
        }
    }

    fn network(self, network: NetworkId) -> String {
        self.bundle.networks().get(network).map_or_else(String::new, |found| found.name.clone())
    }

    fn unmet(self, unmet: Unmet) -> String {
        match unmet {
            Unmet::Network(network) => format!("network {}", self.network(network)),
            Unmet::Mfa(secs) => {
                format!("a second factor at most {} old", Age::from(secs))
            }
        }
    }

    fn inactive(self, role: RoleId, unmet: Unmet) -> InactiveFacts {
        InactiveFacts {
            role: self.bundle.role_name(role).to_owned(),
            condition: self.unmet(unmet),
            at: routes_line(self.bundle.condition(role).line),
        }
    }

    fn rule(self, rule: &Rule, held: RoleSet) -> RuleFacts {
        RuleFacts {
            text: row(self.bundle, rule),
            at: Place { file: POLICY_FILE, line: rule.line },
            via: self.steps(held, rule.role),
        }
    }

    /// How a role comes to another by inheritance; empty where it does not.
    fn steps(self, held: RoleSet, goal: RoleId) -> Vec<Step> {
        let ways = ways_down(self.bundle, held);
        let Some(way) = ways.get(&goal) else { return Vec::new() };
        let name = |role| self.bundle.role_name(role).to_owned();
        let start = way.first().map_or(goal, |link| link.senior);
        let links = way.iter().map(|link| Step {
            role: name(link.junior),
            link: Some(Place { file: ROLES_FILE, line: link.line }),
        });
        std::iter::once(Step { role: name(start), link: None }).chain(links).collect()
    }

    /// The rules that speak of what a route needs to these roles and what they inherit.
    fn speaking(self, route: &Route, roles: RoleSet, effect: Effect) -> Vec<&'b Rule> {
        rules_about(self.bundle, route.needs, effect, roles).collect()
    }

    /// One rule that allows all that is granted, or one for each part; and every deny.
    fn settling(self, route: &Route, active: RoleSet) -> Vec<RuleFacts> {
        let granted = self.bundle.decide(active, route.needs);
        let allows = self.speaking(route, active, Effect::Allow);
        let covering = |part: Scope| allows.iter().find(|rule| rule.scope.covers(part));
        let parts = [Scope::Own, Scope::Others].into_iter();
        let parts = parts.filter(|part| granted.is_some_and(|scope| scope.covers(*part)));
        let mut settling: Vec<&Rule> = match granted.and_then(covering) {
            Some(whole) => vec![whole],
            None => parts.filter_map(covering).copied().collect(),
        };
        settling.extend(self.speaking(route, active, Effect::Deny));
        settling.into_iter().map(|rule| self.rule(rule, active)).collect()
    }

    /// What would have to be different.
    fn missing(
        self,
        judgement: &Judgement<'_>,
        asker: &Asker,
        method: &str,
        path: &str,
    ) -> Vec<Missing> {
        let Outcome::Deny(denial) = judgement.outcome else { return Vec::new() };
        let Some(route) = judgement.route else {
            return vec![match self.bundle.routes().find(method, path) {
                RouteMatch::MethodNotAllowed { allow } => Missing::Method(allow.to_owned()),
                RouteMatch::Found(_) | RouteMatch::NotFound => {
                    let patterns = self.bundle.routes().iter().map(|route| route.pattern.as_str());
                    Missing::Path(nearest(path, patterns, ""))
                }
            }];
        };
        let held = heard(self.bundle, route, asker.caller).unwrap_or_default();
        let mut missing = Vec::new();
        if denial == Denial::Token {
            missing.push(Missing::Token);
            missing.extend(self.nearest_role(route, RoleSet::EMPTY));
        } else if let Some(inactive) = judgement.in_the_way {
            let active = judgement.activation.as_ref().map(|found| found.roles).unwrap_or_default();
            missing.push(Missing::OfRole(self.inactive(inactive.role, inactive.unmet)));
            missing.extend(self.allowing(route, active.with(inactive.role)));
        } else if let Some(activation) = &judgement.activation {
            let denies = self.speaking(route, activation.roles, Effect::Deny);
            let denies = denies.into_iter().map(|rule| Missing::Deny(self.rule(rule, held)));
            missing.extend(denies);
            missing.extend(self.nearest_role(route, activation.roles));
        } else {
            missing.extend(self.of_route(route, asker));
            missing.extend(self.allowing(route, held));
        }
        missing
    }

    /// The conditions of a route that are not met.
    fn of_route(self, route: &Route, asker: &Asker) -> Vec<Missing> {
        let network = Condition { network: route.network, ..Condition::default() };
        let mfa = Condition { mfa_secs: route.mfa_secs, ..Condition::default() };
        let unmet = [network, mfa].into_iter();
        let unmet = unmet.filter_map(|part| part.unmet(self.bundle.networks(), &asker.at));
        let missing = unmet.map(|unmet| Missing::OfRoute {
            condition: self.unmet(unmet),
            at: routes_line(route.line),
        });
        missing.collect()
    }

    /// The rule with which these roles would be allowed.
    fn allowing(self, route: &Route, roles: RoleSet) -> Option<Missing> {
        let granted = self.bundle.decide(roles, route.needs)?;
        let allows = self.speaking(route, roles, Effect::Allow);
        let whole = allows.iter().find(|rule| rule.scope.covers(granted));
        let rule = *whole.or(allows.first())?;
        Some(Missing::Rule(self.rule(rule, roles)))
    }

    /// The most junior role that would do beside those that are active, with its rule.
    fn nearest_role(self, route: &Route, active: RoleSet) -> Vec<Missing> {
        let would_do = |role: &RoleId| self.bundle.decide(active.with(*role), route.needs);
        let found = self.bundle.roles().find(|role| would_do(role).is_some());
        let Some(role) = found else {
            let anybody = self.bundle.roles().map(RoleSet::of);
            let mut anybody = anybody.map(|role| self.bundle.decide(role, route.needs));
            // Where a deny stands in the way of every role beside those held, it is told alone.
            let nobody = anybody.all(|scope| scope.is_none());
            return if nobody { vec![Missing::AnyRule] } else { Vec::new() };
        };
        let condition = self.condition(self.bundle.condition(role));
        let name = self.bundle.role_name(role).to_owned();
        let mut missing = Vec::new();
        if role != self.anonymous() {
            missing.push(Missing::Role { role: name, condition });
        }
        missing.extend(self.allowing(route, active.with(role)));
        missing
    }

    fn anonymous(self) -> RoleId {
        // INVARIANT: the set of callers without a token holds one role.
        self.bundle.anonymous().iter().next().unwrap_or(RoleId(u8::MAX))
    }

    fn condition(self, condition: Condition) -> Option<String> {
        let network = condition.network.map(Unmet::Network);
        let parts: Vec<_> = network
            .into_iter()
            .chain(condition.mfa_secs.map(Unmet::Mfa))
            .map(|part| self.unmet(part))
            .collect();
        (!parts.is_empty()).then(|| format!("{} ({})", parts.join(" and "), line_text(condition)))
    }
}

fn line_text(condition: Condition) -> String {
    format!("{}:{}", crate::files::ROUTES_FILE, condition.line)
}

fn routes_line(line: u32) -> Place {
    Place { file: crate::files::ROUTES_FILE, line }
}

#[cfg(test)]
mod tests;
