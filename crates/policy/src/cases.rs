//! Cases: sentences about who may do what, each tried against a bundle.
//!
//! A request and what it gets:
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
//! have shown none. `request` may be a list, and `each` says in place of `as` and `expect` what
//! each role gets by itself; both make one case for every request and role:
//!
//! ```yaml
//! - admins keep the catalog:
//!     from: 127.0.0.1
//!     request: [POST /api/products, PATCH /api/products/42]
//!     each: {anonymous: {deny: token}, customer: {deny: role}, admin: any}
//! ```
//!
//! An invariant bounds what these roles have with all conditions met, whatever the request:
//!
//! ```yaml
//! - a visitor is allowed nothing but the catalog and joining:
//!     as: []
//!     only: [products.read, "auth.*"]
//! - a customer never moves stock:
//!     as: [customer]
//!     never: [inventory.move]
//!     only_routes: [products, orders, order]
//! ```
//!
//! A case runs over a bundle alone: no server, no token, no clock.

use serde_saphyr::{Location, Spanned};

use crate::bundle::Bundle;
use crate::files::FILE_BYTES_MAX;
use crate::finding::{Code, Finding, Findings, Place};
use crate::source::Source;

pub(crate) mod invariant;
pub(crate) mod request;
mod resolve;
mod written;

use self::invariant::Invariant;
use self::request::Request;
use self::written::Item;

/// The most cases one file can hold, tables written out.
const CASES_MAX: usize = 100_000;

/// One case, ready to run over the bundle it was read for.
#[derive(Debug)]
pub struct Case {
    file: String,
    line: u32,
    sentence: String,
    claim: Claim,
}

/// What a case claims.
#[derive(Debug)]
pub(crate) enum Claim {
    /// What one request gets.
    Request(Request),
    /// What some roles have at most.
    Invariant(Invariant),
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
    pub expected: String,
    /// What happens; the same words where the case holds.
    pub got: String,
}

impl CaseResult {
    /// Whether what happens is what should.
    pub fn passed(&self) -> bool {
        self.expected == self.got
    }
}

/// Reads a file of cases. Names are looked up in `bundle`, so that a misspelled one is noticed.
pub fn parse(file: &str, bytes: &[u8], bundle: &Bundle) -> Result<Vec<Case>, Vec<Finding>> {
    let mut findings = Findings::default();
    let cases = read(file, bytes, bundle, &mut findings);
    cases.filter(|_| findings.is_empty()).ok_or_else(|| findings.into_sorted())
}

impl Case {
    /// What it claims.
    pub(crate) fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Runs the case over the bundle it was read for.
    pub fn run(&self, bundle: &Bundle) -> CaseResult {
        let (expected, got) = match &self.claim {
            Claim::Request(request) => {
                (request.expected.to_string(), request.outcome(bundle).to_string())
            }
            Claim::Invariant(invariant) => {
                let (bound, breaches) = (invariant.to_string(), invariant.breaches(bundle));
                let got = if breaches.is_empty() { bound.clone() } else { breaches.join(", ") };
                (bound, got)
            }
        };
        let (file, sentence) = (self.file.clone(), self.sentence.clone());
        CaseResult { file, line: self.line, sentence, expected, got }
    }
}

fn read(file: &str, bytes: &[u8], bundle: &Bundle, findings: &mut Findings) -> Option<Vec<Case>> {
    if bytes.len() > FILE_BYTES_MAX {
        let message = "the file is larger than 4 MiB";
        findings.add(Code::FileTooLarge, Place::start_of(file), message, "split it");
        return None;
    }
    let source = Source::read(file, bytes, findings)?;
    let items: Vec<Spanned<Item>> = match serde_saphyr::from_str(source.text()) {
        Ok(items) => items,
        Err(error) => {
            let at = error.location().map_or(Place::start_of(file), |at| place(file, at));
            let message = error.without_snippet().to_string().replace('\n', " ");
            findings.add(Code::CaseSyntax, at, message, resolve::SHAPE);
            return None;
        }
    };
    let mut cases = Vec::new();
    for item in items {
        resolve::Resolver { file, bundle, findings }.resolve(item, &mut cases);
        if cases.len() > CASES_MAX {
            let message = format!("the file holds more than {CASES_MAX} cases");
            findings.add(Code::TooMany, Place::start_of(file), message, "split it");
            return None;
        }
    }
    Some(cases)
}

fn place(file: &str, at: Location) -> Place<'_> {
    let bounded = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    Place { file, line: bounded(at.line()), column: bounded(at.column()) }
}

#[cfg(test)]
mod tests;
