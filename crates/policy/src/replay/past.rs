//! One decision as it was recorded, in the words of the record.

use crate::judge::{Denial, Outcome};
use crate::replay::LeftOut;
use crate::roles::ANONYMOUS;
use crate::table::Scope;

/// A decision that was made. Texts are as the edge recorded them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past<'a> {
    /// When it was recorded, in milliseconds since 1970 UTC.
    pub time_ms: u64,
    /// Names it.
    pub decision_id: &'a str,
    /// The method that was asked.
    pub method: &'a str,
    /// The canonical path that was asked.
    pub path: &'a str,
    /// The id of the route that answered, or `-`.
    pub route: &'a str,
    /// The refusal's code; nothing where nobody refused.
    pub code: Option<&'a str>,
    /// The client's address, `unknown`, or whatever stands for it.
    pub client: &'a str,
    /// Whether it names an account: the caller had a token that was believed.
    pub has_account: bool,
    /// The roles the token named, separated by blanks; older records lack it.
    pub held: Option<&'a str>,
    /// The roles that were active, separated by blanks; empty where it did not come to that.
    pub roles: &'a str,
    /// How old the caller's second factor was, in seconds.
    pub mfa_secs: Option<u64>,
    /// The scope that was granted; nothing where none was.
    pub scope: Option<&'a str>,
}

/// Who asked, as far as a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who<'a> {
    Anonymous,
    /// The roles of the token.
    Holding(&'a str),
    /// Only the roles that were active: all that older records tell.
    Active(&'a str),
    /// It did not come to that, or an older record does not tell.
    NotRecorded,
}

impl Who<'_> {
    pub(super) fn is_old_record(self) -> bool {
        matches!(self, Self::Active(_) | Self::NotRecorded)
    }
}

impl<'a> Past<'a> {
    /// What the policy decided then.
    pub(super) fn outcome(&self) -> Result<Outcome, LeftOut> {
        // What was granted was granted, also where the body or the upstream failed afterwards.
        if let Some(scope) = self.scope {
            return Scope::parse(scope).map(Outcome::Allow).ok_or(LeftOut::OtherSchema);
        }
        let Some(code) = self.code else { return Err(LeftOut::Preflight) };
        denial(code).map(Outcome::Deny).ok_or_else(|| LeftOut::of_code(code))
    }

    pub(super) fn who(&self) -> Who<'a> {
        match (self.held, self.code) {
            (Some(held), _) => Who::Holding(held),
            (None, Some(TOKEN_MISSING)) => Who::Anonymous,
            (None, _) if self.has_account => Who::Active(self.roles),
            (None, _) if self.roles == ANONYMOUS => Who::Anonymous,
            (None, _) if self.roles.is_empty() => Who::NotRecorded,
            (None, _) => Who::Active(self.roles),
        }
    }
}

const TOKEN_MISSING: &str = "token_missing";

/// What a refusal's code says about the policy; nothing where the policy did not refuse.
fn denial(code: &str) -> Option<Denial> {
    Some(match code {
        "no_route" => Denial::Route,
        "method_not_allowed" => Denial::Method,
        TOKEN_MISSING => Denial::Token,
        "network_not_allowed" => Denial::Network,
        "mfa_required" => Denial::Mfa,
        "permission_denied" => Denial::Role,
        _ => return None,
    })
}
