//! Replay: what the journal and the database each know of erasures, both know afterwards.
//!
//! It is done before a core serves. An account of the journal that a restored backup brought back
//! is erased again, whatever it was then in the middle of; an erasure that did not reach the
//! journal is added to it.

use super::erase::{By, Erase, EraseError, Erasure};
use super::journal::{ErasureJournal, JournalError};
use crate::clock::Timestamp;
use crate::store::{Slice, Store, StoreError};
use crate::writer::WriteError;

/// Erasures read at once.
const AT_ONCE: u32 = 256;

/// Why the two do not agree yet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReplayError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("what was erased cannot be looked up")]
    Store(#[from] StoreError),
    #[error("an account that was erased is there again, and cannot be erased")]
    Erase(#[from] EraseError),
    #[error("an account that was erased is there again, and cannot be erased")]
    Write(#[from] WriteError),
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// Accounts that were there again.
    pub(crate) erased: usize,
    /// Erasures that the journal did not have.
    pub(crate) noted: usize,
}

/// Carries out one erasure.
pub(crate) trait Eraser {
    async fn again(&mut self, erase: Erase) -> Result<Result<Erasure, EraseError>, WriteError>;
}

impl Eraser for crate::writer::Writer {
    async fn again(&mut self, erase: Erase) -> Result<Result<Erasure, EraseError>, WriteError> {
        self.submit(erase).await
    }
}

impl Eraser for crate::writer::Desk {
    async fn again(&mut self, erase: Erase) -> Result<Result<Erasure, EraseError>, WriteError> {
        self.carry_out(erase).await
    }
}

/// Erases again what is there though the journal has it, and notes what it does not have.
pub(crate) async fn replay(
    store: &dyn Store,
    eraser: &mut impl Eraser,
    journal: &ErasureJournal,
    erasures: &[Erasure],
) -> Result<Replayed, ReplayError> {
    let mut replayed = Replayed::default();
    for Erasure { account, at } in erasures.iter().copied() {
        if store.is_unerased(account).await? {
            eraser.again(Erase { account, by: By::Journal(at), throttle: None }).await??;
            tracing::warn!(account.id = %account, "an account that was erased is erased again");
            replayed.erased = replayed.erased.saturating_add(1);
        }
    }
    replayed.noted = note(store, journal, Timestamp::from_micros(0)).await?;
    Ok(replayed)
}

/// Adds erasures of the database since then to the journal that it does not have; says how many.
pub(super) async fn note(
    store: &dyn Store,
    journal: &ErasureJournal,
    since: Timestamp,
) -> Result<usize, ReplayError> {
    let mut slice = Slice { after: None, limit: AT_ONCE };
    let mut noted = 0_usize;
    loop {
        let some = store.erasures(since, &slice).await?;
        let Some(last) = some.last() else { return Ok(noted) };
        slice.after = Some(last.account);
        noted = noted.saturating_add(journal.append(&some).await?);
    }
}
