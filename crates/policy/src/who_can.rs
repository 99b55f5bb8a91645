//! Who can: every role that is allowed a permission or a route, and what makes it so.
//!
//! Roles are looked at one by one, with all conditions met. A set of roles has what its members
//! have, unless one of them is denied what another is allowed; where that is so, two roles show
//! it already, and such pairs are listed as [`Clash`]es.

use std::collections::BTreeSet;

use crate::bundle::Bundle;
use crate::derivation::ways_down;
use crate::files::ROUTES_FILE;
use crate::finding::nearest;
use crate::lint::{Addresses, can_be_there, listens_to, parts};
use crate::measure::Age;
use crate::names::{NetworkId, PermissionId, RoleId};
use crate::role_set::RoleSet;
use crate::roles::Link;
use crate::route::Route;
use crate::route_table::RouteMatch;
use crate::rules::{Effect, Rule};
use crate::table::Scope;

/// Who is allowed something.
#[derive(Debug)]
#[non_exhaustive]
pub struct WhoCan<'b> {
    /// What it is about.
    pub permission: PermissionId,
    /// The route that was asked about; nothing where it was the permission.
    pub route: Option<&'b Route>,
    /// Every role that is allowed by itself and can meet all conditions, juniors first.
    pub allowed: Vec<Access>,
    /// Pairs of which one takes something from the other.
    pub clashes: Vec<Clash>,
}

/// What one role is allowed, and why.
#[derive(Debug)]
#[non_exhaustive]
pub struct Access {
    /// The role.
    pub role: RoleId,
    /// With what scope.
    pub scope: Scope,
    /// What must be met, of the route first.
    pub requirements: Vec<Requirement>,
    /// The rules that allow some of it, those of the role itself first.
    pub allows: Vec<Reason>,
    /// The rules that keep it from being more.
    pub denies: Vec<Reason>,
}

/// A condition as it is written.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requirement {
    /// For example `network = "office"`.
    pub text: String,
    /// The file, relative to the policy folder.
    pub file: &'static str,
    /// The line.
    pub line: u32,
}

/// A rule, and how a role comes to it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Reason {
    /// The rule.
    pub rule: Rule,
    /// The shortest way down from the role to the rule's; empty where they are the same.
    pub path: Vec<Link>,
}

/// Two roles that are allowed less together than one of them is alone.
#[derive(Debug)]
#[non_exhaustive]
pub struct Clash {
    /// Who is allowed something alone, and who takes it away.
    pub roles: [RoleId; 2],
    /// What is left.
    pub scope: Option<Scope>,
    /// The rules that take it away.
    pub denies: Vec<Rule>,
}

/// Why a target is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is neither a permission nor a request.
    #[error("`{text}` is no permission of this policy; {advice}")]
    Permission {
        /// What was written.
        text: String,
        /// What to write instead.
        advice: String,
    },
    /// No route has this path.
    #[error("no route answers `{0}`")]
    NoRoute(String),
    /// The path is known, the method is not one of its own.
    #[error("no route answers `{text}`; its path answers {allow}")]
    Method {
        /// What was written.
        text: String,
        /// What `Allow` lists.
        allow: String,
    },
}

/// Who is allowed `target`: a permission such as `orders.read`, or a request such as
/// `GET /api/orders/42`.
pub fn who_can<'b>(bundle: &'b Bundle, target: &str) -> Result<WhoCan<'b>, TargetError> {
    let (permission, route) = match target.split_once(' ') {
        Some((method, path)) => {
            let route = find_route(bundle, target, method, path)?;
            (route.needs, Some(route))
        }
        None => (find_permission(bundle, target)?, None),
    };
    let question = Question { bundle, permission, route };
    let allowed: Vec<Access> =
        question.roles().iter().filter_map(|role| question.access(role)).collect();
    let clashes = question.clashes(&allowed);
    Ok(WhoCan { permission, route, allowed, clashes })
}

fn find_permission(bundle: &Bundle, text: &str) -> Result<PermissionId, TargetError> {
    bundle.permission(text).ok_or_else(|| {
        let names = bundle.permissions().map(|id| bundle.permission_name(id));
        let otherwise = "write it as `resource.action`, or a request as `GET /path`";
        TargetError::Permission { text: text.to_owned(), advice: nearest(text, names, otherwise) }
    })
}

