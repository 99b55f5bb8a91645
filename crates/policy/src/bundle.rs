//! A bundle: everything the policy says, read, compiled and proven. It never changes.

use std::net::IpAddr;

use crate::cors::Cors;
use crate::files::{BundleFiles, BundleHash, MODEL_FILE, POLICY_FILE, ROLES_FILE, ROUTES_FILE};
use crate::finding::{Code, Finding, Findings, nearest};
use crate::limits::Limits;
use crate::model::{self, MODEL};
use crate::names::{NetworkId, PermissionId, RoleId};
use crate::network::Networks;
use crate::oracle::{Claim, Proof};
use crate::resources::Resources;
use crate::role_set::RoleSet;
use crate::roles::Roles;
use crate::route_table::RouteTable;
use crate::routes_file::{RoleCondition, RoutesFile};
use crate::rules::{self, Known, Rule};
use crate::table::{DecisionTable, Scope};

/// A consistent set of policy files, ready to decide.
#[derive(Debug)]
pub struct Bundle {
    hash: BundleHash,
    proof: Proof,
    roles: Roles,
    /// The network each role is kept to.
    conditions: Vec<Option<NetworkId>>,
    resources: Resources,
    networks: Networks,
    limits: Limits,
    cors: Option<Cors>,
    routes: RouteTable,
    table: DecisionTable,
}

/// Which of the roles somebody holds count, here and now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Activation {
    /// The roles that count.
    pub roles: RoleSet,
    /// The roles that do not, each once. Empty, and then not allocated, for most callers.
    pub inactive: Vec<InactiveRole>,
}

/// A role that does not count here and now, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InactiveRole {
    /// The role.
    pub role: RoleId,
    /// The network it is kept to, and the caller is not in.
    pub network: NetworkId,
}

impl Activation {
    /// The roles that would count with every condition met. Where these are allowed and
    /// [`Self::roles`] are not, a condition is why.
    pub fn with_all_met(&self) -> RoleSet {
        self.inactive.iter().fold(self.roles, |roles, inactive| roles.with(inactive.role))
    }

    fn leave_out(&mut self, inactive: InactiveRole) {
        if !self.inactive.contains(&inactive) {
            self.inactive.push(inactive);
        }
    }
}

impl Bundle {
    /// Reads, compiles and proves a bundle, or says everything that is wrong with it.
    pub fn load(files: &BundleFiles) -> Result<Self, Vec<Finding>> {
        let mut findings = Findings::default();
        files.inspect(&mut findings);
        let draft = Draft::read(files, &mut findings);
        let Some(draft) = draft.filter(|_| findings.is_empty()) else {
            return Err(findings.into_sorted());
        };
        let Draft { roles, conditions, resources, networks, limits, cors, routes, rules } = draft;
        let table = DecisionTable::compile(&roles, resources.count(), &rules);
        let claim = Claim { roles: &roles, resources: &resources, rules: &rules, table: &table };
        let Some(proof) = claim.prove(MODEL, &mut findings) else {
            return Err(findings.into_sorted());
        };
        let hash = files.hash();
        Ok(Self {
            hash,
            proof,
            roles,
            conditions,
            resources,
            networks,
            limits,
            cors,
            routes,
            table,
        })
    }

    /// The identity of the runtime files this bundle was loaded from.
    pub fn hash(&self) -> &BundleHash {
        &self.hash
    }

    /// The proof that Casbin agrees with this bundle's decisions.
    pub fn proof(&self) -> &Proof {
        &self.proof
    }

    /// The routes.
    pub fn routes(&self) -> &RouteTable {
        &self.routes
    }

    /// The networks.
    pub fn networks(&self) -> &Networks {
        &self.networks
    }

    /// The limits.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Which pages of other origins may call; nothing where none may.
    pub fn cors(&self) -> Option<&Cors> {
        self.cors.as_ref()
    }

