//! Casbin's reading. A set of roles is a principal that inherits from each of them.

use std::collections::{BTreeMap, BTreeSet};

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use futures::executor::block_on;

use crate::world::{MODEL, PERMISSIONS, ROLES, World};

/// Casbin over all rules and links of one policy, with a principal for each set of roles.
pub(crate) struct CasbinReading {
    enforcer: Enforcer,
    /// What was answered already, by set, permission and part.
    answered: BTreeMap<(BTreeSet<usize>, usize, &'static str), bool>,
}

impl CasbinReading {
    /// Gives Casbin a policy and the sets that will be asked about.
    pub(crate) fn of(world: &World, sets: &BTreeSet<BTreeSet<usize>>) -> casbin::Result<Self> {
        let links = world.links.iter();
        let links =
            links.map(|(senior, junior)| [ROLES[*senior], ROLES[*junior]].map(str::to_owned));
        let members = sets
            .iter()
            .flat_map(|set| set.iter().map(move |role| [principal(set), ROLES[*role].to_owned()]));
        let links: Vec<_> = links.chain(members).map(|link| link.to_vec()).collect();
        let rules = world.rules.iter().map(|rule| {
            let (resource, action, _) = PERMISSIONS[rule.permission];
            [ROLES[rule.role], resource, action, rule.scope, rule.effect]
                .map(str::to_owned)
                .to_vec()
        });
        let rules: Vec<_> = rules.collect();
        let enforcer = block_on(async {
            let model = DefaultModel::from_str(MODEL).await?;
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
            enforcer.enable_auto_save(false);
            enforcer.add_named_grouping_policies("g", links).await?;
            enforcer.add_named_policies("p", rules).await?;
            casbin::Result::Ok(enforcer)
        })?;
        Ok(Self { enforcer, answered: BTreeMap::new() })
    }

    /// Whether these roles are allowed this part of a permission. A question is asked once.
    pub(crate) fn allows(
        &mut self,
        set: &BTreeSet<usize>,
        permission: usize,
        part: &'static str,
    ) -> casbin::Result<bool> {
        let question = (set.clone(), permission, part);
        if let Some(answer) = self.answered.get(&question) {
            return Ok(*answer);
        }
        let (resource, action, _) = PERMISSIONS[permission];
        let answer = self.enforcer.enforce((principal(set), resource, action, part))?;
        self.answered.insert(question, answer);
        Ok(answer)
    }
}

/// The name of a set, which is that of no role.
fn principal(set: &BTreeSet<usize>) -> String {
    let names: Vec<_> = set.iter().map(|role| ROLES[*role]).collect();
    format!("set:{}", names.join("+"))
}
