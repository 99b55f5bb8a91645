//! `stockade policy who-can`: who is allowed this, and which lines make it so?

use std::io::Write as _;

use serde::Serialize;
use stockade_policy::{
    Access, Bundle, Clash, Effect, Link, Reason, Requirement, TargetError, WhoCan, who_can,
};

use super::{PoliciesArgs, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen, Tone, visible};

/// Where rules stand.
const POLICY_FILE: &str = "policy.csv";
/// Where links stand.
const ROLES_FILE: &str = "roles.csv";
/// Where routes and permissions stand.
const ROUTES_FILE: &str = "routes.toml";

/// Arguments of `stockade policy who-can`.
#[derive(Debug, clap::Args)]
pub(super) struct WhoCanArgs {
    /// A permission, such as `orders.read`, or a request, such as `GET /api/orders/42`.
    #[arg(value_name = "PERMISSION|REQUEST")]
    target: String,
    #[command(flatten)]
    policies: PoliciesArgs,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &WhoCanArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let format = args.output.format;
    let bundle = match args.policies.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, format, screen),
    };
    let found = match who_can(&bundle, &args.target) {
        Ok(found) => found,
        Err(error @ TargetError::Permission { .. }) => return Err(error.into()),
        Err(error @ (TargetError::NoRoute(_) | TargetError::Method { .. })) => {
            match format {
                Format::Human => {
                    let nobody = screen.look().paint(Tone::Bad, "nobody");
                    writeln!(screen, "{nobody}: {}", visible(&error.to_string()))?;
                }
                Format::Json => screen.json(&Report::of_nobody())?,
            }
            return Ok(Exit::No);
        }
    };
    match format {
        Format::Human => print_human(&bundle, &found, screen)?,
        Format::Json => screen.json(&Report::of(&bundle, &found))?,
    }
    Ok(if found.allowed.is_empty() { Exit::No } else { Exit::Done })
}

fn print_human(bundle: &Bundle, found: &WhoCan<'_>, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    print_heading(bundle, found, screen)?;
    for access in &found.allowed {
        let role = look.paint(Tone::Strong, bundle.role_name(access.role));
        let scope = look.paint(Tone::Good, access.scope.as_str());
        let conditions: Vec<String> = access.requirements.iter().map(condition).collect();
        let with = if conditions.is_empty() { "" } else { " with " };
        writeln!(screen, "{role}: {scope}{with}{}", conditions.join(" and "))?;
        for reason in access.allows.iter().chain(&access.denies) {
            writeln!(screen, "  {}", sentence(bundle, reason))?;
        }
    }
    if found.allowed.is_empty() {
        writeln!(screen, "{}", look.paint(Tone::Bad, "nobody"))?;
    }
    for Clash { roles: [role, holder], scope, denies, .. } in &found.clashes {
        let (role, holder) = (bundle.role_name(*role), bundle.role_name(*holder));
        let left = scope.map_or("nothing", |scope| scope.as_str());
        let lines: Vec<_> =
            denies.iter().map(|rule| format!("{POLICY_FILE}:{}", rule.line)).collect();
        writeln!(screen, "{role} and {holder} together: {left}, by {}", lines.join(", "))?;
    }
    Ok(())
}

/// The route, where one was asked about, and the permission.
fn print_heading(
    bundle: &Bundle,
    found: &WhoCan<'_>,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let look = screen.look();
    let place = |line: u32| format!("{ROUTES_FILE}:{line}");
    let name = bundle.permission_name(found.permission);
    if let Some(route) = found.route {
        let (id, auth, place) = (&route.id, route.auth, place(route.line));
        let place = look.paint(Tone::Place, &place);
        writeln!(screen, "{place}: {id}, needs {name}, auth {auth}")?;
        if !auth.reads_token() {
            writeln!(screen, "no token is read: everybody is anonymous")?;
        }
    }
    let place = place(bundle.permission_line(found.permission));
    writeln!(screen, "{}: {name}", look.paint(Tone::Place, &place))?;
    Ok(())
}

fn condition(requirement: &Requirement) -> String {
    let Requirement { text, file, line, .. } = requirement;
    format!("{text} ({file}:{line})")
}

