//! `stockade ban`, `unban`, `bans`: who the edge refuses everything, without a reload.

use std::io::Write;

use anyhow::bail;
use stockade_contract::control::{Answer, Command};

use crate::control::ControlArgs;
use crate::exit::Exit;

/// Arguments of `stockade ban`.
#[derive(Debug, clap::Args)]
pub(crate) struct BanArgs {
    /// An address, or a network in CIDR notation.
    network: String,
    /// For how long: a number with s, m, h or d.
    #[arg(long = "for", value_name = "TIME", default_value = "1h", value_parser = seconds)]
    secs: u64,
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
    let command = Command::Ban { network: args.network.clone(), secs: args.secs };
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

/// `90s`, `15m`, `2h` or `7d`, in seconds.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a time such as 90s, 15m, 2h or 7d");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(seconds("90s"), Ok(90));
        assert_eq!(seconds("7d"), Ok(604_800));
        for wrong in ["", "s", "90", "-1h", "1w", "99999999999999999999d", "1é"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
