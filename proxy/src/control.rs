//! Operators' commands, over a Unix socket for the edge's own user alone.
//!
//! One line, one answer. A command is done when it is answered as done, or it is not done.

mod bans;

use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stockade_contract::control::{Answer, Command, LINE_BYTES_MAX};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bans::Bans;
use crate::policy_keeper::{Order, PolicyDesk};

/// Time for the line of a command, and for that of its answer.
const LINE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait when the system can open no more connections.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Commands taken at once.
const COMMANDS_MAX: usize = 16;

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
    desk: Desk,
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
                    commands.spawn(converse(stream, desk.clone(), own_user));
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

async fn converse(stream: UnixStream, desk: Desk, uid: u32) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    let bound = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
    timeout(LINE_TIMEOUT, (&mut stream).take(bound).read_line(&mut line)).await??;
    let answer = match serde_json::from_str(&line) {
        Ok(command) => desk.obey(command, uid).await,
        Err(error) => Answer::Refused { message: format!("not a command: {error}") },
    };
    let mut bytes = serde_json::to_vec(&answer)?;
    bytes.push(b'\n');
    timeout(LINE_TIMEOUT, stream.write_all(&bytes)).await?
}

/// Who carries out what is ordered.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) bans: Arc<Bans>,
    pub(crate) policy: PolicyDesk,
}

impl Desk {
    /// Carries out a command; every change is logged with the user who ordered it.
    async fn obey(self, command: Command, uid: u32) -> Answer {
        match command {
            Command::Ban { network, secs } => {
                self.change_bans(move |bans| bans::ban(bans, &network, secs, uid)).await
            }
            Command::Unban { network } => {
                self.change_bans(move |bans| bans::unban(bans, &network, uid)).await
            }
            Command::Bans => bans::list(&self.bans),
            Command::PolicyReload { dry_run } => self.order(Order::Reload { dry_run }, uid).await,
            Command::PolicyRollback { to } => self.order(Order::Rollback { to }, uid).await,
            Command::PolicyShadow { folder } => self.order(Order::Shadow { folder }, uid).await,
            Command::PolicyPromote => self.order(Order::Promote, uid).await,
            Command::PolicyStatus => {
                Answer::PolicyStatus { status: Box::new(self.policy.status()) }
            }
        }
    }

    /// Bans are kept on disk, which is no work for a runtime's thread.
    async fn change_bans(self, change: impl FnOnce(&Bans) -> Answer + Send + 'static) -> Answer {
        let changed = tokio::task::spawn_blocking(move || change(&self.bans)).await;
        changed.unwrap_or_else(|_| Answer::Refused { message: "the edge failed".to_owned() })
    }

    /// Proving a policy takes as long as it takes; whoever is tired of waiting may hang up.
    async fn order(self, order: Order, uid: u32) -> Answer {
        tracing::info!(by.uid = uid, ?order, "a command about the policy");
        self.policy.order(order).await
    }
}
