//! `stockade ban`, `unban`, `bans`: who the edge refuses everything, without a reload.

use std::io::Write;

use anyhow::bail;
use stockade_contract::control::{Answer, Command};
use stockade_policy::Age;

use crate::control::ControlArgs;
use crate::exit::Exit;

/// Arguments of `stockade ban`.
#[derive(Debug, clap::Args)]
pub(crate) struct BanArgs {
    /// An address, or a network in CIDR notation.
    network: String,
    /// For how long: a number with s, m, h or d.
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    time: Age,
    #[command(flatten)]
    control: ControlArgs,
}

/// Arguments of `stockade unban`.
#[derive(Debug, clap::Args)]
pub(crate) struct UnbanArgs {
    /// The network, as `stockade bans` shows it.
    network: String,
    #[command(flatten)]
    control: ControlArgs,
}

/// Arguments of `stockade bans`.
#[derive(Debug, clap::Args)]
pub(crate) struct BansArgs {
    #[command(flatten)]
    control: ControlArgs,
}

pub(crate) fn ban(args: &BanArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let command = Command::Ban { network: args.network.clone(), secs: args.time.0 };
    print(args.control.ask(&command)?, out)
}

pub(crate) fn unban(args: &UnbanArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    print(args.control.ask(&Command::Unban { network: args.network.clone() })?, out)
}

pub(crate) fn bans(args: &BansArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    print(args.control.ask(&Command::Bans)?, out)
}

fn print(answer: Answer, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match answer {
        Answer::Done { message } => writeln!(out, "{message}")?,
        Answer::Refused { message } => bail!(message),
        Answer::Bans { bans } if bans.is_empty() => writeln!(out, "nobody is banned")?,
        Answer::Bans { bans } => {
            for ban in bans {
                writeln!(out, "{}  until {} (seconds since 1970 UTC)", ban.network, ban.until)?;
            }
        }
        Answer::PolicyChange { .. }
        | Answer::PolicyTrial { .. }
        | Answer::PolicyRefused { .. }
        | Answer::PolicyStatus { .. } => bail!("the edge answered another question"),
    }
    Ok(Exit::Done)
}
