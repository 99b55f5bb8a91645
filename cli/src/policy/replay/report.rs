//! What came of a replay, for people and for programs.

use std::io::Write as _;

use serde::{Serialize, Serializer};
use stockade_policy::replay::{Change, Flip, FlipCount, Summary};
use stockade_policy::{Bundle, Outcome};

use crate::policy::log::Time;
use crate::render::{Screen, Table, Tone, visible};

/// The most kinds of flips that people are shown.
const ROWS_MAX: usize = 100;

/// As much of a bundle's hash as people compare.
const HASH_CHARS: usize = 12;

/// Prints what people want to know: what flips, and how much of the log that speaks for.
pub(super) fn print(
    summary: &Summary,
    bundle: &Bundle,
    screen: &mut Screen<'_>,
) -> anyhow::Result<()> {
    let look = screen.look();
    let hash = bundle.hash().to_string();
    let hash = hash.get(..HASH_CHARS).unwrap_or_default();
    writeln!(screen, "replayed: {} against bundle {hash}", counted(summary.judged, "decision"))?;
    if let Some((first, last)) = summary.first_and_last_ms {
        writeln!(screen, "from {} to {}", Time(first), Time(last))?;
    }
    if summary.by_active_roles > 0 {
        let count = counted(summary.by_active_roles, "decision");
        writeln!(screen, "{count} by the active roles: their records do not say which were held")?;
    }
    if summary.with_unknown_roles > 0 {
        let names: Vec<_> = summary.unknown_roles.iter().map(String::as_str).collect();
        let count = counted(summary.with_unknown_roles, "decision");
        writeln!(screen, "{count} with names that are no role here: {}", names.join(", "))?;
    }
    for (reason, count) in &summary.left_out {
        let (number, why, first) = (grouped(count.count), reason.explanation(), &count.first);
        let line = format!("left out: {number}, {why} (first: {})", visible(first));
        writeln!(screen, "{}", look.paint(Tone::Hint, &line))?;
    }
    if summary.flipped() == 0 {
        writeln!(screen, "{}: nothing flips", look.paint(Tone::Good, "ok"))?;
        return Ok(());
    }
    writeln!(screen)?;
    print_flips(summary, bundle, screen)?;
    let counts: Vec<_> = summary.changes.iter().filter(|(_, count)| **count > 0).collect();
    let counts: Vec<_> = counts
        .iter()
        .map(|(change, count)| format!("{} {}", grouped(**count), words(**change)))
        .collect();
    let line = format!("{}: {}", counted(summary.flipped(), "flip"), counts.join(", "));
    writeln!(screen, "\n{}", look.paint(Tone::Bad, &line))?;
    Ok(())
}

fn print_flips(summary: &Summary, bundle: &Bundle, screen: &mut Screen<'_>) -> anyhow::Result<()> {
    let heading = ["count", "flip", "route", "roles", "outcome", "by", "first", "last", "example"];
    let mut table = Table::new(heading, 4);
    let flips = summary.flips();
    for (flip, count) in flips.iter().take(ROWS_MAX) {
        table.push(row(flip, count, bundle));
    }
    table.print(screen)?;
    let more = flips.len().saturating_sub(ROWS_MAX);
    if more > 0 {
        writeln!(screen, "and {more} more kinds; `--format json` lists them")?;
    }
    if summary.beyond > 0 {
        let count = grouped(summary.beyond);
        writeln!(screen, "and {count} flips of kinds there was no room to tell apart")?;
    }
    Ok(())
}

fn row(flip: &Flip, count: &FlipCount, bundle: &Bundle) -> Vec<String> {
    let now = route(flip, bundle);
    let route = match now {
        Some(now) if now == flip.route_before => flip.route_before.clone(),
        now => format!("{} -> {}", flip.route_before, now.unwrap_or("-")),
    };
    vec![
        grouped(count.count),
        words(flip.change).to_owned(),
        route,
        flip.roles.clone(),
        format!("{} -> {}", flip.before, flip.after),
        flip.causes(bundle).join(" "),
        Time(count.first_ms).to_string(),
        Time(count.last_ms).to_string(),
        count.example.clone(),
    ]
}

