//! A bundle that is read but not yet compiled.

use crate::activation::Condition;
use crate::cors::Cors;
use crate::files::{BundleFiles, MODEL_FILE, POLICY_FILE, ROLES_FILE, ROUTES_FILE};
use crate::finding::{Code, Findings, Place, nearest};
use crate::headers::ResponseHeader;
use crate::limits::Limits;
use crate::mode::Mode;
use crate::model;
use crate::names::RoleId;
use crate::network::Networks;
use crate::resources::Resources;
use crate::role_set::RoleSet;
use crate::roles::Roles;
use crate::route::Route;
use crate::route_table::RouteTable;
use crate::routes_file::{RoleCondition, RoutesFile};
use crate::rules::{self, Known, Rule};

/// What of the files counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    /// What is in force.
    InForce,
    /// What is in force, and what is only tried as if it were.
    Shadow,
}

impl View {
    fn holds(self, mode: Mode) -> bool {
        match self {
            Self::InForce => mode == Mode::Enforce,
            Self::Shadow => true,
        }
    }
}

/// Everything the files say, names resolved.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) roles: Roles,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) resources: Resources,
    pub(crate) networks: Networks,
    pub(crate) limits: Limits,
    pub(crate) cors: Option<Cors>,
    pub(crate) headers: Vec<(ResponseHeader, String)>,
    pub(crate) routes: RouteTable,
    pub(crate) rules: Vec<Rule>,
    /// Whether a rule or a route is only tried.
    pub(crate) has_shadow: bool,
}

impl Draft {
    /// Reads all four files, also where one of them is in no state to be compared with.
    pub(crate) fn read(files: &BundleFiles, view: View, findings: &mut Findings) -> Option<Self> {
        let model_source = files.source(MODEL_FILE, findings);
        let roles_source = files.source(ROLES_FILE, findings);
        let policy_source = files.source(POLICY_FILE, findings);
        let routes_source = files.source(ROUTES_FILE, findings);

        if let Some(source) = &model_source {
            model::compare(source, findings);
        }
        let file = routes_source.as_ref().and_then(|source| RoutesFile::read(source, findings));
        let conditions = file.as_ref().map_or(&[][..], |file| &file.conditions);
        let declared: Vec<_> =
            conditions.iter().map(|condition| (condition.role.clone(), condition.at)).collect();
        let roles =
            roles_source.as_ref().and_then(|source| Roles::read(source, &declared, findings));
        let resources = file.as_ref().map(|file| &file.resources);
        let known = Known { roles: roles.as_ref(), resources };
        let rules = policy_source.as_ref().map(|source| rules::read(source, known, findings));

        let (file, roles, mut rules) = (file?, roles?, rules?);
        note_stray_roles(&file.conditions, &roles, &rules, findings);
        let has_shadow = has_shadow(&rules, &file.routes);
        rules.retain(|rule| view.holds(rule.mode));
        let mut routes = file.routes;
        routes.retain(|(route, _)| view.holds(route.mode));
        Some(Self {
            conditions: by_role(&file.conditions, &roles),
            resources: file.resources,
            networks: file.networks,
            limits: file.limits,
            cors: file.cors,
            headers: file.headers,
            routes: RouteTable::build(routes, findings),
            roles,
            rules,
            has_shadow,
        })
    }
}

fn has_shadow(rules: &[Rule], routes: &[(Route, Place<'_>)]) -> bool {
    let mut modes =
        rules.iter().map(|rule| rule.mode).chain(routes.iter().map(|(route, _)| route.mode));
    modes.any(|mode| mode == Mode::Shadow)
}

/// Notes roles that only `[roles]` mentions.
///
/// SECURITY: such a role is most likely misspelled, and the one that was meant would lack its
/// condition.
fn note_stray_roles(
    conditions: &[RoleCondition<'_>],
    roles: &Roles,
    rules: &[Rule],
    findings: &mut Findings,
) {
    let linked = roles.links().iter().flat_map(|link| [link.senior, link.junior]);
    let used: RoleSet = linked.chain(rules.iter().map(|rule| rule.role)).collect();
    for condition in conditions {
        if roles.find(&condition.role).is_some_and(|role| used.contains(role)) {
            continue;
        }
        let name = &condition.role;
        let message = format!("no row of roles.csv or policy.csv mentions the role `{name}`");
        let others = used.iter().map(|role| roles.name(role));
        let fix = nearest(name, others, "remove it, or give the role a rule");
        findings.add(Code::UnknownRole, condition.at, message, fix);
    }
}

fn by_role(conditions: &[RoleCondition<'_>], roles: &Roles) -> Vec<Condition> {
    let condition = |role: RoleId| {
        let name = roles.name(role);
        conditions
            .iter()
            .find(|condition| condition.role == name)
            .map_or_else(Condition::default, |found| found.condition)
    };
    roles.ids().map(condition).collect()
}
