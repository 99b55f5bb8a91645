//! Policies to measure: the shop's own, and generated ones of any size.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use stockade_policy::{Bundle, BundleFiles, RUNTIME_FILES};

/// Roles of a large generated policy.
const ROLES_MAX: usize = 25;

/// Roles on one chain of inheritance.
const CHAIN_ROLES: usize = 5;

/// Actions of one generated resource.
const ACTIONS: usize = 4;

/// Every so many generated rules is a denial.
const DENY_EVERY: usize = 50;

/// The runtime files of a policy, by name.
#[derive(Debug, Clone)]
pub(crate) struct Policy {
    pub(crate) name: String,
    files: BTreeMap<String, String>,
}

impl Policy {
    /// Reads a policy folder.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut files = BTreeMap::new();
        for name in RUNTIME_FILES {
            let path = folder.join(name);
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), text);
        }
        Ok(Self { name: "the shop's".to_owned(), files })
    }

    /// Makes a policy of exactly `rules` rules, with the model of another.
    ///
    /// Roles stand on chains of five. Every role has a rule of its own for every permission, so
    /// that inherited rules overlap; each fiftieth rule denies.
    pub(crate) fn generated(rules: usize, model: &Self) -> anyhow::Result<Self> {
        let roles = ROLES_MAX.min(rules.div_ceil(2));
        let permissions = rules.div_ceil(roles);
        let mut policy = String::new();
        for rule in 0..rules {
            let (role, permission) = (rule % roles, rule / roles);
            let (resource, action) = (permission / ACTIONS, permission % ACTIONS);
            let effect = if rule % DENY_EVERY == DENY_EVERY - 1 { "deny" } else { "allow" };
            writeln!(
                policy,
                "p, role-{role}, resource-{resource}, action-{action}, any, {effect}"
            )?;
        }
        let texts = [model.text("model.conf").to_owned(), links(roles)?, policy];
        let mut files: BTreeMap<_, _> = ["model.conf", "roles.csv", "policy.csv"]
            .map(str::to_owned)
            .into_iter()
            .zip(texts)
            .collect();
        files.insert("routes.toml".to_owned(), routes(permissions)?);
        Ok(Self { name: format!("{rules} rules"), files })
    }

    /// Reads, compiles and proves it.
    pub(crate) fn load(&self) -> anyhow::Result<Bundle> {
        Bundle::load(&self.bundle_files()).map_err(|findings| {
            let lines: Vec<_> = findings.iter().map(ToString::to_string).collect();
            anyhow::anyhow!("{}: {}", self.name, lines.join("\n"))
        })
    }

    pub(crate) fn bundle_files(&self) -> BundleFiles {
        let files = self.files.iter();
        BundleFiles::new(
            files.map(|(name, text)| (name.clone(), text.clone().into_bytes())).collect(),
        )
    }

    /// The Casbin model.
    pub(crate) fn model(&self) -> &str {
        self.text("model.conf")
    }

    /// The rules, as Casbin takes them: without their `p`.
    pub(crate) fn rules(&self) -> Vec<Vec<String>> {
        rows(self.text("policy.csv"))
    }

    /// The links between roles, as Casbin takes them: without their `g`.
    pub(crate) fn links(&self) -> Vec<Vec<String>> {
        rows(self.text("roles.csv"))
    }

    fn text(&self, name: &str) -> &str {
        self.files.get(name).map_or("", String::as_str)
    }
}

/// Rows without their first field, of a text that the policy engine has accepted.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let fields =
        |line: &str| line.split(',').skip(1).map(|field| field.trim().to_owned()).collect();
    lines.filter(|line| !line.is_empty()).map(fields).collect()
}

fn links(roles: usize) -> anyhow::Result<String> {
    let mut text = String::new();
    for role in 0..roles {
        match role % CHAIN_ROLES {
            0 => writeln!(text, "g, role-{role}, anonymous")?,
            _ => writeln!(text, "g, role-{role}, role-{}", role - 1)?,
        }
    }
    Ok(text)
}

fn routes(permissions: usize) -> anyhow::Result<String> {
    let mut text = "[resources]\n".to_owned();
    for resource in 0..permissions.div_ceil(ACTIONS) {
        let actions = ACTIONS.min(permissions - resource * ACTIONS);
        let actions: Vec<_> = (0..actions).map(|action| format!("\"action-{action}\"")).collect();
        writeln!(text, "resource-{resource} = {{ actions = [{}] }}", actions.join(", "))?;
    }
    text.push_str(
        "[routes]\nfirst = { match = \"GET /first\", needs = \"resource-0.action-0\", auth = \"required\" }\n",
    );
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop() -> Policy {
        Policy::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")).unwrap()
    }

    #[test]
    fn a_generated_policy_has_as_many_rules_as_asked_for_and_loads() {
        for rules in [2, 10, 100] {
            let policy = Policy::generated(rules, &shop()).unwrap();
            assert_eq!(policy.rules().len(), rules);
            policy.load().unwrap();
        }
    }

    #[test]
    fn rows_are_read_as_the_engine_reads_them() {
        let policy = shop();
        assert!(policy.rules().iter().all(|row| row.len() == 5));
        assert!(policy.links().contains(&vec!["staff".to_owned(), "customer".to_owned()]));
    }
}
