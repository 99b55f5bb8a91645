//! How a role comes to another by inheritance, link by link.

use std::collections::{BTreeMap, VecDeque};

use super::{Place, Step};
use crate::bundle::Bundle;
use crate::files::ROLES_FILE;
use crate::names::RoleId;
use crate::role_set::RoleSet;
use crate::roles::Link;

/// The shortest way from one of `held` down to `goal`; of equal ones, that over earlier lines.
/// Empty where none leads there.
pub(super) fn path(bundle: &Bundle, held: RoleSet, goal: RoleId) -> Vec<Step> {
    let mut links: Vec<&Link> = bundle.links().iter().collect();
    links.sort_by_key(|link| link.line);
    let mut came_by: BTreeMap<RoleId, Option<&Link>> = held.iter().map(|r| (r, None)).collect();
    let mut waiting: VecDeque<RoleId> = held.iter().collect();
    while let Some(role) = waiting.pop_front() {
        for link in links.iter().filter(|link| link.senior == role) {
            came_by.entry(link.junior).or_insert_with(|| {
                waiting.push_back(link.junior);
                Some(link)
            });
        }
    }
    let mut steps = Vec::new();
    let mut at = Some(goal);
    // INVARIANT: each step goes to a role that was reached before, so this ends.
    while let Some(role) = at {
        let Some(link) = came_by.get(&role) else { return Vec::new() };
        let place = link.map(|link| Place { file: ROLES_FILE, line: link.line });
        steps.push(Step { role: bundle.role_name(role).to_owned(), link: place });
        at = link.map(|link| link.senior);
    }
    steps.reverse();
    steps
}