/// A rule and the way to it: `policy.csv:30 allows any, through staff (roles.csv:8)`.
fn sentence(bundle: &Bundle, reason: &Reason) -> String {
    let Reason { rule, path, .. } = reason;
    let verb = match rule.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    };
    let step =
        |link: &Link| format!("{} ({ROLES_FILE}:{})", bundle.role_name(link.junior), link.line);
    let steps: Vec<String> = path.iter().map(step).collect();
    let through = if steps.is_empty() { "" } else { ", through " };
    format!("{POLICY_FILE}:{} {verb} {}{through}{}", rule.line, rule.scope, steps.join(", "))
}

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// The permission; nothing where no route answers.
    permission: Option<&'a str>,
    /// The route; nothing where a permission was asked about, or none answers.
    route: Option<&'a str>,
    allowed: Vec<AccessBody<'a>>,
    /// Pairs of which one takes something from the other.
    together: Vec<ClashBody<'a>>,
}

#[derive(Debug, Serialize)]
struct AccessBody<'a> {
    role: &'a str,
    scope: &'static str,
    conditions: Vec<ConditionBody<'a>>,
    allows: Vec<ReasonBody<'a>>,
    denies: Vec<ReasonBody<'a>>,
}

#[derive(Debug, Serialize)]
struct ConditionBody<'a> {
    text: &'a str,
    file: &'static str,
    line: u32,
}

#[derive(Debug, Serialize)]
struct ReasonBody<'a> {
    file: &'static str,
    line: u32,
    scope: &'static str,
    through: Vec<StepBody<'a>>,
}

#[derive(Debug, Serialize)]
struct StepBody<'a> {
    junior: &'a str,
    file: &'static str,
    line: u32,
}

#[derive(Debug, Serialize)]
struct ClashBody<'a> {
    roles: [&'a str; 2],
    /// What is left; nothing where it is denied whole.
    scope: Option<&'static str>,
    denies: Vec<PlaceBody>,
}

#[derive(Debug, Serialize)]
struct PlaceBody {
    file: &'static str,
    line: u32,
}

impl<'a> Report<'a> {
    fn of(bundle: &'a Bundle, found: &'a WhoCan<'a>) -> Self {
        Self {
            permission: Some(bundle.permission_name(found.permission)),
            route: found.route.map(|route| route.id.as_str()),
            allowed: found.allowed.iter().map(|access| AccessBody::of(bundle, access)).collect(),
            together: found.clashes.iter().map(|clash| ClashBody::of(bundle, clash)).collect(),
        }
    }

    fn of_nobody() -> Self {
        let (allowed, together) = (Vec::new(), Vec::new());
        Self { permission: None, route: None, allowed, together }
    }
}

impl<'a> AccessBody<'a> {
    fn of(bundle: &'a Bundle, access: &'a Access) -> Self {
        let condition = |met: &'a Requirement| ConditionBody {
            text: &met.text,
            file: met.file,
            line: met.line,
        };
        let reasons = |reasons: &[Reason]| {
            reasons.iter().map(|reason| ReasonBody::of(bundle, reason)).collect()
        };
        Self {
            role: bundle.role_name(access.role),
            scope: access.scope.as_str(),
            conditions: access.requirements.iter().map(condition).collect(),
            allows: reasons(&access.allows),
            denies: reasons(&access.denies),
        }
    }
}

impl<'a> ReasonBody<'a> {
    fn of(bundle: &'a Bundle, reason: &Reason) -> Self {
        let step = |link: &Link| StepBody {
            junior: bundle.role_name(link.junior),
            file: ROLES_FILE,
            line: link.line,
        };
        Self {
            file: POLICY_FILE,
            line: reason.rule.line,
            scope: reason.rule.scope.as_str(),
            through: reason.path.iter().map(step).collect(),
        }
    }
}

impl<'a> ClashBody<'a> {
    fn of(bundle: &'a Bundle, clash: &Clash) -> Self {
        let place = |line| PlaceBody { file: POLICY_FILE, line };
        Self {
            roles: clash.roles.map(|role| bundle.role_name(role)),
            scope: clash.scope.map(|scope| scope.as_str()),
            denies: clash.denies.iter().map(|rule| place(rule.line)).collect(),
        }
    }
}
