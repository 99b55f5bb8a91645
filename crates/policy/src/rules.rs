//! The rules of a bundle (`policy.csv`): which role may do what to whose.

use std::collections::HashMap;

use crate::finding::{Code, Findings, Place, nearest};
use crate::mode::Mode;
use crate::names::{PermissionId, RoleId};
use crate::resources::Resources;
use crate::roles::Roles;
use crate::rows::{Field, Row, Shape};
use crate::source::Source;
use crate::table::Scope;

const SHAPE: Shape<5> = Shape {
    row_type: "p",
    fields: ["role", "resource", "action", "scope", "effect"],
    mark: Some("shadow"),
};

/// What a rule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

impl Effect {
    /// The word in `policy.csv`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Allow, Self::Deny].into_iter().find(|effect| effect.as_str() == text)
    }
}

/// One row of `policy.csv`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Rule {
    /// Whom it is about, and all who inherit from them.
    pub role: RoleId,
    /// What it is about.
    pub permission: PermissionId,
    /// To whose.
    pub scope: Scope,
    /// What it does.
    pub effect: Effect,
    /// Whether it counts, or is only tried.
    pub mode: Mode,
    /// The line of `policy.csv`.
    pub line: u32,
}

/// What rows may name. A part that could not be read itself is not compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) roles: Option<&'a Roles>,
    pub(crate) resources: Option<&'a Resources>,
}

/// Reads `policy.csv`, noting every row that is not a rule over what is known.
pub(crate) fn read(source: &Source<'_>, known: Known<'_>, findings: &mut Findings) -> Vec<Rule> {
    let before = findings.count();
    let rows = SHAPE.read(source, findings);
    if rows.is_empty() && findings.count() == before {
        let fix = "write at least one row, such as `p, anonymous, products, read, any, allow`";
        findings.add(Code::NoRules, Place::start_of(source.file()), "there is no rule", fix);
    }
    let mut lines = HashMap::with_capacity(rows.len());
    let rules = rows.iter().filter_map(|row| {
        note_repetition(&mut lines, row, findings);
        read_rule(row, known, findings)
    });
    rules.collect()
}

fn note_repetition<'a>(
    lines: &mut HashMap<[&'a str; 5], u32>,
    row: &Row<'a, 5>,
    findings: &mut Findings,
) {
    let first = *lines.entry(row.fields.map(|field| field.text)).or_insert(row.at.line);
    if first != row.at.line {
        let message = format!("the row repeats line {first}");
        findings.add(Code::Duplicate, row.at, message, "remove one of the two");
    }
}

fn read_rule(row: &Row<'_, 5>, known: Known<'_>, findings: &mut Findings) -> Option<Rule> {
    let [role, resource, action, scope, effect] = row.fields;
    let role = read_role(role, known.roles, findings);
    let permission = read_permission(resource, action, known.resources, findings);
    let scope = read_scope(scope, resource, known.resources, findings);
    let effect = read_effect(effect, findings);
    let mode = if row.marked { Mode::Shadow } else { Mode::Enforce };
    let (role, permission, scope, effect) = (role?, permission?, scope?, effect?);
    Some(Rule { role, permission, scope, effect, mode, line: row.at.line })
}

fn read_role(field: Field<'_>, roles: Option<&Roles>, findings: &mut Findings) -> Option<RoleId> {
    let roles = roles?;
    let found = roles.find(field.text);
    if found.is_none() {
        let fix = nearest(field.text, roles.names(), "add it to roles.csv");
        let message = format!("the role `{}` is not known", field.text);
        findings.add(Code::UnknownRole, field.at, message, fix);
    }
    found
}

fn read_permission(
    resource: Field<'_>,
    action: Field<'_>,
    resources: Option<&Resources>,
    findings: &mut Findings,
) -> Option<PermissionId> {
    let resources = resources?;
    let Some(declared) = resources.resource(resource.text) else {
        let fix = nearest(resource.text, resources.names(), "declare it in [resources]");
        let message = format!("the resource `{}` is not declared", resource.text);
        findings.add(Code::UnknownResource, resource.at, message, fix);
        return None;
    };
    let found = declared.action(action.text);
    if found.is_none() {
        let fix = nearest(action.text, declared.actions(), "declare it in [resources]");
        let message = format!("`{}` has no action `{}`", resource.text, action.text);
        findings.add(Code::UnknownAction, action.at, message, fix);
    }
    found
}

fn read_scope(
    field: Field<'_>,
    resource: Field<'_>,
    resources: Option<&Resources>,
    findings: &mut Findings,
) -> Option<Scope> {
    let Some(scope) = Scope::parse(field.text) else {
        let fix = word_fix(field.text, &["own", "others", "any"]);
        let message = format!("`{}` is no scope", field.text);
        findings.add(Code::UnknownScope, field.at, message, fix);
        return None;
    };
    let declared = resources.and_then(|resources| resources.resource(resource.text));
    if scope != Scope::Any && declared.is_some_and(|resource| !resource.owned) {
        let message = format!("nobody owns `{}`, so `{scope}` has no meaning", resource.text);
        let fix = "write `any`, or `owned = true` at the resource";
        findings.add(Code::ScopeWithoutOwner, field.at, message, fix);
        return None;
    }
    Some(scope)
}

fn read_effect(field: Field<'_>, findings: &mut Findings) -> Option<Effect> {
    let effect = Effect::parse(field.text);
    if effect.is_none() {
        let fix = word_fix(field.text, &["allow", "deny"]);
        let message = format!("`{}` is no effect", field.text);
        findings.add(Code::UnknownEffect, field.at, message, fix);
    }
    effect
}

/// Advice for a word of a closed list.
fn word_fix(text: &str, words: &[&str]) -> String {
    match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        Some(word) => format!("write `{word}` in lower case"),
        None => nearest(text, words.iter().copied(), &format!("write `{}`", words.join("` or `"))),
    }
}
