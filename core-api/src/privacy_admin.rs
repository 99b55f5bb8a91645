//! Privacy from the command line, for those who run the shop: what is overdue, data keys under the
//! next key, erasures after a restore.
//!
//! It works through a connection of its own, so it works while the core runs and while it does
//! not.

use std::fmt;
use std::sync::Arc;

use stockade_settings::CoreSettings;

use crate::alone::{AloneError, Missing};
use crate::audit::Origin;
use crate::clock::{Clock, Timestamp};
use crate::privacy::{
    ErasureJournal, JournalError, RETENTION, ReplayError, Rewrap, RewrapError, replay,
};
use crate::store::{OpenError, Store, StoreError, open_to_read, read_password};
use crate::vault::Vault;
use crate::writer::{Desk, WriteError};

/// Looks after people's data in the core's database.
pub struct PrivacyAdmin {
    desk: Desk,
    store: Box<dyn Store>,
    vault: Arc<Vault>,
    settings: CoreSettings,
}

impl fmt::Debug for PrivacyAdmin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivacyAdmin").finish_non_exhaustive()
    }
}

/// A rule of the retention table, and what is overdue under it.
#[derive(Debug, Clone)]
pub struct RetentionReport {
    /// What it is about: a kind of row.
    pub name: &'static str,
    /// How long it is kept.
    pub kept: &'static str,
    /// What for.
    pub why: &'static str,
    /// Rows beyond their time.
    pub overdue: i64,
    /// Since when the oldest is.
    pub since: Option<Timestamp>,
}

/// What a replay of the journal did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErasuresReplayed {
    /// Accounts that were there again, and are erased again.
    pub erased: usize,
    /// Erasures that the journal did not have.
    pub noted: usize,
}

/// Why it was not done.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct PrivacyError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error(transparent)]
    Open(#[from] AloneError),
    #[error("core.erasure_journal_file is not set")]
    NoJournal,
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Rewrap(#[from] RewrapError),
    #[error("could not read the database")]
    Store(#[from] StoreError),
    #[error("could not write to the database")]
    Write(#[from] WriteError),
}

impl PrivacyAdmin {
    /// Opens the core's database with the keys the settings name, to write to it.
    ///
    /// # Errors
    /// [`PrivacyError`] when it cannot be opened; also when it is a SQLite file that is not there,
    /// since a new one would say that nothing is left to do.
    pub async fn open(settings: &CoreSettings) -> Result<Self, PrivacyError> {
        let (desk, store, vault) =
            Desk::alone(settings, Missing::Refused).await.map_err(Cause::from)?;
        Ok(Self { desk, store, vault, settings: settings.clone() })
    }

    /// Every rule of the retention table, and what is overdue under it in the database of these
    /// settings, which is only read; no key is needed for it.
    ///
    /// # Errors
    /// [`PrivacyError`] when the database is not there, or cannot be read.
    pub async fn retention(settings: &CoreSettings) -> Result<Vec<RetentionReport>, PrivacyError> {
        let store = open_as_it_is(settings).await?;
        let now = Clock::system().now();
        let mut reports = Vec::new();
        for rule in &RETENTION {
            let overdue = store.overdue(rule.of, rule.limit(now)).await;
            let overdue = overdue.map_err(Cause::from)?;
            let since = overdue.since.map(|_| now.minus(rule.age(overdue, now)));
            let (name, kept, why) = (rule.name, rule.kept, rule.why);
            reports.push(RetentionReport { name, kept, why, overdue: overdue.rows, since });
        }
        store.close().await;
        Ok(reports)
    }

    /// Wraps every data key by `core.data_key_file` that `core.previous_data_key_file` wrapped,
    /// a few at a time; the number of those that were.
    ///
    /// # Errors
    /// [`PrivacyError`] names an account whose key neither of the two opens.
    pub async fn rewrap(&mut self) -> Result<usize, PrivacyError> {
        let mut rewrapped = 0_usize;
        loop {
            let rewrap = self.desk.carry_out(Rewrap(Arc::clone(&self.vault)));
            let some = Origin::operator().scope(rewrap).await;
            let some = some.map_err(Cause::from)?.map_err(Cause::from)?;
            if some == 0 {
                return Ok(rewrapped);
            }
            rewrapped = rewrapped.saturating_add(some);
        }
    }

    /// Erases again what a restored backup brought back, as a core does when it starts.
    ///
    /// # Errors
    /// [`PrivacyError`] when the journal or the database says no.
    pub async fn replay_erasures(&mut self) -> Result<ErasuresReplayed, PrivacyError> {
        let file = self.settings.erasure_journal_file.as_deref().ok_or(Cause::NoJournal)?;
        let (journal, erasures) = ErasureJournal::open(file, &self.vault).map_err(Cause::from)?;
        let replay = replay(&*self.store, &mut self.desk, &journal, &erasures);
        let done = Origin::operator().scope(replay).await;
        let done = done.map_err(Cause::from)?;
        Ok(ErasuresReplayed { erased: done.erased, noted: done.noted })
    }
}

async fn open_as_it_is(settings: &CoreSettings) -> Result<Box<dyn Store>, Cause> {
    let url = settings.store.url.as_ref().ok_or(AloneError::NotSet)?;
    let failed = |why: OpenError| AloneError::Database { url: Box::new(url.clone()), why };
    let password = settings.store.password_file.as_deref().map(read_password).transpose();
    let password = password.map_err(failed)?;
    Ok(open_to_read(url, password).await.map_err(failed)?)
}
