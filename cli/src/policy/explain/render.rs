//! Explanations as text: the outcome first, then a fact a line.

use std::io::Write as _;

use stockade_policy::explain::{Explanation, InactiveFacts, Missing, Place, RuleFacts};
use stockade_policy::{Age, Bundle, Limit, LimitCount, LimitKey};

use super::Question;
use super::codes;
use super::record::Record;
use crate::policy::log::Time;
use crate::render::{Screen, Tone, visible, wrap};

/// Rules and missing things told; more are counted.
const TOLD_MAX: usize = 3;

/// How far the texts are indented.
const INDENT: usize = 10;

/// A fact behind its label, wrapped there.
fn line(label: &str, text: &str, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    toned(Tone::Faint, label, text, screen)
}

/// A line whose label says how good it is.
fn toned(tone: Tone, label: &str, text: &str, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let look = screen.look();
    let room = look.columns().map(|columns| columns.saturating_sub(INDENT));
    let mut label = format!("{label:<9}");
    for line in wrap(&visible(text), room) {
        writeln!(screen, "{} {line}", look.paint(tone, &label))?;
        label = format!("{:<9}", "");
    }
    Ok(())
}

/// A dozen lines at most.
pub(super) fn explanation(
    told: &Explanation,
    question: &Question,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let (tone, label) = if told.allowed { (Tone::Good, "ALLOWED") } else { (Tone::Bad, "DENIED") };
    toned(tone, label, &outcome(told), screen)?;
    line("request", &format!("{} {}", question.method, question.path), screen)?;
    if let Some(route) = &told.route {
        line("route", &format!("{}: {} ({})", route.id, route.matches, place(&route.at)), screen)?;
        let network = route.network.as_ref().map(|name| format!("network {name}"));
        let mfa = route.mfa.as_ref().map(|age| format!("a second factor at most {age} old"));
        let token = match route.auth {
            "required" => Some("a token".to_owned()),
            "optional" => None,
            _ => Some("and tokens are not read".to_owned()),
        };
        let asks = [Some(route.needs.clone()), token, network, mfa];
        line("needs", &asks.into_iter().flatten().collect::<Vec<_>>().join(", "), screen)?;
    }
    line("caller", &caller(question), screen)?;
    if !told.active.is_empty() || !told.inactive.is_empty() {
        let active =
            if told.active.is_empty() { "none".to_owned() } else { told.active.join(", ") };
        line("active", &active, screen)?;
    }
    let inactive: Vec<_> = told.inactive.iter().map(inactive_text).collect();
    if !inactive.is_empty() {
        line("inactive", &shortened(inactive, "; "), screen)?;
    }
    if told.allowed {
        let rules: Vec<_> = told.rules.iter().map(rule_text).collect();
        lines("rule", &rules, screen)?;
    }
    lines("missing", &missing(told), screen)?;
    let nearest = told.missing.iter().find_map(|missing| match missing {
        Missing::Rule(rule) => Some(rule_text(rule)),
        _ => None,
    });
    if let Some(nearest) = nearest {
        line("nearest", &nearest, screen)?;
    }
    line("bundle", &told.bundle, screen)
}

/// One line for each, up to a few.
fn lines(label: &str, texts: &[String], screen: &mut Screen<'_>) -> anyhow::Result<()> {
    for text in texts.iter().take(TOLD_MAX) {
        line(label, text, screen)?;
    }
    match texts.len().saturating_sub(TOLD_MAX) {
        0 => Ok(()),
        more => line("", &format!("and {more} more"), screen),
    }
}

fn shortened(mut texts: Vec<String>, separator: &str) -> String {
    let more = texts.len().saturating_sub(TOLD_MAX);
    texts.truncate(TOLD_MAX);
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    texts.join(separator)
}

fn outcome(told: &Explanation) -> String {
    let has_deny = told.missing.iter().any(|missing| matches!(missing, Missing::Deny(_)));
    let words = match told.outcome {
        "own" => "only what belongs to the caller",
        "others" => "only what does not belong to the caller",
        "any" if told.route.as_ref().is_some_and(|route| !route.owned) => "it is allowed",
        "any" => "everything, whoever it belongs to",
        "role" if has_deny => "a rule denies it to the caller's roles",
        "role" => "the caller's roles do not allow it",
        "network" => "not from this address",
        "mfa" => "not without a fresh second factor",
        "route" => "there is nothing at this path",
        "method" => "this path does not answer this method",
        "token" => "a token is needed, and none was shown",
        _ => "",
    };
    format!("{}: {words}", told.outcome)
}

fn caller(question: &Question) -> String {
    let at = &question.asker.at;
    let from = at.from.map_or_else(|| "an unknown address".to_owned(), |from| from.to_string());
    let mfa = at.mfa_age_secs.map_or_else(
        || "no second factor".to_owned(),
        |age| format!("second factor {} old", Age(age)),
    );
    format!("{}; from {from}; {mfa}", question.caller)
}

fn place(at: &Place) -> String {
    format!("{}:{}", at.file, at.line)
}

fn inactive_text(inactive: &InactiveFacts) -> String {
    let InactiveFacts { role, condition, at } = inactive;
    format!("{role} needs {condition} ({})", place(at))
}

