//! A bundle: everything the policy says, read, compiled and proven. It never changes.

use crate::activation::{Activation, Circumstances, Condition, InactiveRole};
use crate::cors::Cors;
use crate::draft::{Draft, View};
use crate::files::{BundleFiles, BundleHash};
use crate::finding::{Finding, Findings, nearest};
use crate::headers::ResponseHeader;
use crate::limits::Limits;
use crate::model::MODEL;
use crate::names::{PermissionId, RoleId};
use crate::network::Networks;
use crate::oracle::{Claim, Proof};
use crate::resources::Resources;
use crate::role_set::RoleSet;
use crate::roles::{Link, Roles};
use crate::route_table::RouteTable;
use crate::rules::Rule;
use crate::table::{DecisionTable, Scope};

/// A consistent set of policy files, ready to decide.
#[derive(Debug)]
pub struct Bundle {
    hash: BundleHash,
    proof: Proof,
    roles: Roles,
    /// By role.
    conditions: Vec<Condition>,
    resources: Resources,
    networks: Networks,
    limits: Limits,
    cors: Option<Cors>,
    headers: Vec<(ResponseHeader, String)>,
    routes: RouteTable,
    rules: Vec<Rule>,
    table: DecisionTable,
    shadow: Option<Box<Self>>,
}

/// A bundle that is read and compiled, and that nobody may ask before it is proven.
#[derive(Debug)]
pub struct Unproven(Bundle);

impl Unproven {
    /// Has Casbin answer every cell of the bundle.
    ///
    /// A large proof takes seconds; `between_slices` is called every few milliseconds, to let
    /// others go first.
    pub fn prove(self, between_slices: &mut dyn FnMut()) -> Result<Bundle, Vec<Finding>> {
        let Self(mut bundle) = self;
        let mut findings = Findings::default();
        bundle.prove(between_slices, &mut findings);
        if findings.is_empty() { Ok(bundle) } else { Err(findings.into_sorted()) }
    }
}

impl Bundle {
    /// Reads, compiles and proves a bundle, or says everything that is wrong with it.
    pub fn load(files: &BundleFiles) -> Result<Self, Vec<Finding>> {
        Self::compile(files)?.prove(&mut || ())
    }

    /// Reads and compiles a bundle, or says everything that is wrong with its files.
    pub fn compile(files: &BundleFiles) -> Result<Unproven, Vec<Finding>> {
        let mut findings = Findings::default();
        files.inspect(&mut findings);
        let hash = files.hash();
        let draft = Draft::read(files, View::InForce, &mut findings);
        let Some(draft) = draft.filter(|_| findings.is_empty()) else {
            return Err(findings.into_sorted());
        };
        let has_shadow = draft.has_shadow;
        let mut bundle = Self::of(draft, hash);
        if has_shadow {
            let draft = Draft::read(files, View::Shadow, &mut findings);
            bundle.shadow = draft.map(|draft| Box::new(Self::of(draft, hash)));
        }
        if findings.is_empty() { Ok(Unproven(bundle)) } else { Err(findings.into_sorted()) }
    }

    fn of(draft: Draft, hash: BundleHash) -> Self {
        let Draft {
            roles,
            conditions,
            resources,
            networks,
            limits,
            cors,
            headers,
            routes,
            rules,
            ..
        } = draft;
        let table = DecisionTable::compile(&roles, resources.count(), &rules);
        Self {
            hash,
            proof: Proof { cells: 0 },
            roles,
            conditions,
            resources,
            networks,
            limits,
            cors,
            headers,
            routes,
            rules,
            table,
            shadow: None,
        }
    }

    fn prove(&mut self, between_slices: &mut dyn FnMut(), findings: &mut Findings) {
        let Self { roles, resources, rules, table, .. } = &*self;
        let claim = Claim { roles, resources, rules, table };
        if let Some(proof) = claim.prove(MODEL, between_slices, findings) {
            self.proof = proof;
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.prove(between_slices, findings);
        }
    }

    /// The same files with everything in force that they only try (`mode = "shadow"`, and the
    /// word `shadow` behind a rule); nothing where they try nothing.
    pub fn shadow(&self) -> Option<&Self> {
        self.shadow.as_deref()
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

    /// The headers of responses whose value is not the edge's default, and their values.
    pub fn headers(&self) -> &[(ResponseHeader, String)] {
        &self.headers
    }

    /// Which of the roles in `held` count for a caller in these circumstances.
    ///
    /// A name that is no role of this bundle holds nothing. A role with a condition that is not
    /// met is inactive: neither it nor what it inherits counts.
    pub fn activate<'n>(
        &self,
        held: impl IntoIterator<Item = &'n str>,
        at: &Circumstances,
    ) -> Activation {
        self.activate_roles(held.into_iter().filter_map(|name| self.roles.find(name)), at)
    }

    /// The same for roles that are known already.
    pub(crate) fn activate_roles(
        &self,
        held: impl IntoIterator<Item = RoleId>,
        at: &Circumstances,
    ) -> Activation {
        let mut activation = Activation::default();
        for role in held {
            match self.condition(role).unmet(&self.networks, at) {
                Some(unmet) => activation.leave_out(InactiveRole { role, unmet }),
                None => activation.roles = activation.roles.with(role),
            }
        }
        activation
    }

    /// The roles of these names. A name that is no role of this bundle holds nothing.
    pub fn role_set<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> RoleSet {
        names.into_iter().filter_map(|name| self.roles.find(name)).collect()
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

    /// What a role asks of whoever holds it.
    pub fn condition(&self, role: RoleId) -> Condition {
        self.conditions.get(role.index()).copied().unwrap_or_default()
    }

    /// The rules in force, in the order of the file.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Who inherits from whom, as written.
    pub fn links(&self) -> &[Link] {
        self.roles.links()
    }

    /// A role and everything it inherits.
    pub fn reach(&self, role: RoleId) -> RoleSet {
        self.roles.reach(role)
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

    /// The line of `routes.toml` that declares a permission; 0 for one of another bundle.
    pub fn permission_line(&self, permission: PermissionId) -> u32 {
        self.resources.line(permission)
    }

    /// Whether what a permission is about belongs to somebody, so that `own` and `others` differ.
    pub fn is_owned(&self, permission: PermissionId) -> bool {
        self.resources.is_owned(permission)
    }

    /// What there is to protect.
    pub(crate) fn resources(&self) -> &Resources {
        &self.resources
    }

    /// Decides about `permission` as if these were all of its rules, to see what each is good for.
    ///
    /// SECURITY: the proof does not cover what comes of it. Whoever asks for this owns the bundle
    /// and hands it to nobody.
    pub(crate) fn suppose(&mut self, permission: PermissionId, rules: &[Rule]) {
        self.table.recompile(&self.roles, permission, rules);
    }

    /// Advice for somebody who wrote `name`, which is no role.
    pub(crate) fn role_advice(&self, name: &str) -> String {
        nearest(name, self.roles.names(), "write a role of roles.csv")
    }
}

#[cfg(test)]
pub(crate) mod tests;
