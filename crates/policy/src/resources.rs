//! The resources of a bundle and what can be done to them (`[resources]` in `routes.toml`).

use std::collections::BTreeMap;

use crate::finding::{Code, nearest};
use crate::names::{PermissionId, expect_name};
use crate::toml_reader::{Entry, TomlReader};

/// The most permissions a bundle can hold.
const PERMISSIONS_MAX: u16 = 4096;

/// The resources by name, and all their permissions by number.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    by_name: BTreeMap<String, Resource>,
    permissions: Vec<Permission>,
}

/// Something the policy protects.
#[derive(Debug)]
pub(crate) struct Resource {
    /// Whether each of them belongs to somebody, so that `own` and `others` differ.
    pub(crate) owned: bool,
    /// The line of `routes.toml`.
    pub(crate) line: u32,
    actions: BTreeMap<String, PermissionId>,
}

/// A resource and one of its actions, by name.
#[derive(Debug)]
struct Permission {
    name: String,
    resource: String,
    action: String,
    /// The line of `routes.toml`.
    line: u32,
}

impl Resources {
    /// Reads the section. What cannot be read is noted and left out.
    pub(crate) fn read(section: &Entry<'_>, reader: &mut TomlReader<'_, '_>) -> Self {
        let mut resources = Self::default();
        for entry in reader.entries(section) {
            resources.read_resource(&entry, reader);
        }
        resources
    }

    fn read_resource(&mut self, entry: &Entry<'_>, reader: &mut TomlReader<'_, '_>) {
        reader.expect_name("resource", entry);
        let Some([owned, actions]) = reader.keys(entry, ["owned", "actions"]) else { return };
        // A flag that cannot be read is noted once; rules are then not blamed for it as well.
        let owned = owned.is_some_and(|value| reader.bool(&value).unwrap_or(true));
        let actions = reader.required(entry, "actions", actions);
        let line = reader.place(entry.key_at).line;
        let mut resource = Resource { owned, line, actions: BTreeMap::new() };
        for action in actions.and_then(|value| reader.strings(&value)).unwrap_or_default() {
            let place = reader.place(action.at);
            if !expect_name("action", action.text, place, reader.findings()) {
                continue;
            }
            let Some(id) = self.add(entry.key, action.text, place.line) else {
                let fix = format!("a bundle holds {PERMISSIONS_MAX} permissions");
                let message = format!("`{}` is one action too many", action.text);
                reader.findings().add(Code::TooMany, place, message, fix);
                break;
            };
            resource.actions.insert(action.text.to_owned(), id);
        }
        self.by_name.insert(entry.key.to_owned(), resource);
    }

    fn add(&mut self, resource: &str, action: &str, line: u32) -> Option<PermissionId> {
        let id = u16::try_from(self.permissions.len()).ok().filter(|id| *id < PERMISSIONS_MAX)?;
        self.permissions.push(Permission {
            name: format!("{resource}.{action}"),
            resource: resource.to_owned(),
            action: action.to_owned(),
            line,
        });
        Some(PermissionId(id))
    }

    /// The number of permissions.
    pub(crate) fn count(&self) -> usize {
        self.permissions.len()
    }

    /// Every permission.
    pub(crate) fn ids(&self) -> impl Iterator<Item = PermissionId> + use<> {
        (0..self.permissions.len()).filter_map(|id| u16::try_from(id).ok()).map(PermissionId)
    }

    /// A resource by its name.
    pub(crate) fn resource(&self, name: &str) -> Option<&Resource> {
        self.by_name.get(name)
    }

    /// Every resource, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Resource)> {
        self.by_name.iter().map(|(name, resource)| (name.as_str(), resource))
    }

    /// The names of all resources.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// A permission by its name, `resource.action`.
    pub(crate) fn find(&self, name: &str) -> Option<PermissionId> {
        let (resource, action) = name.split_once('.')?;
        self.resource(resource)?.action(action)
    }

    /// The name of a permission of this bundle; empty for one of another.
    pub(crate) fn name(&self, permission: PermissionId) -> &str {
        self.permissions.get(permission.index()).map_or("", |permission| &permission.name)
    }

    /// The resource and the action of a permission, by name.
    pub(crate) fn parts(&self, permission: PermissionId) -> (&str, &str) {
        self.permissions
            .get(permission.index())
            .map_or(("", ""), |permission| (&permission.resource, &permission.action))
    }

    /// The line on which a permission is declared; 0 for one of another bundle.
    pub(crate) fn line(&self, permission: PermissionId) -> u32 {
        self.permissions.get(permission.index()).map_or(0, |permission| permission.line)
    }

    /// Whether what a permission is about belongs to somebody.
    pub(crate) fn is_owned(&self, permission: PermissionId) -> bool {
        self.resource(self.parts(permission).0).is_some_and(|resource| resource.owned)
    }

    /// Advice for somebody who wrote `name`, which is no permission.
    pub(crate) fn advice(&self, name: &str) -> String {
        let names = self.permissions.iter().map(|permission| permission.name.as_str());
        nearest(name, names, "declare it in [resources]")
    }
}

impl Resource {
    /// One of its actions.
    pub(crate) fn action(&self, name: &str) -> Option<PermissionId> {
        self.actions.get(name).copied()
    }

    /// The permissions of its actions.
    pub(crate) fn permissions(&self) -> impl Iterator<Item = PermissionId> {
        self.actions.values().copied()
    }

    /// The names of its actions.
    pub(crate) fn actions(&self) -> impl Iterator<Item = &str> {
        self.actions.keys().map(String::as_str)
    }
}
