//! Set a password by a one-time link. Every session of the account ends with it.

use super::links::{end_email_changes, spend_password_links};
use super::login::throttle_key;
use super::name::{EmailAddress, Username};
use super::opaque::{OpaqueToken, TokenHash};
use super::password::{HashError, Password, PasswordHash};
use super::revocation::Revocation;
use super::strength::{Chooser, WeakPassword};
use super::throttle::ThrottleKey;
use crate::app::App;
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why no password was set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetPasswordError {
    #[error("the link is not known, was used, or is too old")]
    Link,
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    #[error("could not keep the password")]
    Hash(#[from] HashError),
    #[error("could not look for the link")]
    Store(#[from] StoreError),
    #[error("could not set the password")]
    Write(#[from] WriteError),
}

/// Whoever a link was made for.
#[derive(Debug, Clone)]
pub(crate) struct LinkOwner {
    pub(crate) account: AccountId,
    pub(crate) username: Username,
    pub(crate) email: EmailAddress,
    pub(crate) has_factor: bool,
}

/// A link about to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewLink {
    pub(crate) hash: TokenHash,
    pub(crate) account: AccountId,
    pub(crate) expires_at: Timestamp,
}

/// A password to be set.
#[derive(Debug, Clone)]
struct SetPassword {
    account: AccountId,
    throttle: ThrottleKey,
    link: TokenHash,
    hash: PasswordHash,
}

/// Sets the password of whoever the link was made for; the link is spent.
pub(crate) async fn set_password(
    app: &App,
    link: &OpaqueToken,
    password: Password,
) -> Result<(), SetPasswordError> {
    let link = link.hash();
    let owner = app.store.link_owner(link, app.clock.now()).await?.ok_or(SetPasswordError::Link)?;
    let who =
        Chooser { username: &owner.username, email: &owner.email, has_factor: owner.has_factor };
    let password = password.strong_for(who)?;
    let hash = app.passwords.hash(&password).await?;
    let throttle = throttle_key(&app.vault, &owner.username.folded());
    let set = SetPassword { account: owner.account, throttle, link, hash };
    app.writer.submit(set).await?
}

impl Write for SetPassword {
    type Answer = Result<(), SetPasswordError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.links.insert(self.link);
        wanted.accounts.ids.insert(self.account);
        wanted.accounts.throttles.insert(self.throttle);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let account = sheet.links.get(&self.link).copied().ok_or(SetPasswordError::Link)?;
        // An account's other links are spent, too.
        spend_password_links(sheet, account);
        let now = sheet.now;
        let row = sheet.accounts.change(account).ok_or(SetPasswordError::Link)?;
        row.hash = Some(self.hash.clone());
        row.refuse_tokens_before(now);
        row.challenges.clear();
        let revoked = Revocation::of_subject(account, row);
        sheet.new.revocations.push(revoked);
        // SECURITY: whoever stole a session could have asked for another address, and have the
        // account after all.
        end_email_changes(sheet, account);
        sheet.accounts.forgive(self.throttle);
        sheet.sessions.end_all(account);
        sheet.audit(Action::PasswordReset, account);
        Ok(())
    }
}
