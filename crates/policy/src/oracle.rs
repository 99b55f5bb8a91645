//! The proof: Casbin is asked every cell of the compiled table and must say the same.
//!
//! The table answers requests; Casbin, which shares no code with it, says what the files mean.
//! Both are asked every role, every permission and both scopes. One difference, one error or one
//! panic refuses the bundle.
//!
//! Casbin gets a fresh enforcer per permission, holding that permission's rules and all
//! inheritance. That is exact, because the matcher demands `r.obj == p.obj && r.act == p.act`: no
//! rule of another permission can take part. It keeps the proof linear in the size of the policy.
//!
//! Neither Casbin's file adapter nor its cache is used. The first drops rows it does not
//! understand, the second outlives its rules.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use futures::executor::block_on;

use crate::files::POLICY_FILE;
use crate::finding::{Code, Findings, Place};
use crate::names::{PermissionId, RoleId};
use crate::resources::Resources;
use crate::role_set::RoleSet;
use crate::roles::Roles;
use crate::rules::Rule;
use crate::table::{DecisionTable, Scope};

/// The fix for a bundle that is not proven.
const FIX: &str = "keep the last good bundle and report this: the engine cannot vouch for it";

/// That a table was proven, and how thoroughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proof {
    /// Cells asked of Casbin: roles x permissions x two scopes.
    pub cells: usize,
}

/// What is proven: the rules as read, and the table compiled from them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim<'a> {
    pub(crate) roles: &'a Roles,
    pub(crate) resources: &'a Resources,
    pub(crate) rules: &'a [Rule],
    pub(crate) table: &'a DecisionTable,
}

impl Claim<'_> {
    /// Asks Casbin, with this model, about every cell. What speaks against the claim is noted.
    ///
    /// `between_slices` is called after each permission: a large proof may let others go first.
    pub(crate) fn prove(
        &self,
        model: &str,
        between_slices: &mut dyn FnMut(),
        findings: &mut Findings,
    ) -> Option<Proof> {
        let before = findings.count();
        let ask = || block_on(self.ask_all(model, between_slices, findings));
        let asked = catch_unwind(AssertUnwindSafe(ask));
        let at = Place::start_of(POLICY_FILE);
        match asked {
            Ok(Ok(cells)) if findings.count() == before => return Some(Proof { cells }),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => {
                let message = format!("casbin could not answer: {error}");
                findings.add(Code::ProofFailed, at, message, FIX);
            }
            Err(_) => findings.add(Code::ProofPanicked, at, "casbin panicked", FIX),
        }
        None
    }

    async fn ask_all(
        &self,
        model: &str,
        between_slices: &mut dyn FnMut(),
        findings: &mut Findings,
    ) -> casbin::Result<usize> {
        let mut rules: BTreeMap<PermissionId, Vec<Vec<String>>> = BTreeMap::new();
        for rule in self.rules {
            rules.entry(rule.permission).or_default().push(self.row(rule));
        }
        let mut cells = 0;
        for permission in self.resources.ids() {
            let rules = rules.remove(&permission).unwrap_or_default();
            let enforcer = self.enforcer(model, rules).await?;
            cells += self.ask_permission(&enforcer, permission, findings)?;
            between_slices();
        }
        Ok(cells)
    }

    fn ask_permission(
        &self,
        enforcer: &Enforcer,
        permission: PermissionId,
        findings: &mut Findings,
    ) -> casbin::Result<usize> {
        let mut cells = 0;
        for role in self.roles.ids() {
            for scope in [Scope::Own, Scope::Others] {
                if let Some(message) = self.disagreement(enforcer, role, permission, scope)? {
                    let at = Place::start_of(POLICY_FILE);
                    findings.add(Code::ProofDisagrees, at, message, FIX);
                }
                cells += 1;
            }
        }
        Ok(cells)
    }

    /// Asks Casbin about one cell; what both say, where they differ.
    fn disagreement(
        &self,
        enforcer: &Enforcer,
        role: RoleId,
        permission: PermissionId,
        scope: Scope,
    ) -> casbin::Result<Option<String>> {
        let (resource, action) = self.resources.parts(permission);
        let name = self.roles.name(role);
        let casbin = enforcer.enforce((name, resource, action, scope.as_str()))?;
        let granted = self.table.decide(RoleSet::of(role), permission);
        let table = granted.is_some_and(|granted| granted.covers(scope));
        let word = |allowed| if allowed { "allows" } else { "denies" };
        Ok((casbin != table).then(|| {
            let (casbin, table) = (word(casbin), word(table));
            format!(
                "`{name}`, `{resource}.{action}`, `{scope}`: casbin {casbin}, the table {table}"
            )
        }))
    }

    /// A fresh enforcer over some rules and all inheritance.
    async fn enforcer(&self, model: &str, rules: Vec<Vec<String>>) -> casbin::Result<Enforcer> {
        let model = DefaultModel::from_str(model).await?;
        let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
        // The adapter would only keep a second copy.
        enforcer.enable_auto_save(false);
        let name = |role: RoleId| self.roles.name(role).to_owned();
        let links = self.roles.links().iter();
        let links = links.map(|link| vec![name(link.senior), name(link.junior)]).collect();
        enforcer.add_named_grouping_policies("g", links).await?;
        enforcer.add_named_policies("p", rules).await?;
        Ok(enforcer)
    }

    /// A rule as Casbin's `sub, obj, act, scope, eft`.
    fn row(&self, rule: &Rule) -> Vec<String> {
        let (resource, action) = self.resources.parts(rule.permission);
        let role = self.roles.name(rule.role);
        let words = [role, resource, action, rule.scope.as_str(), rule.effect.as_str()];
        words.map(str::to_owned).to_vec()
    }
}

#[cfg(test)]
mod tests;
