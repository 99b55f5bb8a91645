//! Erase: the end of an account. Its data key is deleted, and nothing that it sealed can be read
//! any more in this database; the rows that were somebody's go in the same transaction. A backup
//! of before holds the wrapped key, and is readable for as long as the key from the file that
//! wraps it is kept.
//!
//! What stays: orders, the ledger, revocations and the audit trail, which the law or the books ask
//! for. They name the account by its id, which names nobody any more. An account whose orders wait
//! for payment or for shipping cannot be erased: cancel them, or wait. The last super-admin cannot
//! be, either.

use crate::accounts::{AccountRow, NotFresh, Owner, Revocation, Role, ThrottleKey, throttle_key};
use crate::app::App;
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why an account was not erased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseError {
    #[error("there is no such account")]
    Account,
    #[error("{0} orders wait for payment or shipping")]
    OpenOrders(i64),
    #[error("it is the last super-admin who can log in")]
    LastSuperAdmin,
    #[error("it is not due")]
    NotDue,
    #[error(transparent)]
    Fresh(#[from] NotFresh),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not erase the account")]
    Write(#[from] WriteError),
}

/// On whose behalf.
#[derive(Debug, Clone, Copy)]
pub(crate) enum By {
    /// Its owner, in a fresh session.
    Owner(Owner),
    /// Somebody who runs the shop.
    Admin,
    /// The rule for accounts whose address was never proved.
    Retention,
    /// The journal: it was erased at this moment, and a backup brought it back.
    Journal(Timestamp),
}

/// An account that was erased: an id that names nobody any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Erasure {
    pub(crate) account: AccountId,
    pub(crate) at: Timestamp,
}

/// What refers to an account, and may keep it from ending.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ties {
    /// Orders that wait for payment or shipping.
    pub(crate) open_orders: i64,
    pub(crate) orders: i64,
    /// Also those that are over, while they are kept.
    pub(crate) sessions: i64,
}

/// Erases an account, and notes it in the journal.
pub(crate) async fn erase(app: &App, account: AccountId, by: By) -> Result<(), EraseError> {
    let known = app.store.account(account).await?.ok_or(EraseError::Account)?;
    let throttle = throttle_key(&app.vault, &known.profile.username.folded());
    let erased = app.writer.submit(Erase { account, by, throttle: Some(throttle) }).await??;
    app.metrics.erased();
    // It is done; the journal gets it later if it cannot be written now.
    if let Err(error) = app.journal.append(&[erased]).await {
        tracing::error!(error = ?error, "an erasure is not in the journal yet");
    }
    Ok(())
}

/// An account about to end.
#[derive(Debug)]
pub(crate) struct Erase {
    pub(crate) account: AccountId,
    pub(crate) by: By,
    pub(crate) throttle: Option<ThrottleKey>,
}

impl Write for Erase {
    type Answer = Result<Erasure, EraseError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.accounts.throttles.extend(self.throttle);
        wanted.accounts.super_admins = true;
        wanted.ties_of.insert(self.account);
        if let By::Owner(owner) = self.by {
            owner.wants(wanted);
        }
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let account = self.account;
        self.may(sheet)?;
        if let Some(throttle) = self.throttle {
            sheet.accounts.forgive(throttle);
        }
        let not_before = sheet.now.secs().saturating_add(1);
        sheet.new.forget(account);
        sheet.mail.new.retain(|letter| letter.account != account);
        sheet.new.revocations.push(Revocation::Subject { account, not_before });
        sheet.accounts.forget(account);
        sheet.sessions.end_all(account);
        let at = if let By::Journal(at) = self.by { at } else { sheet.now };
        let erasure = Erasure { account, at };
        sheet.new.erased.push(erasure);
        sheet.audit(Action::AccountErased, account);
        Ok(erasure)
    }
}

impl Erase {
    fn may(&self, sheet: &Worksheet) -> Result<(), EraseError> {
        if let By::Journal(_) = self.by {
            // It was allowed once.
            return Ok(());
        }
        let ties = sheet.ties_of.get(&self.account).copied().unwrap_or_default();
        let row = sheet.accounts.row(self.account).ok_or(EraseError::Account)?;
        match self.by {
            By::Owner(owner) => {
                owner.fresh(sheet)?;
            }
            By::Retention if !self.is_due(sheet, row, ties) => return Err(EraseError::NotDue),
            By::Retention | By::Admin | By::Journal(_) => {}
        }
        if ties.open_orders > 0 {
            return Err(EraseError::OpenOrders(ties.open_orders));
        }
        if sheet.accounts.is_last_super_admin(self.account) {
            return Err(EraseError::LastSuperAdmin);
        }
        Ok(())
    }

    /// Whether what it was listed by still holds, as far as that can change: see the statement
    /// that lists.
    fn is_due(&self, sheet: &Worksheet, row: &AccountRow, ties: Ties) -> bool {
        let logs_in = sheet.sessions.new_sessions().iter().any(|new| new.account == self.account);
        let is_tied = ties.orders > 0 || ties.sessions > 0 || logs_in;
        let is_customer = row.role.as_str() == Role::CUSTOMER;
        row.email_verified_at.is_none() && is_customer && !is_tied
    }
}
