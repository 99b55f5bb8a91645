//! Lint: what may stand in a policy and is probably not meant.
//!
//! Every warning is proven on the compiled bundle, never guessed from the text: "without this
//! rule nothing changes" means that no set of roles would be decided otherwise. Nothing found
//! here refuses a bundle, so that a hasty deny is never kept out by the rules it makes idle.
//!
//! | file | what it looks at |
//! |---|---|
//! | `rules` | rules without effect, and denies that reach further than meant |
//! | `roles` | roles without effect, and conditions that seniors lack |
//! | `routes` | routes that nobody, or not everybody who is allowed, can reach |
//! | `declared` | what is declared and not used |
//! | `ranges` | the address ranges of networks |

use crate::bundle::Bundle;
use crate::files::{POLICY_FILE, ROLES_FILE, ROUTES_FILE};
use crate::finding::{Code, Finding, Findings, Place};
use crate::mode::Mode;
use crate::names::RoleId;

mod addresses;
mod declared;
mod ranges;
mod roles;
mod routes;
mod rules;
mod tally;

pub(crate) use self::addresses::Addresses;
pub(crate) use self::routes::{can_be_there, listens_to};
use self::tally::Tally;
pub(crate) use self::tally::parts;

/// The most lines or names a message lists.
const LISTED_MAX: usize = 5;

/// Everything about a bundle that is probably not meant or must not be forgotten: warnings and
/// notes, at most 1000, by file and line.
pub fn lint(bundle: &Bundle) -> Vec<Finding> {
    let mut findings = Findings::default();
    let tally = Tally::of(bundle);
    // Rules come last: there may be more of them than are told, and the rest weighs more.
    roles::note(bundle, &tally, &mut findings);
    routes::note(bundle, &mut findings);
    ranges::note(bundle.networks(), &mut findings);
    declared::note(bundle, &mut findings);
    note_tried(bundle, &mut findings);
    rules::note(bundle, &tally, &mut findings);
    findings.into_sorted()
}

/// Notes what is in force nowhere but in the shadow decision.
fn note_tried(bundle: &Bundle, findings: &mut Findings) {
    let mut note = |at, what: String| {
        let message = format!("{what} is only tried");
        findings.add(Code::OnlyTried, at, message, "put it into force or remove it in time");
    };
    if let Some(shadow) = bundle.shadow() {
        for rule in shadow.rules().iter().filter(|rule| rule.mode == Mode::Shadow) {
            note(in_policy(rule.line), "the rule".to_owned());
        }
        for route in shadow.routes().iter().filter(|route| route.mode == Mode::Shadow) {
            note(in_routes(route.line), format!("the route `{}`", route.id));
        }
    }
    for limit in bundle.limits().iter().filter(|limit| limit.mode == Mode::Shadow) {
        note(in_routes(limit.line), format!("the limit `{}`", limit.name));
    }
}

fn in_policy(line: u32) -> Place<'static> {
    Place { file: POLICY_FILE, line, column: 1 }
}

fn in_roles(line: u32) -> Place<'static> {
    Place { file: ROLES_FILE, line, column: 1 }
}

fn in_routes(line: u32) -> Place<'static> {
    Place { file: ROUTES_FILE, line, column: 1 }
}

/// Where a role is mentioned first: as a senior, as a junior, or in `[roles]` alone.
fn place_of_role(bundle: &Bundle, role: RoleId) -> Place<'static> {
    let links = || bundle.links().iter();
    let senior = links().filter(|link| link.senior == role).map(|link| link.line).min();
    let junior = || links().filter(|link| link.junior == role).map(|link| link.line).min();
    match senior.or_else(junior) {
        Some(line) => in_roles(line),
        None => in_routes(bundle.condition(role).line),
    }
}

/// Some names as text: `` `a`, `b` ``.
fn names<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut rest = names.peekable();
    let shown: Vec<_> = rest.by_ref().take(LISTED_MAX).map(|name| format!("`{name}`")).collect();
    more(shown.join(", "), rest.count())
}

/// Some lines as text: `line 3`, `lines 3, 5`.
fn lines(lines: &[u32]) -> String {
    let shown: Vec<_> = lines.iter().take(LISTED_MAX).map(u32::to_string).collect();
    let noun = if lines.len() == 1 { "line" } else { "lines" };
    more(format!("{noun} {}", shown.join(", ")), lines.len().saturating_sub(LISTED_MAX))
}

fn more(shown: String, rest: usize) -> String {
    if rest == 0 { shown } else { format!("{shown} and {rest} more") }
}

#[cfg(test)]
mod tests;
