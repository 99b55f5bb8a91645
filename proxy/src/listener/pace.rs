//! Watches that an HTTP/2 request's body keeps coming.
//!
//! Pingora has no deadline for reading one. The pace travels with the request: the edge's phases
//! say when a piece arrived and when no more is waited for, and whoever serves the stream ends it
//! when the body stops.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::client_addr::ClientAddr;
use crate::decision_id::DecisionId;

/// How far a body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Pieces(u64),
    /// The body's end, or an answer that needs no more of it.
    Over,
}

/// One body's pace. Clones watch the same body.
#[derive(Debug, Clone)]
pub(crate) struct BodyPace {
    progress: Arc<watch::Sender<Progress>>,
    /// Whose request it is, once that is known; for the record of a body that stopped.
    owner: Arc<Mutex<Option<(DecisionId, ClientAddr)>>>,
}

impl BodyPace {
    pub(super) fn new() -> Self {
        let (progress, _) = watch::channel(Progress::Pieces(0));
        Self { progress: Arc::new(progress), owner: Arc::default() }
    }

    pub(crate) fn belongs_to(&self, id: DecisionId, client: ClientAddr) {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, client));
    }

    pub(super) fn owner(&self) -> Option<(DecisionId, ClientAddr)> {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A piece arrived.
    pub(crate) fn moved(&self) {
        self.progress.send_modify(|progress| {
            if let Progress::Pieces(count) = progress {
                *count += 1;
            }
        });
    }

    /// Nothing more is waited for. Said more than once, it wakes nobody again.
    pub(crate) fn over(&self) {
        self.progress.send_if_modified(|progress| {
            std::mem::replace(progress, Progress::Over) != Progress::Over
        });
    }

    /// Until the body has not moved for `pause`; never, once it is over.
    pub(super) async fn stopped(&self, pause: Duration) {
        let mut progress = self.progress.subscribe();
        loop {
            if *progress.borrow_and_update() == Progress::Over {
                std::future::pending::<()>().await;
            }
            // An error of the channel cannot be: this value holds its sender.
            if timeout(pause, progress.changed()).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn a_body_that_never_moves_has_stopped() {
        BodyPace::new().stopped(PAUSE).await;
    }

    #[tokio::test]
    async fn a_body_that_is_over_never_stops() {
        let pace = BodyPace::new();
        pace.moved();
        pace.over();
        assert!(timeout(PAUSE * 5, pace.stopped(PAUSE)).await.is_err());
    }
}