fn find_route<'b>(
    bundle: &'b Bundle,
    text: &str,
    method: &str,
    path: &str,
) -> Result<&'b Route, TargetError> {
    match bundle.routes().find(method, path) {
        RouteMatch::Found(route) => Ok(route),
        RouteMatch::NotFound => Err(TargetError::NoRoute(text.to_owned())),
        RouteMatch::MethodNotAllowed { allow } => {
            Err(TargetError::Method { text: text.to_owned(), allow: allow.to_owned() })
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Question<'b> {
    bundle: &'b Bundle,
    permission: PermissionId,
    route: Option<&'b Route>,
}

impl<'b> Question<'b> {
    /// Every role that may come.
    fn roles(&self) -> RoleSet {
        match self.route {
            Some(route) => listens_to(self.bundle, route),
            None => self.bundle.roles().collect(),
        }
    }

    /// What one role is allowed; nothing where it is denied, or can never be there.
    fn access(&self, role: RoleId) -> Option<Access> {
        let scope = self.bundle.decide(RoleSet::of(role), self.permission)?;
        let can_be_there = match self.route {
            Some(route) => can_be_there(self.bundle, route, role),
            None => self.can_count_together(role, role),
        };
        if !can_be_there {
            return None;
        }
        let within = |rule: &Rule| parts(rule.scope).any(|part| scope.covers(part));
        Some(Access {
            role,
            scope,
            requirements: self.requirements(role),
            allows: self.reasons(role, |rule| rule.effect == Effect::Allow && within(rule)),
            denies: self.reasons(role, |rule| rule.effect == Effect::Deny),
        })
    }

    fn rules(&self) -> impl Iterator<Item = &'b Rule> {
        let permission = self.permission;
        self.bundle.rules().iter().filter(move |rule| rule.permission == permission)
    }

    /// The rules that reach a role, nearest first.
    fn reasons(&self, role: RoleId, counts: impl Fn(&Rule) -> bool) -> Vec<Reason> {
        let ways = ways_down(self.bundle, RoleSet::of(role));
        let reasons = self
            .rules()
            .filter(|rule| counts(rule))
            .filter_map(|rule| Some(Reason { rule: *rule, path: ways.get(&rule.role)?.clone() }));
        let mut reasons: Vec<Reason> = reasons.collect();
        reasons.sort_by_key(|reason| (reason.path.len(), reason.rule.line));
        reasons
    }

    /// The conditions of the route and of the role.
    fn requirements(&self, role: RoleId) -> Vec<Requirement> {
        let of_role = self.bundle.condition(role);
        let of_role = (of_role.network, of_role.mfa_secs, of_role.line);
        let of_route = self.route.map(|route| (route.network, route.mfa_secs, route.line));
        let mut requirements = Vec::new();
        for (network, mfa_secs, line) in of_route.into_iter().chain([of_role]) {
            let network = network.and_then(|id| self.bundle.networks().get(id));
            let network = network.map(|network| format!("network = \"{}\"", network.name));
            let mfa = mfa_secs.map(|secs| format!("mfa = \"{}\"", Age::from(secs)));
            let texts = network.into_iter().chain(mfa);
            requirements.extend(texts.map(|text| Requirement { text, file: ROUTES_FILE, line }));
        }
        requirements
    }

    /// Pairs of an allowed role and one whose own rule denies some of it. A deny that is inherited
    /// is shown by the role it is written for.
    fn clashes(&self, allowed: &[Access]) -> Vec<Clash> {
        let holders: BTreeSet<RoleId> = self
            .rules()
            .filter(|rule| rule.effect == Effect::Deny)
            .map(|rule| rule.role)
            .filter(|role| self.roles().without(self.bundle.anonymous()).contains(*role))
            .collect();
        let pairs = allowed.iter().flat_map(|access| holders.iter().map(move |h| (access, *h)));
        pairs.filter_map(|(access, holder)| self.clash(access, holder)).collect()
    }

    fn clash(&self, access: &Access, holder: RoleId) -> Option<Clash> {
        let denies = self.rules().filter(|rule| {
            rule.role == holder
                && rule.effect == Effect::Deny
                && parts(rule.scope).any(|part| access.scope.covers(part))
        });
        let denies: Vec<Rule> = denies.copied().collect();
        let both = RoleSet::of(access.role).with(holder);
        let is_one = self.bundle.anonymous().contains(access.role) || denies.is_empty();
        (!is_one && self.can_count_together(access.role, holder)).then(|| Clash {
            roles: [access.role, holder],
            scope: self.bundle.decide(both, self.permission),
            denies,
        })
    }

    /// Whether some address is in the networks of both roles and of the route.
    fn can_count_together(&self, one: RoleId, other: RoleId) -> bool {
        let of_role = |role| self.bundle.condition(role).network;
        let addresses = |network: Option<NetworkId>| Addresses::of(self.bundle.networks(), network);
        let both = addresses(of_role(one)).common(&addresses(of_role(other)));
        both.meets(&addresses(self.route.and_then(|route| route.network)))
    }
}

#[cfg(test)]
mod tests;