    /// Which of the roles in `held` count for a caller at this address.
    ///
    /// A name that is no role of this bundle holds nothing. A role whose network the caller is
    /// not in is inactive: neither it nor what it inherits counts. An address that is not known
    /// is in no network.
    pub fn activate<'n>(
        &self,
        held: impl IntoIterator<Item = &'n str>,
        from: Option<IpAddr>,
    ) -> Activation {
        self.activate_roles(held.into_iter().filter_map(|name| self.roles.find(name)), from)
    }

    /// The same for roles that are known already.
    pub(crate) fn activate_roles(
        &self,
        held: impl IntoIterator<Item = RoleId>,
        from: Option<IpAddr>,
    ) -> Activation {
        let mut activation = Activation::default();
        for role in held {
            match self.network_of(role) {
                Some(network) if !self.networks.holds(network, from) => {
                    activation.leave_out(InactiveRole { role, network });
                }
                Some(_) | None => activation.roles = activation.roles.with(role),
            }
        }
        activation
    }

    /// The scope these roles have on `permission`; `None` is a denial.
    pub fn decide(&self, roles: RoleSet, permission: PermissionId) -> Option<Scope> {
        self.table.decide(roles, permission)
    }

    /// The roles of a caller without a token.
    pub fn anonymous(&self) -> RoleSet {
        RoleSet::of(self.roles.anonymous())
    }

    /// Every role, juniors first.
    pub fn roles(&self) -> impl Iterator<Item = RoleId> + use<> {
        self.roles.ids()
    }

    /// A role by its name.
    pub fn role(&self, name: &str) -> Option<RoleId> {
        self.roles.find(name)
    }

    /// The name of a role; empty for one of another bundle.
    pub fn role_name(&self, role: RoleId) -> &str {
        self.roles.name(role)
    }

    /// Whether `role` is `max_role` or one of its juniors. Unknown names are within nothing.
    pub fn is_within(&self, role: &str, max_role: &str) -> bool {
        match (self.roles.find(role), self.roles.find(max_role)) {
            (Some(role), Some(max_role)) => {
                role == max_role || self.roles.reach(max_role).contains(role)
            }
            _ => false,
        }
    }

    /// The names of some roles, juniors first.
    pub fn role_names(&self, roles: RoleSet) -> impl Iterator<Item = &str> {
        roles.iter().map(|role| self.role_name(role)).filter(|name| !name.is_empty())
    }

    /// The network a role is kept to.
    pub fn network_of(&self, role: RoleId) -> Option<NetworkId> {
        self.conditions.get(role.index()).copied().flatten()
    }

    /// A permission by its name, for example `orders.create`.
    pub fn permission(&self, name: &str) -> Option<PermissionId> {
        self.resources.find(name)
    }

    /// Every permission.
    pub fn permissions(&self) -> impl Iterator<Item = PermissionId> + use<> {
        self.resources.ids()
    }

    /// The name of a permission; empty for one of another bundle.
    pub fn permission_name(&self, permission: PermissionId) -> &str {
        self.resources.name(permission)
    }

    /// Advice for somebody who wrote `name`, which is no role.
    pub(crate) fn role_advice(&self, name: &str) -> String {
        nearest(name, self.roles.names(), "write a role of roles.csv")
    }
}

/// A bundle that is read but not yet compiled.
#[derive(Debug)]
struct Draft {
    roles: Roles,
    conditions: Vec<Option<NetworkId>>,
    resources: Resources,
    networks: Networks,
    limits: Limits,
    cors: Option<Cors>,
    routes: RouteTable,
    rules: Vec<Rule>,
}

impl Draft {
    /// Reads all four files, also where one of them is in no state to be compared with.
    fn read(files: &BundleFiles, findings: &mut Findings) -> Option<Self> {
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

        let (file, roles, rules) = (file?, roles?, rules?);
        note_stray_roles(&file.conditions, &roles, &rules, findings);
        Some(Self {
            conditions: by_role(&file.conditions, &roles),
            resources: file.resources,
            networks: file.networks,
            limits: file.limits,
            cors: file.cors,
            routes: RouteTable::build(file.routes, findings),
            roles,
            rules,
        })
    }
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
    let linked = roles.links().iter().flat_map(|(senior, junior)| [*senior, *junior]);
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

fn by_role(conditions: &[RoleCondition<'_>], roles: &Roles) -> Vec<Option<NetworkId>> {
    let network = |role: RoleId| {
        let name = roles.name(role);
        conditions.iter().find(|condition| condition.role == name)?.network
    };
    roles.ids().map(network).collect()
}

#[cfg(test)]
mod tests;