/// `p, staff, … (policy.csv:31), by admin > staff (roles.csv:8)`.
fn rule_text(rule: &RuleFacts) -> String {
    let steps = rule.via.iter().map(|step| match &step.link {
        Some(link) => format!("{} ({})", step.role, place(link)),
        None => step.role.clone(),
    });
    let steps: Vec<_> = steps.collect();
    let via = if steps.len() > 1 { format!(", by {}", steps.join(" > ")) } else { String::new() };
    format!("{} ({}){via}", rule.text, place(&rule.at))
}

fn missing(told: &Explanation) -> Vec<String> {
    let texts = told.missing.iter().filter_map(|missing| match missing {
        Missing::Path(advice) if advice.is_empty() => Some("a route with this path".to_owned()),
        Missing::Path(advice) => Some(format!("a route with this path; {advice}")),
        Missing::Method(allow) => Some(format!("another method: {allow}")),
        Missing::Token => Some("a token".to_owned()),
        Missing::OfRoute { condition, at } => Some(format!("{condition} ({})", place(at))),
        Missing::OfRole(inactive) => {
            let InactiveFacts { role, condition, at } = inactive;
            Some(format!("{condition}, for {role} to count ({})", place(at)))
        }
        Missing::Role { role, condition: None } => Some(format!("the role {role}")),
        Missing::Role { role, condition: Some(condition) } => {
            Some(format!("the role {role}, which needs {condition}"))
        }
        Missing::Deny(rule) => Some(format!("that this rule goes: {}", rule_text(rule))),
        Missing::Rule(_) => None,
        Missing::AnyRule => Some("a rule: none allows it to anybody".to_owned()),
    });
    texts.collect()
}

/// What is recorded of a decision.
pub(super) fn record(
    record: &Record,
    bundle: &Bundle,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    line("decision", &format!("{} at {}", record.decision_id, Time(record.time_ms)), screen)?;
    let status = match record.status {
        0 => "the client had gone".to_owned(),
        status => status.to_string(),
    };
    let code = record.code.as_deref().map(|code| format!(" {code}")).unwrap_or_default();
    line("answered", &format!("{status}{code}"), screen)?;
    if let Some(step) = &record.step {
        line("refused", &format!("by the guard {step}: {}", codes::guard(step)), screen)?;
    }
    if let Some((_, meaning, advice)) = record.code.as_deref().and_then(codes::meaning) {
        line("meaning", &format!("{meaning}; {advice}"), screen)?;
    }
    if record.code.as_deref() == Some("rate_limited") {
        line("limits", &limits(record, bundle), screen)?;
    }
    if let Some(account) = &record.account {
        let active = if record.roles.is_empty() { "none" } else { &record.roles };
        let conditions = record.conditions.as_deref();
        let met = conditions.map(|met| format!("; met: {met}")).unwrap_or_default();
        let held = record.held();
        line("account", &format!("{account}; holds {held}; active {active}{met}"), screen)?;
    }
    if record.lacks_roles(bundle) {
        let note = "the record does not tell the token's roles; ask with --as instead";
        toned(Tone::Hint, "NOTE", note, screen)?;
    }
    if !record.reached_policy() || record.lacks_roles(bundle) {
        line("request", &format!("{} {}", record.method, record.path), screen)?;
        line("client", &record.client, screen)?;
        line("bundle", &record.bundle, screen)?;
        let hash = bundle.hash().to_string();
        if record.bundle != "-" && record.bundle != hash {
            toned(Tone::Hint, "WARNING", "the folder holds another policy than this one:", screen)?;
            line("", &hash, screen)?;
        }
    }
    if let Some(shadow) = &record.shadow {
        line("shadow", &format!("what is only tried would have said {shadow}"), screen)?;
    }
    Ok(())
}

/// The limits that can have refused.
fn limits(record: &Record, bundle: &Bundle) -> String {
    let key = match record.step.as_deref() {
        Some("principal_limit") => LimitKey::Principal,
        _ => LimitKey::Address,
    };
    let route = bundle.routes().by_id(&record.route);
    let ids = route.map_or(&[][..], |route| &route.limits).iter();
    let limits = ids.filter_map(|limit| bundle.limits().get(*limit));
    // A token is not looked at once too many have failed.
    let failures = record.step.as_deref() == Some("authenticate");
    let can_refuse =
        |limit: &&Limit| limit.key == key && (!failures || limit.count == LimitCount::Failures);
    let words = limits.filter(can_refuse).map(|limit| {
        let per = Age::from(limit.window_secs);
        format!("{}: {} per {per} ({}:{})", limit.name, limit.quota, "routes.toml", limit.line)
    });
    words.collect::<Vec<_>>().join("; ")
}

/// How the record and the folder agree, and a blank line.
pub(super) fn comparison(
    record: &Record,
    told: &Explanation,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let is_other = record.bundle != told.bundle;
    if is_other {
        toned(
            Tone::Hint,
            "WARNING",
            "the folder holds another policy than the one that decided:",
            screen,
        )?;
        line("", &record.bundle, screen)?;
    }
    let was = record.scope.as_deref();
    let is = told.allowed.then_some(told.outcome);
    if was != is {
        let word = |scope: Option<&str>| scope.unwrap_or("refused").to_owned();
        let text = format!("the outcome DIFFERS: it was {}; here it is {}", word(was), word(is));
        toned(Tone::Hint, "WARNING", &text, screen)?;
    } else if is_other {
        // Another guard may have refused it then.
        let both = if told.allowed { "the outcome is the same" } else { "it is refused" };
        line("", &format!("{both} under both"), screen)?;
    }
    writeln!(screen)?;
    Ok(())
}
