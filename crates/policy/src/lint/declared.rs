//! What is declared and not used. What is only tried counts as used.

use std::collections::BTreeSet;

use super::in_routes;
use crate::bundle::Bundle;
use crate::finding::{Code, Findings};
use crate::names::{LimitId, NetworkId, PermissionId};
use crate::rules::Effect;

/// The fix for whatever is not used.
const FIX: &str = "use it, or remove it";

/// Notes resources, permissions, networks and limits that nothing uses.
pub(super) fn note(bundle: &Bundle, findings: &mut Findings) {
    let uses = Uses::of(bundle);
    note_permissions(bundle, &uses, findings);
    for (network, id) in bundle.networks().iter().zip((0..).map(NetworkId)) {
        if !uses.networks.contains(&id) {
            let message = format!("nothing is kept to the network `{}`", network.name);
            findings.add(Code::UnusedNetwork, in_routes(network.line), message, FIX);
        }
    }
    for limit in bundle.limits().iter().filter(|limit| !uses.limits.contains(&limit.index)) {
        let message = format!("no route counts towards the limit `{}`", limit.name);
        findings.add(Code::UnusedLimit, in_routes(limit.line), message, FIX);
    }
}

fn note_permissions(bundle: &Bundle, uses: &Uses, findings: &mut Findings) {
    for (name, resource) in bundle.resources().iter() {
        let is_used = |id| uses.needed.contains(&id) || uses.ruled.contains(&id);
        if !resource.permissions().any(is_used) {
            let message = format!("no route and no rule is about `{name}`");
            findings.add(Code::UnusedResource, in_routes(resource.line), message, FIX);
            continue;
        }
        for permission in resource.permissions() {
            let name = bundle.permission_name(permission);
            let at = in_routes(bundle.permission_line(permission));
            if !uses.needed.contains(&permission) {
                let message = format!("no route needs `{name}`");
                findings.add(Code::UnneededPermission, at, message, FIX);
            }
            if !uses.granted.contains(&permission) {
                let message = format!("no rule allows anybody `{name}`");
                let fix = "allow a role, or remove it";
                findings.add(Code::UngrantedPermission, at, message, fix);
            }
        }
    }
}

/// What routes, rules and roles name.
#[derive(Debug)]
struct Uses {
    needed: BTreeSet<PermissionId>,
    ruled: BTreeSet<PermissionId>,
    granted: BTreeSet<PermissionId>,
    networks: BTreeSet<NetworkId>,
    limits: BTreeSet<LimitId>,
}

impl Uses {
    fn of(bundle: &Bundle) -> Self {
        let all = bundle.shadow().unwrap_or(bundle);
        let routes = || all.routes().iter();
        let rules = || all.rules().iter();
        let of_roles = bundle.roles().filter_map(|role| bundle.condition(role).network);
        let allows = rules().filter(|rule| rule.effect == Effect::Allow);
        Self {
            needed: routes().map(|route| route.needs).collect(),
            ruled: rules().map(|rule| rule.permission).collect(),
            granted: allows.map(|rule| rule.permission).collect(),
            networks: routes().filter_map(|route| route.network).chain(of_roles).collect(),
            limits: routes().flat_map(|route| route.limits.iter().copied()).collect(),
        }
    }
}
