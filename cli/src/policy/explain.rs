//! `stockade policy explain`: why a request gets what it gets, or why a decision was made.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use serde::Serialize;
use stockade_policy::explain::{self, Explanation};
use stockade_policy::{Age, Asker, Bundle, Caller, Circumstances};

use super::{load_folder, print_findings};
use crate::exit::Exit;

mod codes;
mod record;
mod render;

use self::record::Record;

/// Where a caller is who is nowhere in particular (RFC 5737), as in cases.
const ELSEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7));

/// The version of the JSON output; raised when a field changes its meaning.
const JSON_VERSION: u32 = 1;

/// Arguments of `stockade policy explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 0 it is allowed; 1 could not; 2 it is denied.")]
pub(super) struct ExplainArgs {
    /// A request such as "GET /api/orders", or the id of a decision; its first characters do.
    #[arg(value_name = "REQUEST | DECISION_ID")]
    question: String,
    /// The roles the caller's token names, separated by commas.
    #[arg(long = "as", value_name = "ROLES", value_delimiter = ',', conflicts_with = "anonymous")]
    roles: Vec<String>,
    /// The caller shows no token.
    #[arg(long)]
    anonymous: bool,
    /// The caller's address, or `unknown`; without it, one of no network.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// How long ago the caller showed a second factor, such as 5m; without it, they did not.
    #[arg(long, value_name = "AGE")]
    mfa: Option<String>,
    /// Where the decision is looked for: access logs, gzip or not.
    #[arg(long, value_name = "FILE", num_args = 1.., default_value = ".stockade/access.log")]
    log: Vec<PathBuf>,
    /// The policy folder.
    #[arg(long, default_value = "policies")]
    dir: PathBuf,
    /// How the answer is written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// A request and who asks.
#[derive(Debug)]
struct Question {
    method: String,
    path: String,
    asker: Asker,
    /// The caller in words.
    caller: String,
}

/// What `--format json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    version: u32,
    /// The recorded decision; nothing for a request that is only asked about.
    record: Option<&'a Record>,
    /// Nothing where the decision was made before the policy was asked.
    explanation: Option<&'a Explanation>,
}

pub(super) fn run(args: &ExplainArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let request = args.question.split_once(' ');
    if request.is_none() && !record::is_id(&args.question) {
        bail!(
            "`{}` is neither a request such as `GET /api/orders` nor the id of a decision",
            args.question
        );
    }
    let bundle = match load_folder(&args.dir)? {
        Ok(bundle) => bundle,
        Err(findings) => {
            print_findings(&findings, out)?;
            return Ok(Exit::Failed);
        }
    };
    match request {
        Some((method, path)) => explain_request(args, &bundle, (method, path), out),
        None => explain_record(args, &bundle, out),
    }
}

fn exit(allowed: bool) -> Exit {
    if allowed { Exit::Done } else { Exit::No }
}

fn explain_request(
    args: &ExplainArgs,
    bundle: &Bundle,
    (method, path): (&str, &str),
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let question = Question::of_args(args, bundle, (method, path))?;
    let explanation = question.explain(bundle);
    match args.format {
        Format::Human => render::explanation(&explanation, &question, out)?,
        Format::Json => print_json(None, Some(&explanation), out)?,
    }
    Ok(exit(explanation.allowed))
}

fn explain_record(
    args: &ExplainArgs,
    bundle: &Bundle,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if args.anonymous || !args.roles.is_empty() || args.from.is_some() || args.mfa.is_some() {
        bail!("a decision says by itself who asked: leave out --as, --anonymous, --from and --mfa");
    }
    let record = record::find(&args.log, &args.question)?;
    let question = Question::of_record(&record, bundle);
    let explanation = question.as_ref().map(|question| question.explain(bundle));
    match args.format {
        Format::Json => print_json(Some(&record), explanation.as_ref(), out)?,
        Format::Human => {
            render::record(&record, bundle, out)?;
            if let Some((explanation, question)) = explanation.as_ref().zip(question.as_ref()) {
                render::comparison(&record, explanation, out)?;
                render::explanation(explanation, question, out)?;
            }
        }
    }
    Ok(exit(record.is_admitted()))
}

fn print_json(
    record: Option<&Record>,
    explanation: Option<&Explanation>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let report = Report { version: JSON_VERSION, record, explanation };
    writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    Ok(())
}

impl Question {
    fn of_args(
        args: &ExplainArgs,
        bundle: &Bundle,
        (method, path): (&str, &str),
    ) -> anyhow::Result<Self> {
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte));
        if !path.starts_with('/') || !plain || !method.bytes().all(|b| b.is_ascii_uppercase()) {
            bail!("`{method} {path}` is no request; write a method and a path without query");
        }
        if args.roles.is_empty() && !args.anonymous {
            bail!("say who asks: --as ROLE, or --anonymous");
        }
        for role in &args.roles {
            if bundle.role(role).is_none() {
                let names: Vec<_> = bundle.roles().map(|role| bundle.role_name(role)).collect();
                bail!("the role `{role}` is not known; there are {}", names.join(", "));
            }
        }
        let from = match args.from.as_deref() {
            None => Some(ELSEWHERE),
            Some("unknown") => None,
            Some(from) => {
                let parsed = from.parse();
                Some(parsed.with_context(|| format!("`{from}` is no address"))?)
            }
        };
        let age = args.mfa.as_deref().map(|text| {
            Age::parse(text).with_context(|| format!("`{text}` is no age; write it like `5m`"))
        });
        let age = age.transpose()?;
        let names = args.roles.iter().map(String::as_str);
        let caller = Caller::holding(bundle, bundle.role_set(names));
        let at = Circumstances { from, mfa_age_secs: age.map(|age| age.0) };
        let who = if args.roles.is_empty() { "no token".to_owned() } else { args.roles.join(", ") };
        Ok(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            asker: Asker { caller, at },
            caller: who,
        })
    }

    /// What a recorded request asked, where the policy was asked at all.
    fn of_record(record: &Record, bundle: &Bundle) -> Option<Self> {
        if !record.reached_policy() || record.lacks_roles(bundle) {
            return None;
        }
        let names: Vec<&str> = record.held().split_whitespace().collect();
        let held = bundle.role_set(names.iter().copied());
        let caller = match record.account {
            Some(_) => Caller::Known(held),
            None => Caller::holding(bundle, held),
        };
        let at = Circumstances { from: record.client.parse().ok(), mfa_age_secs: record.mfa_s };
        let who = if names.is_empty() && record.account.is_none() {
            "no token".to_owned()
        } else {
            names.join(", ")
        };
        Some(Self {
            method: record.method.clone(),
            path: record.path.clone(),
            asker: Asker { caller, at },
            caller: who,
        })
    }

    fn explain(&self, bundle: &Bundle) -> Explanation {
        explain::explain(bundle, &self.asker, &self.method, &self.path)
    }
}

#[cfg(test)]
mod tests;
