//! The workspace as Cargo describes it: where it is, who its members are, and what they use.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::cargo;

/// Where things are, and the members.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// Where Cargo puts what it builds.
    pub(crate) target: PathBuf,
    pub(crate) members: Vec<Member>,
}

/// A package of ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    pub(crate) package: String,
    /// From the root, for example `crates/policy`.
    pub(crate) folder: String,
    /// The text of its `Cargo.toml`.
    pub(crate) manifest: String,
    pub(crate) dependencies: Vec<Dependency>,
}

/// A package that a member names itself.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) package: String,
    pub(crate) purpose: Purpose,
}

/// When a dependency is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// In the program itself, or in its build script.
    Program,
    /// In tests and benches alone.
    Tests,
}

impl Workspace {
    /// Asks Cargo, from wherever we stand.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let output = cargo::command(Path::new("."))
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("could not run `cargo metadata`")?;
        if !output.status.success() {
            bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::parse(&output.stdout).context("could not read what `cargo metadata` says")
    }

    fn parse(metadata: &[u8]) -> anyhow::Result<Self> {
        let metadata = serde_json::from_slice(metadata)?;
        let root = PathBuf::from(text(&metadata, "workspace_root")?);
        let target = PathBuf::from(text(&metadata, "target_directory")?);
        let packages = list(&metadata, "packages")?;
        let members = packages.iter().map(|package| Member::parse(package, &root));
        Ok(Self { members: members.collect::<Result<_, _>>()?, root, target })
    }
}

impl Member {
    fn parse(package: &Value, root: &Path) -> anyhow::Result<Self> {
        let manifest_path = Path::new(text(package, "manifest_path")?);
        let folder = manifest_path.parent().context("a manifest without a folder")?;
        let folder = folder.strip_prefix(root).context("a member outside of the workspace")?;
        let dependencies = list(package, "dependencies")?;
        Ok(Self {
            package: text(package, "name")?.to_owned(),
            folder: folder.to_string_lossy().into_owned(),
            manifest: fs::read_to_string(manifest_path)
                .with_context(|| format!("could not read `{}`", manifest_path.display()))?,
            dependencies: dependencies.iter().map(Dependency::parse).collect::<Result<_, _>>()?,
        })
    }

    /// The last part of its folder, by which the members speak of each other.
    pub(crate) fn name(&self) -> &str {
        self.folder.rsplit('/').next().unwrap_or(&self.folder)
    }
}

impl Dependency {
    fn parse(dependency: &Value) -> anyhow::Result<Self> {
        let purpose = match dependency.get("kind").and_then(Value::as_str) {
            Some("dev") => Purpose::Tests,
            _ => Purpose::Program,
        };
        Ok(Self { package: text(dependency, "name")?.to_owned(), purpose })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("`{key}` is missing"))
}

fn list<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a [Value]> {
    let list = value.get(key).and_then(Value::as_array);
    list.map(Vec::as_slice).with_context(|| format!("`{key}` is missing"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_understood() {
        let workspace = Workspace::load().unwrap();

        let ours = workspace.members.iter().find(|member| member.package == "stockade-xtask");
        let ours = ours.unwrap();
        assert_eq!((ours.folder.as_str(), ours.name()), ("xtask", "xtask"));
        assert!(ours.manifest.contains("name = \"stockade-xtask\""));
        assert!(ours.dependencies.iter().any(|used| used.package == "anyhow"));
        assert!(workspace.root.join("Cargo.toml").is_file());
    }

    #[test]
    fn purposes_are_told_apart() {
        let purpose =
            |text: &str| Dependency::parse(&serde_json::from_str(text).unwrap()).unwrap().purpose;

        assert_eq!(purpose(r#"{"name": "a", "kind": null}"#), Purpose::Program);
        assert_eq!(purpose(r#"{"name": "a", "kind": "build"}"#), Purpose::Program);
        assert_eq!(purpose(r#"{"name": "a", "kind": "dev"}"#), Purpose::Tests);
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = Workspace::parse(b"{}").unwrap_err().to_string();

        assert_eq!(error, "`workspace_root` is missing");
    }
}
