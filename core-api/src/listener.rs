//! The Unix socket on which the core answers, and who may speak on it.
//!
//! The socket is its owner's alone (mode 0600), and every peer must be a process of the same
//! user. The socket is the barrier against replay of assertions: whoever can write to it could
//! also have asked. There are never more than [`CONNECTIONS_MAX`] connections: one more waits
//! in the system's own, short queue until another ends.

use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use std::{fs, io};

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most connections at once. The edge keeps far fewer.
const CONNECTIONS_MAX: usize = 1024;

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
    places: Arc<Semaphore>,
    file: SocketFile,
}

/// A connection, and its place among the bounded number there may be.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: UnixStream,
    _place: OwnedSemaphorePermit,
}

/// The socket's name in the file system, gone when dropped.
#[derive(Debug)]
struct SocketFile(PathBuf);

impl EdgeListener {
    /// Takes the path, also from a process that died without removing its socket.
    pub(crate) async fn bind(path: &Path) -> Result<Self, BindError> {
        Self::bind_for(path, CONNECTIONS_MAX).await
    }

    async fn bind_for(path: &Path, connections_max: usize) -> Result<Self, BindError> {
        remove_stale(path).await?;
        let listener = UnixListener::bind(path)?;
        let file = SocketFile(path.to_owned());
        // Whoever connects before this line is still asked who they are.
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let places = Arc::new(Semaphore::new(connections_max));
        Ok(Self { listener, own_uid: own_uid()?, places, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.0
    }

    async fn accept_own(&self) -> io::Result<Option<Connection>> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        // SECURITY: without this, a socket made readable by mistake would admit every user.
        let peer = stream.peer_cred()?.uid();
        if peer == self.own_uid {
            return Ok(Some(Connection { stream, _place: place }));
        }
        tracing::warn!(peer.uid = peer, "a process of another user was turned away");
        Ok(None)
    }
}

impl Listener for EdgeListener {
    type Io = Connection;
    type Addr = ();

    async fn accept(&mut self) -> (Connection, ()) {
        loop {
            match self.accept_own().await {
                Ok(Some(connection)) => return (connection, ()),
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

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_connection_too_many_waits_for_another_to_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("core.sock");
        let mut listener = EdgeListener::bind_for(&path, 1).await.unwrap();
        let (_one, _other) =
            (UnixStream::connect(&path).await.unwrap(), UnixStream::connect(&path).await.unwrap());

        let (first, ()) = listener.accept().await;
        let mut second = Box::pin(listener.accept());
        assert!(futures::poll!(&mut second).is_pending());
        drop(first);
        second.await;
    }
}
