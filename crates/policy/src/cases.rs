//! Cases: sentences about who may do what, each with a request and the expected answer.
//!
//! ```yaml
//! - a customer may read their own orders:
//!     as: [customer]
//!     from: 192.0.2.9
//!     request: GET /api/orders/42
//!     expect: own
//! ```
//!
//! Without `from`, the caller is at an address of no network; `from: unknown` is a caller whose
//! address is not known. `mfa: 5m` is a caller whose second factor is that old; without it they
//! have shown none. A case runs over a bundle alone: no server, no token, no clock.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_saphyr::{Location, Spanned};

use crate::activation::Circumstances;
use crate::bundle::Bundle;
use crate::files::FILE_BYTES_MAX;
use crate::finding::{Code, Finding, Findings, Place};
use crate::judge::{Asker, Caller, Denial, Outcome};
use crate::measure::parse_duration;
use crate::role_set::RoleSet;
use crate::source::Source;
use crate::table::Scope;

/// Where a caller is who is nowhere in particular (RFC 5737).
const ELSEWHERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 7));

/// One case, ready to run over the bundle it was read for.
#[derive(Debug)]
pub struct Case {
    file: String,
    line: u32,
    sentence: String,
    held: RoleSet,
    at: Circumstances,
    method: String,
    path: String,
    expected: Outcome,
}

/// How a case went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The file of the case, relative to the policy folder.
    pub file: String,
    /// The line of the case.
    pub line: u32,
    /// What the case claims.
    pub sentence: String,
    /// What should happen.
    pub expected: Outcome,
    /// What happens.
    pub got: Outcome,
}

impl CaseResult {
    /// Whether what happens is what should.
    pub fn passed(&self) -> bool {
        self.expected == self.got
    }
}

/// Reads a file of cases. Roles are looked up in `bundle`, so that a misspelled one is noticed.
pub fn parse(file: &str, bytes: &[u8], bundle: &Bundle) -> Result<Vec<Case>, Vec<Finding>> {
    let mut findings = Findings::default();
    let cases = read(file, bytes, bundle, &mut findings);
    cases.filter(|_| findings.is_empty()).ok_or_else(|| findings.into_sorted())
}

impl Case {
    /// Runs the case over the bundle it was read for.
    pub fn run(&self, bundle: &Bundle) -> CaseResult {
        CaseResult {
            file: self.file.clone(),
            line: self.line,
            sentence: self.sentence.clone(),
            expected: self.expected,
            got: bundle.judge(&self.asker(bundle), &self.method, &self.path),
        }
    }

    fn asker(&self, bundle: &Bundle) -> Asker {
        Asker { caller: Caller::holding(bundle, self.held), at: self.at }
    }
}

/// A case as written.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "as")]
    held: Vec<Spanned<String>>,
    from: Option<Spanned<String>>,
    mfa: Option<Spanned<String>>,
    request: Spanned<String>,
    expect: Expectation,
}

#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Expectation {
    Own,
    Others,
    Any,
    Deny(Denial),
}

impl From<Expectation> for Outcome {
    fn from(expectation: Expectation) -> Self {
        match expectation {
            Expectation::Own => Self::Allow(Scope::Own),
            Expectation::Others => Self::Allow(Scope::Others),
            Expectation::Any => Self::Allow(Scope::Any),
            Expectation::Deny(denial) => Self::Deny(denial),
        }
    }
}

fn read(file: &str, bytes: &[u8], bundle: &Bundle, findings: &mut Findings) -> Option<Vec<Case>> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = "the file is larger than 4 MiB";
        findings.add(Code::FileTooLarge, Place::start_of(file), message, "split it");
        return None;
    }
    let source = Source::read(file, bytes, findings)?;
    let written: Vec<Spanned<BTreeMap<String, Written>>> =
        match serde_saphyr::from_str(source.text()) {
            Ok(written) => written,
            Err(error) => {
                let at = error.location().map_or(Place::start_of(file), |at| place(file, at));
                let message = error.without_snippet().to_string().replace('\n', " ");
                findings.add(Code::CaseSyntax, at, message, SHAPE);
                return None;
            }
        };
    Some(written.into_iter().filter_map(|item| resolve(file, item, bundle, findings)).collect())
}

