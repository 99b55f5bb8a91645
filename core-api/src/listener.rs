//! The Unix socket on which the core answers, and who may speak on it.
//!
//! The socket is its owner's alone (mode 0600), and every peer must be a process of the same
//! user. The socket is the barrier against replay of assertions: whoever can write to it could
//! also have asked.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, io};

use axum::serve::Listener;
use tokio::net::{UnixListener, UnixStream};

/// How long to leave a listener alone that could not accept, for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Why the socket cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BindError {
    #[error("a running process answers there; stop it first")]
    Alive,
    #[error("there is something else than a socket; remove it or name another path")]
    NotASocket,
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Accepts connections of this process's own user.
#[derive(Debug)]
pub(crate) struct EdgeListener {
    listener: UnixListener,
    own_uid: u32,
    file: SocketFile,
}

/// The socket's name in the file system, gone when dropped.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl EdgeListener {
    /// Takes the path, also from a process that died without removing its socket.
    pub(crate) async fn bind(path: &Path) -> Result<Self, BindError> {
        remove_stale(path).await?;
        let listener = UnixListener::bind(path)?;
        let file = SocketFile(path.to_owned());
        // Whoever connects before this line is still asked who they are.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, own_uid: own_uid()?, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.0
    }

    async fn accept_own(&self) -> io::Result<Option<UnixStream>> {
        let (stream, _) = self.listener.accept().await?;
        // SECURITY: without this, a socket made readable by mistake would admit every user.
        let peer = stream.peer_cred()?.uid();
        if peer == self.own_uid {
            return Ok(Some(stream));
        }
        tracing::warn!(peer.uid = peer, "a process of another user was turned away");
        Ok(None)
    }
}

impl Listener for EdgeListener {
    type Io = UnixStream;
    type Addr = ();

    async fn accept(&mut self) -> (UnixStream, ()) {
        loop {
            match self.accept_own().await {
                Ok(Some(stream)) => return (stream, ()),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(%error, "could not accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(%error, "the socket was removed by somebody else");
        }
    }
}

async fn remove_stale(path: &Path) -> Result<(), BindError> {
    let kind = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if !kind.is_socket() {
        return Err(BindError::NotASocket);
    }
    match UnixStream::connect(path).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            Ok(fs::remove_file(path)?)
        }
        Ok(_) => Err(BindError::Alive),
        Err(error) => Err(error.into()),
    }
}

/// The system tells each end of a socket who the other end is; here both are ours.
fn own_uid() -> io::Result<u32> {
    let (one, _other) = UnixStream::pair()?;
    Ok(one.peer_cred()?.uid())
}
