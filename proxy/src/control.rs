//! Operators' commands, over a Unix socket for the edge's own user alone.
//!
//! One line, one answer. A command is done when it is answered as done, or it is not done.

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ipnetwork::IpNetwork;
use stockade_contract::control::{Answer, BanEntry, Command, LINE_BYTES_MAX};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bans::{Ban, Bans};
use crate::clock;

/// Time for one command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the system can open no more connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Commands taken at once.
const COMMANDS_MAX: usize = 16;

/// Longest ban, in seconds: a year.
const BAN_SECS_MAX: u64 = 365 * 24 * 3600;

/// Binds the control socket. The socket of a process that is gone is taken over.
///
/// # Errors
/// When the path cannot be bound, or another process answers on it.
pub(crate) fn bind(path: &Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::net::{UnixListener, UnixStream};
    if UnixStream::connect(path).is_ok() {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "another edge answers on it"));
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::AlreadyExists, "it is no socket")),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Takes commands until the edge stops.
pub(crate) async fn serve(
    listener: std::os::unix::net::UnixListener,
    bans: Arc<Bans>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let own_user = UnixStream::pair()?.0.peer_cred()?.uid();
    let listener = UnixListener::from_std(listener)?;
    let mut commands = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.wait_for(|&stop| stop) => return Ok(()),
            Some(_) = commands.join_next() => {}
            stream = next(&listener), if commands.len() < COMMANDS_MAX => {
                if stream.peer_cred().is_ok_and(|peer| peer.uid() == own_user) {
                    let bans = bans.clone();
                    commands.spawn(tokio::time::timeout(COMMAND_TIMEOUT, converse(stream, bans)));
                }
            }
        }
    }
}

/// The next connection. Descriptors may run short, and come back.
async fn next(listener: &UnixListener) -> UnixStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
        }
    }
}

async fn converse(stream: UnixStream, bans: Arc<Bans>) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let bound = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    (&mut stream).take(bound).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(command) => tokio::task::spawn_blocking(move || obey(&bans, &command)).await?,
        Err(error) => Answer::Refused { message: format!("not a command: {error}") },
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    stream.write_all(&bytes).await
}

fn obey(bans: &Bans, command: &Command) -> Answer {
    match command {
        Command::Ban { network, secs } => ban(bans, network, *secs),
        Command::Unban { network } => unban(bans, network),
        Command::Bans => {
            let entry = |ban: Ban| BanEntry { network: ban.network.to_string(), until: ban.until };
            Answer::Bans { bans: bans.list().into_iter().map(entry).collect() }
        }
    }
}

fn ban(bans: &Bans, network: &str, secs: u64) -> Answer {
    let network = match parse(network) {
        Ok(network) => network,
        Err(refused) => return refused,
    };
    if secs == 0 || secs > BAN_SECS_MAX {
        let message = format!("a ban lasts from 1 to {BAN_SECS_MAX} seconds");
        return Answer::Refused { message };
    }
    match bans.ban(Ban { network, until: clock::unix_secs() + secs }) {
        Ok(()) => {
            tracing::warn!(%network, secs, "a network is banned");
            Answer::Done { message: format!("{network} is banned for {secs} s") }
        }
        Err(error) => Answer::Refused { message: error.to_string() },
    }
}

fn unban(bans: &Bans, network: &str) -> Answer {
    let network = match parse(network) {
        Ok(network) => network,
        Err(refused) => return refused,
    };
    match bans.unban(network) {
        Ok(true) => {
            tracing::warn!(%network, "a ban is lifted");
            Answer::Done { message: format!("{network} is no longer banned") }
        }
        Ok(false) => Answer::Refused { message: format!("{network} was not banned") },
        Err(error) => Answer::Refused { message: error.to_string() },
    }
}

/// A network whose address has no bits beyond its prefix.
fn parse(text: &str) -> Result<IpNetwork, Answer> {
    let network: IpNetwork = text.parse().map_err(|_| Answer::Refused {
        message: format!("`{text:.64}` is neither an address nor a network"),
    })?;
    if network.network() == network.ip() {
        return Ok(network);
    }
    let (whole, prefix) = (network.network(), network.prefix());
    Err(Answer::Refused {
        message: format!("`{text}` has host bits; did you mean {whole}/{prefix}?"),
    })
}
