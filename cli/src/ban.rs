//! `stockade ban`, `unban`, `bans`: who the edge refuses everything, without a reload.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use stockade_contract::control::{Answer, Command, LINE_BYTES_MAX};

use crate::exit::Exit;

/// Longest wait for the edge's answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Where the edge takes commands.
#[derive(Debug, clap::Args)]
struct ControlArgs {
    /// The edge's control socket.
    #[arg(long, value_name = "SOCKET", default_value = ".stockade/control.sock")]
    control: PathBuf,
}

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
    }
    Ok(Exit::Done)
}

impl ControlArgs {
    fn ask(&self, command: &Command) -> anyhow::Result<Answer> {
        let path = self.control.display();
        let mut stream = UnixStream::connect(&self.control)
            .with_context(|| format!("cannot reach the edge on `{path}`; is it up?"))?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        writeln!(stream, "{}", serde_json::to_string(command)?)?;
        let mut line = String::new();
        let bound = u64::try_from(LINE_BYTES_MAX)?;
        BufReader::new(stream.take(bound))
            .read_line(&mut line)
            .context("the edge did not answer")?;
        serde_json::from_str(&line).context("the edge's answer is not one of this version's")
    }
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
