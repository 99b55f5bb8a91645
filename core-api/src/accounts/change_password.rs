//! Change a password by showing the old one. Every other session of the account ends.

use std::time::Duration;

use super::links::{end_email_changes, spend_password_links};
use super::login::throttle_key;
use super::name::{EmailAddress, Username};
use super::password::{HashError, Password, PasswordHash};
use super::revocation::Revocation;
use super::strength::{Chooser, WeakPassword};
use super::throttle::ThrottleKey;
use crate::app::App;
use crate::audit::{Action, Detail};
use crate::ids::{AccountId, SessionId};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why no password was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangePasswordError {
    #[error("there is no such account")]
    Account,
    #[error("the old password is wrong")]
    WrongPassword,
    #[error("too many failures; nothing is tried for {0:?}")]
    Locked(Duration),
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error("could not keep the password")]
    Hash(#[from] HashError),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not change the password")]
    Write(#[from] WriteError),
}

/// An account, as far as its password goes.
#[derive(Debug, Clone)]
pub(crate) struct PasswordOwner {
    pub(crate) username: Username,
    pub(crate) email: EmailAddress,
    pub(crate) hash: Option<PasswordHash>,
    pub(crate) has_factor: bool,
}

/// An old password and the one in its place.
#[derive(Debug)]
pub(crate) struct PasswordChange {
    pub(crate) account: AccountId,
    /// The session that goes on.
    pub(crate) session: SessionId,
    pub(crate) old: Password,
    pub(crate) new: Password,
}

/// Changes the password, unless the old one is wrong or the new one weak.
pub(crate) async fn change_password(
    app: &App,
    wanted: PasswordChange,
) -> Result<(), ChangePasswordError> {
    let PasswordChange { account, session, old, new } = wanted;
    let owner = app.store.password_owner(account).await?.ok_or(ChangePasswordError::Account)?;
    let who =
        Chooser { username: &owner.username, email: &owner.email, has_factor: owner.has_factor };
    let new = new.strong_for(who)?;
    let throttle = throttle_key(&app.vault, &owner.username.folded());
    let tried = app.store.throttle(throttle).await?;
    if let Some(wait) = tried.and_then(|tried| tried.locked_for(app.clock.now())) {
        return Err(ChangePasswordError::Locked(wait));
    }
    let fits = app.passwords.verify(&old, owner.hash.as_ref()).await?;
    let hash = if fits { Some(app.passwords.hash(&new).await?) } else { None };
    let change = Change { account, session, throttle, old: owner.hash, new: hash };
    app.writer.submit(change).await?
}

#[derive(Debug)]
struct Change {
    account: AccountId,
    session: SessionId,
    throttle: ThrottleKey,
    /// What the old password was held against.
    old: Option<PasswordHash>,
    /// Nothing where the old password was wrong.
    new: Option<PasswordHash>,
}

impl Write for Change {
    type Answer = Result<(), ChangePasswordError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.accounts.throttles.insert(self.throttle);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let now = sheet.now;
        if let Some(wait) = sheet.accounts.locked_for(self.throttle, now) {
            return Err(ChangePasswordError::Locked(wait));
        }
        let row = sheet.accounts.active(self.account).ok_or(ChangePasswordError::Account)?;
        let Some(new) = self.new.clone().filter(|_| row.hash == self.old) else {
            sheet.accounts.fail(self.throttle, now);
            sheet.audit(Action::PasswordChanged, self.account).refused(Detail::WrongPassword);
            return Err(ChangePasswordError::WrongPassword);
        };
        let row = sheet.accounts.change(self.account).ok_or(ChangePasswordError::Account)?;
        row.hash = Some(new);
        row.refuse_tokens_before(now);
        row.challenges.clear();
        let revoked = Revocation::of_subject(self.account, row);
        sheet.new.revocations.push(revoked);
        // SECURITY: whoever stole a session could have asked for another address, and have the
        // account after all.
        end_email_changes(sheet, self.account);
        spend_password_links(sheet, self.account);
        sheet.accounts.forgive(self.throttle);
        sheet.sessions.end_others(self.account, self.session);
        sheet.audit(Action::PasswordChanged, self.account);
        Ok(())
    }
}