/// The fix for a file that is not understood.
const SHAPE: &str =
    "write `- sentence: {as: [role], request: GET /path, expect: own}`, one case per item";

fn resolve(
    file: &str,
    item: Spanned<BTreeMap<String, Written>>,
    bundle: &Bundle,
    findings: &mut Findings,
) -> Option<Case> {
    let at = place(file, item.referenced);
    let mut cases = item.value.into_iter();
    let (Some((sentence, written)), None) = (cases.next(), cases.next()) else {
        findings.add(Code::CaseSyntax, at, "an item holds exactly one case", SHAPE);
        return None;
    };
    let held = resolve_roles(file, &written.held, bundle, findings);
    let from = match &written.from {
        Some(from) => resolve_address(file, from, findings),
        None => Some(Some(ELSEWHERE)),
    };
    let mfa_age_secs = match &written.mfa {
        Some(age) => Some(resolve_age(file, age, findings)?),
        None => None,
    };
    let (method, path) = resolve_request(file, &written.request, findings)?;
    Some(Case {
        file: file.to_owned(),
        line: at.line,
        sentence,
        held,
        at: Circumstances { from: from?, mfa_age_secs },
        method,
        path,
        expected: written.expect.into(),
    })
}

fn resolve_roles(
    file: &str,
    names: &[Spanned<String>],
    bundle: &Bundle,
    findings: &mut Findings,
) -> RoleSet {
    let roles = names.iter().filter_map(|name| {
        let role = bundle.role(&name.value);
        if role.is_none() {
            let message = format!("the role `{}` is not known", name.value);
            let fix = bundle.role_advice(&name.value);
            findings.add(Code::UnknownRole, place(file, name.referenced), message, fix);
        }
        role
    });
    roles.collect()
}

/// The address of `from`: nothing inside where it is `unknown`, nothing at all where it is wrong.
fn resolve_address(
    file: &str,
    from: &Spanned<String>,
    findings: &mut Findings,
) -> Option<Option<IpAddr>> {
    if from.value == "unknown" {
        return Some(None);
    }
    let address = from.value.parse().ok();
    if address.is_none() {
        let message = format!("`{}` is no address", from.value);
        let fix = "write an IPv4 or IPv6 address, or `unknown`";
        findings.add(Code::CaseAddress, place(file, from.referenced), message, fix);
    }
    address.map(Some)
}

/// How long ago the second factor was, in seconds.
fn resolve_age(file: &str, age: &Spanned<String>, findings: &mut Findings) -> Option<u64> {
    let secs = parse_duration(&age.value);
    if secs.is_none() {
        let message = format!("`{}` is no age", age.value);
        let fix = "write how long ago the second factor was, such as `5m`";
        findings.add(Code::CaseAge, place(file, age.referenced), message, fix);
    }
    secs
}

fn resolve_request(
    file: &str,
    request: &Spanned<String>,
    findings: &mut Findings,
) -> Option<(String, String)> {
    let plain = |path: &str| {
        path.starts_with('/') && path.bytes().all(|b| b.is_ascii_graphic() && !b"?#".contains(&b))
    };
    let parts = request.value.split_once(' ').filter(|(method, path)| {
        !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase()) && plain(path)
    });
    if parts.is_none() {
        let message = format!("`{}` is no request", request.value);
        let fix = "write a method and a path without query, such as `GET /api/orders/42`";
        findings.add(Code::CaseRequest, place(file, request.referenced), message, fix);
    }
    parts.map(|(method, path)| (method.to_owned(), path.to_owned()))
}

fn place(file: &str, at: Location) -> Place<'_> {
    let bounded = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Place { file, line: bounded(at.line()), column: bounded(at.column()) }
}

#[cfg(test)]
mod tests;
