//! Fresh: a session in which its owner proved themselves just now, by the second factor where
//! there is one, by the password where there is none. What is worth stealing needs one, so a token
//! alone, however it was come by, does little harm.

use std::time::Duration;

use super::book::AccountRow;
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{AccountId, SessionId};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long ago somebody may have proved themselves.
const FRESH: Duration = Duration::from_mins(10);

/// What was not proved lately enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    Password,
    SecondFactor,
}

/// Why somebody is not taken for the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFresh {
    #[error("the session is over, or not this account's")]
    Session,
    #[error("the session has to be fresher")]
    Stale(Stale),
}

/// Whoever asks, in which session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
}

impl Owner {
    pub(crate) fn wants(self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.sessions.insert(self.session);
    }

    /// The account, if whoever asks proved themselves in this session just now.
    pub(crate) fn fresh(self, sheet: &Worksheet) -> Result<&AccountRow, NotFresh> {
        let session = sheet.sessions.session(self.session).ok_or(NotFresh::Session)?;
        if session.account != self.account || session.ended || session.ends_at <= sheet.now {
            return Err(NotFresh::Session);
        }
        let row = sheet.accounts.active(self.account).ok_or(NotFresh::Session)?;
        let since = |moment: Timestamp| moment.plus(FRESH) > sheet.now;
        let by_factor = session.second_factor_at.is_some_and(since);
        if by_factor || row.factor.secret.is_none() && since(session.began_at) {
            return Ok(row);
        }
        let has_factor = row.factor.secret.is_some();
        Err(NotFresh::Stale(if has_factor { Stale::SecondFactor } else { Stale::Password }))
    }
}

/// Whether whoever asks proved themselves in this session just now.
pub(crate) async fn prove_fresh(
    app: &App,
    owner: Owner,
) -> Result<Result<(), NotFresh>, WriteError> {
    app.writer.submit(Look(owner)).await
}

#[derive(Debug)]
struct Look(Owner);

impl Write for Look {
    type Answer = Result<(), NotFresh>;

    fn wants(&self, wanted: &mut Wanted) {
        self.0.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        self.0.fresh(sheet).map(|_| ())
    }
}
