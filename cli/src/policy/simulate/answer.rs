//! What a simulated request gets, in the words of cases.

use std::io::Write as _;
use std::net::IpAddr;

use serde::Serialize;
use stockade_policy::{
    Age, Asker, Bundle, Denial, ELSEWHERE, InactiveRole, Judgement, Outcome, Unmet,
};

use super::curl::CurlRequest;
use crate::render::{Screen, Tone, visible};

/// What the caller has to show.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) asker: Asker,
    /// Roles of the policy.
    pub(super) known: Vec<String>,
    /// Names that are no role of the policy, and hold nothing.
    pub(super) unknown: Vec<String>,
    /// Whether all of it is what a token claims.
    pub(super) is_claimed: bool,
}

/// What the edge says.
#[derive(Debug)]
pub(super) enum Verdict<'b> {
    /// The path has more than one meaning; the policy is not asked.
    Ambiguous(String),
    /// The policy's judgement about a canonical path.
    Judged { judgement: Judgement<'b>, path: String },
}

/// The answer for programs; and for people, printed.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    method: &'a str,
    /// The canonical path; as written, where there is none.
    path: &'a str,
    route: Option<&'a str>,
    /// The route's line in `routes.toml`.
    line: Option<u32>,
    permission: Option<&'a str>,
    roles: &'a [String],
    /// Names in the token that are no roles of the policy.
    unknown_roles: &'a [String],
    /// Why some of the roles do not count here and now.
    inactive: Vec<String>,
    from: Option<IpAddr>,
    mfa_age_secs: Option<u64>,
    /// Whether the roles are a token's, which nobody has verified.
    unverified: bool,
    outcome: Told<'a>,
}

/// An outcome, written as in a case.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Told<'a> {
    Allow(&'static str),
    Deny { deny: &'static str, why: &'static str },
    Ambiguous { ambiguous: &'a str },
}

impl<'a> Answer<'a> {
    pub(super) fn new(
        request: &'a CurlRequest,
        held: &'a Held,
        bundle: &'a Bundle,
        verdict: &'a Verdict<'a>,
    ) -> Self {
        let (judgement, path, outcome) = match verdict {
            Verdict::Ambiguous(why) => {
                (None, request.target.as_str(), Told::Ambiguous { ambiguous: why })
            }
            Verdict::Judged { judgement, path } => {
                (Some(judgement), path.as_str(), Told::of(judgement.outcome))
            }
        };
        let route = judgement.and_then(|judgement| judgement.route);
        let activation = judgement.and_then(|judgement| judgement.activation.as_ref());
        let inactive = activation.iter().flat_map(|activation| &activation.inactive);
        Self {
            method: &request.method,
            path,
            route: route.map(|route| route.id.as_str()),
            line: route.map(|route| route.line),
            permission: route.map(|route| bundle.permission_name(route.needs)),
            roles: &held.known,
            unknown_roles: &held.unknown,
            inactive: inactive.map(|inactive| unmet(inactive, bundle)).collect(),
            from: held.asker.at.from,
            mfa_age_secs: held.asker.at.mfa_age_secs,
            unverified: held.is_claimed,
            outcome,
        }
    }

    pub(super) fn is_yes(&self) -> bool {
        matches!(self.outcome, Told::Allow(_))
    }

    pub(super) fn print(&self, screen: &mut Screen<'_>) -> anyhow::Result<()> {
        let look = screen.look();
        if self.unverified {
            let warning = look.paint(Tone::Bad, "THE TOKEN IS NOT VERIFIED");
            writeln!(screen, "{warning}: its roles are taken as they stand")?;
        }
        let request = format!("{} {}", self.method, visible(self.path));
        writeln!(screen, "{}", look.paint(Tone::Strong, &request))?;
        if let (Some(route), Some(line), Some(permission)) =
            (self.route, self.line, self.permission)
        {
            writeln!(screen, "route:       {route} (routes.toml:{line})")?;
            writeln!(screen, "permission:  {permission}")?;
        }
        let roles = if self.roles.is_empty() { "none" } else { &self.roles.join(", ") };
        writeln!(screen, "roles:       {roles}")?;
        for name in self.unknown_roles {
            writeln!(screen, "             `{}` is no role of the policy", visible(name))?;
        }
        for reason in &self.inactive {
            writeln!(screen, "             {reason}")?;
        }
        match &self.outcome {
            Told::Allow(scope) => {
                writeln!(screen, "outcome:     {}", look.paint(Tone::Good, scope))?;
            }
            Told::Deny { deny, why } => {
                let deny = format!("{{deny: {deny}}}");
                writeln!(screen, "outcome:     {}, {why}", look.paint(Tone::Bad, &deny))?;
            }
            Told::Ambiguous { ambiguous } => {
                let refused = look.paint(Tone::Bad, "refused");
                writeln!(screen, "outcome:     {refused} before the policy is asked: {ambiguous}")?;
            }
        }
        self.print_case(screen)
    }

    /// The same as a case, ready for `cases/*.yaml`.
    fn print_case(&self, screen: &mut Screen<'_>) -> anyhow::Result<()> {
        if self.unverified && self.roles.is_empty() {
            // A case knows no caller who shows a token and holds nothing.
            return Ok(());
        }
        let (may, expect) = match &self.outcome {
            Told::Allow(scope) => ("may", (*scope).to_owned()),
            Told::Deny { deny, .. } => ("may not", format!("{{deny: {deny}}}")),
            Told::Ambiguous { .. } => return Ok(()),
        };
        let (method, path) = (self.method, self.path);
        let who = if self.roles.is_empty() { "a visitor" } else { &self.roles.join(" and ") };
        let look = screen.look();
        writeln!(screen, "\n{}", look.paint(Tone::Faint, "# as a case"))?;
        writeln!(screen, "- {who} {may} {method} {path}:")?;
        writeln!(screen, "    as: [{}]", self.roles.join(", "))?;
        match self.from {
            None => writeln!(screen, "    from: unknown")?,
            Some(ELSEWHERE) => {}
            Some(from) => writeln!(screen, "    from: \"{from}\"")?,
        }
        if let Some(age) = self.mfa_age_secs {
            writeln!(screen, "    mfa: {}", Age(age))?;
        }
        writeln!(screen, "    request: {method} {path}")?;
        writeln!(screen, "    expect: {expect}")?;
        Ok(())
    }
}

impl Told<'_> {
    fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Allow(scope) => Self::Allow(scope.as_str()),
            Outcome::Deny(denial) => Self::Deny { deny: denial.as_str(), why: why(denial) },
        }
    }
}

fn why(denial: Denial) -> &'static str {
    match denial {
        Denial::Role => "no role that counts has the permission",
        Denial::Network => "the caller is not in the network that is asked for",
        Denial::Mfa => "a second factor is asked for, or a fresher one",
        Denial::Route => "no route has this path",
        Denial::Method => "the path is known, the method is not one of its own",
        Denial::Token => "the route asks for a token",
    }
}

fn unmet(inactive: &InactiveRole, bundle: &Bundle) -> String {
    let role = bundle.role_name(inactive.role);
    match inactive.unmet {
        Unmet::Network(network) => {
            let name = bundle.networks().get(network).map_or("", |network| network.name.as_str());
            format!("`{role}` does not count outside of the network `{name}`")
        }
        Unmet::Mfa(secs) => {
            format!(
                "`{role}` does not count without a second factor of the last {}",
                Age::from(secs)
            )
        }
    }
}
