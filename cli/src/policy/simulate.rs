//! `stockade policy simulate`: what the policy says to a request that is written as a curl command
//! line. Nothing is sent.
//!
//! A token's claims are taken as they stand: there is no key here to verify them with. Limits,
//! bodies and the upstream have no say either.

mod answer;
mod claims;
mod curl;

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use stockade_policy::{Asker, Bundle, Caller, Circumstances, CleanPath, RoleSet};

use self::answer::{Answer, Held, Verdict};
use self::curl::CurlRequest;
use super::{FolderArgs, refuse};
use crate::duration;
use crate::exit::Exit;
use crate::render::{Format, FormatArgs, Screen};

/// Arguments of `stockade policy simulate`.
#[derive(Debug, clap::Args)]
pub(super) struct SimulateArgs {
    /// A curl command line, in quotes; or leave it out and write one behind `--`.
    #[arg(value_name = "CURL", required_unless_present = "words")]
    line: Option<String>,
    /// The policy folder; `policies` when it is left out.
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The words of a curl command line.
    #[arg(last = true, value_name = "WORD")]
    words: Vec<String>,
    /// A role the caller has, whatever the token says; may be repeated.
    #[arg(long = "as", value_name = "ROLE")]
    roles: Vec<String>,
    /// The client's address; without it, one in no network.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<IpAddr>,
    /// How long ago the caller proved a second factor: a number with s, m, h or d; without it,
    /// never.
    #[arg(long, value_name = "AGE", value_parser = duration::seconds)]
    mfa: Option<u64>,
    #[command(flatten)]
    output: FormatArgs,
}

pub(super) fn run(args: &SimulateArgs, screen: &mut Screen<'_>) -> anyhow::Result<Exit> {
    let (words, folder) = args.split()?;
    let request = CurlRequest::parse(&words)?;
    let bundle = match folder.load()? {
        Ok(bundle) => bundle,
        Err(refused) => return refuse(&refused, args.output.format, screen),
    };
    let held = args.held(&request, &bundle)?;
    let at = Circumstances { from: args.from, mfa_age_secs: args.mfa };
    let verdict = judge(&request, &Asker { caller: held.caller, at }, &bundle);
    let answer = Answer::new(&request, &held, &at, &bundle, &verdict);
    match args.output.format {
        Format::Human => answer.print(screen)?,
        Format::Json => screen.json(&answer)?,
    }
    Ok(if answer.is_yes() { Exit::Done } else { Exit::No })
}

impl SimulateArgs {
    /// The words of the command line, and the policy folder. Behind `--` stand the words, and the
    /// one argument before it is the folder.
    fn split(&self) -> anyhow::Result<(Vec<String>, FolderArgs)> {
        let (words, folder) = match (&self.line, &self.folder) {
            (Some(line), folder) if self.words.is_empty() => {
                let words = shell_words::split(line).context("the curl command line is cut off")?;
                (words, folder.clone())
            }
            (folder, None) => (self.words.clone(), folder.as_ref().map(PathBuf::from)),
            (_, Some(_)) => bail!("write the curl command line in quotes or behind `--`, not both"),
        };
        let folder = folder.unwrap_or_else(|| PathBuf::from("policies"));
        Ok((words, FolderArgs { folder }))
    }

    /// What the caller holds: what `--as` says, or else the token.
    fn held(&self, request: &CurlRequest, bundle: &Bundle) -> anyhow::Result<Held> {
        let claimed = match &request.token {
            Some(token) if self.roles.is_empty() => Some(claims::claimed_roles(token)?),
            Some(_) | None => None,
        };
        let is_claimed = claimed.is_some();
        let names = claimed.unwrap_or_else(|| self.roles.clone());
        let (known, unknown): (Vec<String>, Vec<String>) =
            names.into_iter().partition(|name| bundle.role(name).is_some());
        if let (Some(name), false) = (unknown.first(), is_claimed) {
            let all: Vec<_> = bundle.roles().map(|role| bundle.role_name(role)).collect();
            bail!("the role `{name}` is not known; there are {}", all.join(", "));
        }
        let roles: RoleSet = known.iter().filter_map(|name| bundle.role(name)).collect();
        let caller = if is_claimed { Caller::Known(roles) } else { Caller::holding(bundle, roles) };
        Ok(Held { caller, known, unknown, is_claimed })
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
