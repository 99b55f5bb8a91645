//! `stockade policy explain`: why a request gets what it gets, or why a decision was made.

use std::path::PathBuf;

use anyhow::bail;
use serde::Serialize;
use stockade_policy::explain::{self, Explanation};
use stockade_policy::{Asker, Bundle, Caller, Circumstances};

use super::asker::AskerArgs;
use super::{PoliciesArgs, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen};

mod codes;
mod record;
mod render;

use self::record::Record;

/// Arguments of `stockade policy explain`.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// A request such as `GET /api/orders`, or the id of a decision; its first characters do.
    #[arg(value_name = "REQUEST|DECISION_ID")]
    question: String,
    #[command(flatten)]
    asker: AskerArgs,
    /// Where the decision is looked for: access logs, gzip or not.
    #[arg(long, value_name = "FILE", num_args = 1.., default_value = ".stockade/access.log")]
    log: Vec<PathBuf>,
    #[command(flatten)]
    policies: PoliciesArgs,
    #[command(flatten)]
    output: FormatArgs,
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

/// The answer for programs.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// The recorded decision; nothing for a request that is only asked about.
    record: Option<&'a Record>,
    /// Nothing where the decision was made before the policy was asked.
    explanation: Option<&'a Explanation>,
}

pub(super) fn run(args: &ExplainArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let request = args.question.split_once(' ');
    if request.is_none() && !record::is_id(&args.question) {
        bail!(
            "`{}` is neither a request such as `GET /api/orders` nor the id of a decision",
            args.question
        );
    }
    let bundle = match args.policies.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    match request {
        Some((method, path)) => explain_request(args, &bundle, (method, path), screen),
        None => explain_record(args, &bundle, screen),
    }
}

fn exit(allowed: bool) -> Exit {
    if allowed { Exit::Done } else { Exit::No }
}

fn explain_request(
    args: &ExplainArgs,
    bundle: &Bundle,
    (method, path): (&str, &str),
    screen: &mut Screen<'_>,
) -> anyhow::Result<Exit> {
    let question = Question::of_args(args, bundle, (method, path))?;
    let explanation = question.explain(bundle);
    match args.output.format {
        Format::Human => render::explanation(&explanation, &question, screen)?,
        Format::Json => screen.json(&Report { record: None, explanation: Some(&explanation) })?,
    }
    Ok(exit(explanation.allowed))
}

fn explain_record(
    args: &ExplainArgs,
    bundle: &Bundle,
    screen: &mut Screen<'_>,
) -> anyhow::Result<Exit> {
    if args.asker.says_anything() {
        bail!("a decision says by itself who asked: leave out --as, --anonymous, --from and --mfa");
    }
    let record = record::find(&args.log, &args.question)?;
    let question = Question::of_record(&record, bundle);
    let explanation = question.as_ref().map(|question| question.explain(bundle));
    match args.output.format {
        Format::Json => {
            screen.json(&Report { record: Some(&record), explanation: explanation.as_ref() })?;
        }
        Format::Human => {
            render::record(&record, bundle, screen)?;
            if let Some((explanation, question)) = explanation.as_ref().zip(question.as_ref()) {
                render::comparison(&record, explanation, screen)?;
                render::explanation(explanation, question, screen)?;
            }
        }
    }
    Ok(exit(record.is_admitted()))
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
        if !args.asker.names_caller() {
            bail!("say who asks: --as ROLE, or --anonymous");
        }
        let roles = args.asker.roles();
        let who = if roles.is_empty() { "no token".to_owned() } else { roles.join(", ") };
        Ok(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            asker: args.asker.asker(bundle)?,
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
