//! From cases as written to cases that can run: every name is looked up, every mistake noted.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_saphyr::{Location, Spanned};

use super::invariant::{Bound, Invariant};
use super::request::Request;
use super::written::{Each, Expectation, Item, OneOrMore, Written};
use super::{CASES_MAX, Case, Claim, place};
use crate::activation::{Circumstances, ELSEWHERE};
use crate::bundle::Bundle;
use crate::finding::{Code, Findings, Place, nearest};
use crate::measure::Age;
use crate::names::{PermissionId, RoleId, RouteId};
use crate::role_set::RoleSet;

/// The fix for a file that is not understood.
pub(super) const SHAPE: &str =
    "write `- sentence: {as: [role], request: GET /path, expect: own}`, one case per item";

/// The fix for an invariant that is not understood.
const SHAPE_OF_INVARIANT: &str =
    "write `- sentence: {as: [role], only: [resource.action]}`, or `never` or `only_routes`";

/// Looks names up for one file.
#[derive(Debug)]
pub(super) struct Resolver<'r> {
    pub(super) file: &'r str,
    pub(super) bundle: &'r Bundle,
    pub(super) findings: &'r mut Findings,
}

/// Somebody, what they are called in a table, and what they should get.
type Row = (RoleSet, Option<String>, Expectation);

impl<'r> Resolver<'r> {
    /// Adds what an item claims to `cases`.
    pub(super) fn resolve(&mut self, item: Spanned<Item>, cases: &mut Vec<Case>) {
        let at = self.place(item.referenced);
        let mut claims = item.value.into_iter();
        let (Some((sentence, written)), None) = (claims.next(), claims.next()) else {
            return self.findings.add(
                Code::CaseSyntax,
                at,
                "an item holds exactly one case",
                SHAPE,
            );
        };
        let claims = if written.request.is_some() {
            self.resolve_requests(at, &written)
        } else {
            let invariant = self.resolve_invariant(at, &written);
            invariant.map(|invariant| vec![(String::new(), Claim::Invariant(invariant))])
        };
        cases.extend(claims.into_iter().flatten().map(|(detail, claim)| Case {
            file: self.file.to_owned(),
            line: at.line,
            sentence: format!("{sentence}{detail}"),
            claim,
        }));
    }

    /// One claim for every request and everybody in the table, with what tells it from the rest.
    fn resolve_requests(
        &mut self,
        at: Place<'_>,
        written: &Written,
    ) -> Option<Vec<(String, Claim)>> {
        if written.only.is_some() || written.never.is_some() || written.only_routes.is_some() {
            let message = "an invariant has no request";
            self.findings.add(Code::CaseSyntax, at, message, SHAPE_OF_INVARIANT);
            return None;
        }
        let rows = self.resolve_rows(at, written)?;
        let circumstances = self.resolve_circumstances(written);
        let asked = written.request.as_ref()?;
        let texts: Vec<(&str, Location)> = match &asked.value {
            OneOrMore::One(text) => vec![(text, asked.referenced)],
            OneOrMore::More(texts) => {
                texts.iter().map(|text| (text.value.as_str(), text.referenced)).collect()
            }
        };
        if texts.is_empty() {
            self.findings.add(Code::CaseSyntax, at, "the case has no request", SHAPE);
        }
        if texts.len().saturating_mul(rows.len()) > CASES_MAX {
            let message = format!("the table makes more than {CASES_MAX} cases");
            self.findings.add(Code::TooMany, at, message, "split it");
            return None;
        }
        let is_table = matches!(&asked.value, OneOrMore::More(_));
        let mut claims = Vec::new();
        for (text, referenced) in texts {
            let Some((method, path)) = self.resolve_request(text, referenced) else { continue };
            for (held, name, expected) in &rows {
                let request = is_table.then_some(text).into_iter();
                let detail: Vec<&str> = name.as_deref().into_iter().chain(request).collect();
                let detail = match detail.as_slice() {
                    [] => String::new(),
                    some => format!(" ({})", some.join(", ")),
                };
                let (method, path) = (method.to_owned(), path.to_owned());
                let (held, expected) = (*held, (*expected).into());
                let request = Request { held, at: circumstances?, method, path, expected };
                claims.push((detail, Claim::Request(request)));
            }
        }
        Some(claims)
    }

    /// Who asks: those of `as`, or each role by itself.
    fn resolve_rows(&mut self, at: Place<'_>, written: &Written) -> Option<Vec<Row>> {
        match (&written.held, written.expect, &written.each) {
            (Some(held), Some(expected), None) => {
                Some(vec![(self.resolve_roles(held), None, expected)])
            }
            (None, None, Some(Each(rows))) => {
                let rows = rows.iter().filter_map(|(name, expected)| {
                    let role = self.resolve_role(name)?;
                    Some((RoleSet::of(role), Some(name.value.clone()), *expected))
                });
                Some(rows.collect())
            }
            _ => {
                let message = "a request goes with `as` and `expect`, or with `each` alone";
                self.findings.add(Code::CaseSyntax, at, message, SHAPE);
                None
            }
        }
    }

