//! `stockade policy simulate`: what the policy says to a request that is written as a curl command
//! line. Nothing is sent.
//!
//! A token's claims are taken as they stand: there is no key here to verify them with. Limits,
//! bodies and the upstream have no say either.

mod answer;
mod claims;
mod curl;

use anyhow::Context as _;
use stockade_policy::{Asker, Bundle, Caller, CleanPath, RoleSet};

use self::answer::{Answer, Held, Verdict};
use self::curl::CurlRequest;
use super::asker::AskerArgs;
use super::{PoliciesArgs, refuse};
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen};

/// Arguments of `stockade policy simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// A curl command line, in quotes; or leave it out and write one behind `--`.
    #[arg(value_name = "CURL", required_unless_present = "words", conflicts_with = "words")]
    line: Option<String>,
    /// The words of a curl command line.
    #[arg(last = true, value_name = "WORD")]
    words: Vec<String>,
    #[command(flatten)]
    asker: AskerArgs,
    #[command(flatten)]
    policies: PoliciesArgs,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &SimulateArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let request = CurlRequest::parse(&args.words()?)?;
    let bundle = match args.policies.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    let held = args.held(&request, &bundle)?;
    let verdict = judge(&request, &held.asker, &bundle);
    let answer = Answer::new(&request, &held, &bundle, &verdict);
    match args.output.format {
        Format::Human => answer.print(screen)?,
        Format::Json => screen.json(&answer)?,
    }
    Ok(if answer.is_yes() { Exit::Done } else { Exit::No })
}

impl SimulateArgs {
    /// The words of the command line.
    fn words(&self) -> anyhow::Result<Vec<String>> {
        match &self.line {
            Some(line) => shell_words::split(line).context("the curl command line is cut off"),
            None => Ok(self.words.clone()),
        }
    }

    /// What the caller holds: what the flags say, or else the token.
    fn held(&self, request: &CurlRequest, bundle: &Bundle) -> anyhow::Result<Held> {
        let token = request.token.as_ref().filter(|_| !self.asker.names_caller());
        let Some(token) = token else {
            let (asker, known) = (self.asker.asker(bundle)?, self.asker.roles().to_vec());
            return Ok(Held { asker, known, unknown: Vec::new(), is_claimed: false });
        };
        let names = claims::claimed_roles(token)?;
        let (known, unknown): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| bundle.role(name).is_some());
        let roles: RoleSet = known.iter().filter_map(|name| bundle.role(name)).collect();
        let asker = Asker { caller: Caller::Known(roles), at: self.asker.circumstances() };
        Ok(Held { asker, known, unknown, is_claimed: true })
    }
}

/// What the edge would say as far as path and policy settle it.
fn judge<'b>(request: &CurlRequest, asker: &Asker, bundle: &'b Bundle) -> Verdict<'b> {
    let path = match CleanPath::parse(request.target.as_bytes()) {
        Ok(path) => path,
        Err(why) => return Verdict::Ambiguous(why.to_string()),
    };
    let judgement = bundle.examine(asker, &request.method, path.as_str());
    let is_shadowed = |route| bundle.routes().is_shadowed(route, &path.lenient());
    if judgement.route.is_some_and(is_shadowed) {
        return Verdict::Ambiguous("the path could be taken for another one".to_owned());
    }
    Verdict::Judged { judgement, path: path.as_str().to_owned() }
}