/// The id of the route that answers now.
fn route<'b>(flip: &Flip, bundle: &'b Bundle) -> Option<&'b str> {
    flip.route.and_then(|route| bundle.routes().get(route)).map(|route| route.id.as_str())
}

fn words(change: Change) -> &'static str {
    match change {
        Change::Widened => "widened",
        Change::ScopeWidened => "scope widened",
        Change::Narrowed => "narrowed",
        Change::ScopeNarrowed => "scope narrowed",
        Change::RefusedOtherwise => "refused otherwise",
    }
}

fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let places = digits.chars().enumerate();
    places.fold(String::new(), |mut text, (at, digit)| {
        if at > 0 && at % 3 == first {
            text.push(',');
        }
        text.push(digit);
        text
    })
}

/// The answer for programs.
#[derive(Debug, Serialize)]
pub(super) struct Report<'a> {
    /// The hash of the bundle that judged.
    bundle: String,
    judged: u64,
    flipped: u64,
    /// Flips that let somebody reach more.
    widened: u64,
    by_active_roles: u64,
    with_unknown_roles: u64,
    unknown_roles: Vec<&'a str>,
    /// Milliseconds since 1970 UTC, as in the records; nothing where none was judged.
    first_ms: Option<u64>,
    last_ms: Option<u64>,
    left_out: Vec<LeftOutBody<'a>>,
    flips: Vec<FlipBody<'a>>,
    /// Flips of kinds there was no room to tell apart.
    flips_beyond: u64,
}

#[derive(Debug, Serialize)]
struct LeftOutBody<'a> {
    reason: &'static str,
    count: u64,
    first: &'a str,
}

#[derive(Debug, Serialize)]
struct FlipBody<'a> {
    change: &'static str,
    count: u64,
    /// The id of the route that answered then, as recorded.
    route_before: &'a str,
    /// The id of the route that answers now.
    route: Option<&'a str>,
    roles: &'a str,
    before: OutcomeBody,
    after: OutcomeBody,
    /// The lines of the bundle that say what is decided now.
    causes: Vec<String>,
    first_ms: u64,
    last_ms: u64,
    /// The id of the first such decision.
    example: &'a str,
}

/// `{"allow": "own"}` or `{"deny": "role"}`.
#[derive(Debug)]
struct OutcomeBody(Outcome);

impl Serialize for OutcomeBody {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (effect, word) = match self.0 {
            Outcome::Allow(scope) => ("allow", scope.as_str()),
            Outcome::Deny(denial) => ("deny", denial.as_str()),
        };
        serializer.collect_map([(effect, word)])
    }
}

impl<'a> Report<'a> {
    pub(super) fn of(summary: &'a Summary, bundle: &'a Bundle) -> Self {
        let left_out = summary.left_out.iter().map(|(reason, count)| LeftOutBody {
            reason: reason.as_str(),
            count: count.count,
            first: &count.first,
        });
        let flips = summary.flips().into_iter().map(|(flip, count)| FlipBody {
            change: flip.change.as_str(),
            count: count.count,
            route_before: &flip.route_before,
            route: route(flip, bundle),
            roles: &flip.roles,
            before: OutcomeBody(flip.before),
            after: OutcomeBody(flip.after),
            causes: flip.causes(bundle),
            first_ms: count.first_ms,
            last_ms: count.last_ms,
            example: &count.example,
        });
        Self {
            bundle: bundle.hash().to_string(),
            judged: summary.judged,
            flipped: summary.flipped(),
            widened: summary.widened(),
            by_active_roles: summary.by_active_roles,
            with_unknown_roles: summary.with_unknown_roles,
            unknown_roles: summary.unknown_roles.iter().map(String::as_str).collect(),
            first_ms: summary.first_and_last_ms.map(|(first, _)| first),
            last_ms: summary.first_and_last_ms.map(|(_, last)| last),
            left_out: left_out.collect(),
            flips: flips.collect(),
            flips_beyond: summary.beyond,
        }
    }
}