    fn resolve_invariant(&mut self, at: Place<'_>, written: &Written) -> Option<Invariant> {
        let Written { held, from, mfa, expect, each, only, never, only_routes, .. } = written;
        let bounds = only.is_some() || never.is_some() || only_routes.is_some();
        let (Some(held), true, None, None) = (held, bounds, expect, each) else {
            self.findings.add(Code::CaseSyntax, at, "the case has no request", SHAPE);
            return None;
        };
        if from.is_some() || mfa.is_some() {
            let message = "an invariant holds with all conditions met, wherever somebody is";
            self.findings.add(Code::CaseSyntax, at, message, SHAPE_OF_INVARIANT);
        }
        Some(Invariant {
            held: self.resolve_roles(held),
            only: only.as_ref().map(|texts| self.bound(texts, Self::resolve_permissions)),
            never: never.as_ref().map(|texts| self.bound(texts, Self::resolve_permissions)),
            only_routes: only_routes.as_ref().map(|ids| self.bound(ids, Self::resolve_route)),
        })
    }

    fn bound<T: Ord>(
        &mut self,
        texts: &[Spanned<String>],
        resolve: fn(&mut Self, &Spanned<String>) -> Vec<T>,
    ) -> Bound<T> {
        let items: BTreeSet<T> = texts.iter().flat_map(|text| resolve(self, text)).collect();
        Bound { items, written: texts.iter().map(|text| text.value.clone()).collect() }
    }

    /// The permissions of `resource.action`, or of `resource.*`.
    fn resolve_permissions(&mut self, text: &Spanned<String>) -> Vec<PermissionId> {
        let (resources, at) = (self.bundle.resources(), self.place(text.referenced));
        if let Some(resource) = text.value.strip_suffix(".*") {
            let Some(declared) = resources.resource(resource) else {
                let fix = nearest(resource, resources.names(), "write a resource of routes.toml");
                let message = format!("the resource `{resource}` is not declared");
                self.findings.add(Code::UnknownResource, at, message, fix);
                return Vec::new();
            };
            return declared.permissions().collect();
        }
        let found = resources.find(&text.value);
        if found.is_none() {
            let message = format!("the permission `{}` is not declared", text.value);
            let fix = resources.advice(&text.value);
            self.findings.add(Code::UnknownPermission, at, message, fix);
        }
        found.into_iter().collect()
    }

    fn resolve_route(&mut self, id: &Spanned<String>) -> Vec<RouteId> {
        let found = self.bundle.routes().by_id(&id.value);
        if found.is_none() {
            let known = self.bundle.routes().iter().map(|route| route.id.as_str());
            let fix = nearest(&id.value, known, "write a route of routes.toml");
            let message = format!("there is no route `{}`", id.value);
            self.findings.add(Code::CaseRoute, self.place(id.referenced), message, fix);
        }
        found.map(|route| route.index).into_iter().collect()
    }

    fn resolve_roles(&mut self, names: &[Spanned<String>]) -> RoleSet {
        names.iter().filter_map(|name| self.resolve_role(name)).collect()
    }

    fn resolve_role(&mut self, name: &Spanned<String>) -> Option<RoleId> {
        let role = self.bundle.role(&name.value);
        if role.is_none() {
            let message = format!("the role `{}` is not known", name.value);
            let fix = self.bundle.role_advice(&name.value);
            self.findings.add(Code::UnknownRole, self.place(name.referenced), message, fix);
        }
        role
    }

    fn resolve_circumstances(&mut self, written: &Written) -> Option<Circumstances> {
        let from = match &written.from {
            Some(from) => self.resolve_address(from),
            None => Some(Some(ELSEWHERE)),
        };
        let mfa_age_secs = match &written.mfa {
            Some(age) => Some(self.resolve_age(age)?),
            None => None,
        };
        Some(Circumstances { from: from?, mfa_age_secs })
    }

    /// The address of `from`: nothing inside where it is `unknown`, nothing at all where it is
    /// wrong.
    fn resolve_address(&mut self, from: &Spanned<String>) -> Option<Option<IpAddr>> {
        if from.value == "unknown" {
            return Some(None);
        }
        let address = from.value.parse().ok();
        if address.is_none() {
            let message = format!("`{}` is no address", from.value);
            let fix = "write an IPv4 or IPv6 address, or `unknown`";
            self.findings.add(Code::CaseAddress, self.place(from.referenced), message, fix);
        }
        address.map(Some)
    }

    /// How long ago the second factor was, in seconds.
    fn resolve_age(&mut self, age: &Spanned<String>) -> Option<u64> {
        let parsed: Option<Age> = age.value.parse().ok();
        if parsed.is_none() {
            let message = format!("`{}` is no age", age.value);
            let fix = "write how long ago the second factor was, such as `5m`";
            self.findings.add(Code::CaseAge, self.place(age.referenced), message, fix);
        }
        parsed.map(|age| age.0)
    }

    /// The method and the path of a request.
    fn resolve_request<'t>(&mut self, text: &'t str, at: Location) -> Option<(&'t str, &'t str)> {
        let plain = |path: &str| {
            path.starts_with('/')
                && path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
        };
        let parts = text.split_once(' ').filter(|(method, path)| {
            !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) && plain(path)
        });
        if parts.is_none() {
            let message = format!("`{text}` is no request");
            let fix = "write a method and a path without query, such as `GET /api/orders/42`";
            self.findings.add(Code::CaseRequest, self.place(at), message, fix);
        }
        parts
    }

    fn place(&self, at: Location) -> Place<'r> {
        place(self.file, at)
    }
}
