//! The wish that a program should end: SIGTERM from the system, SIGINT from a person.

use std::io;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Turns true with the first SIGTERM or SIGINT. Called within a runtime.
///
/// # Errors
/// When the system lets nobody listen for signals.
pub fn on_signal() -> io::Result<watch::Receiver<bool>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (stop, stopped) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
        // The sender lives on: a receiver that asks later must see `true`, not a lost sender.
        std::future::pending::<()>().await;
    });
    Ok(stopped)
}
