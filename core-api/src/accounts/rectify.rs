//! Rectify: what an account's owner says of themselves, put right.
//!
//! Name and telephone number change at once. Another e-mail address is written to first, and is
//! the account's when its link was opened; the address before it is told at once. Since links
//! that set passwords go there, asking for another needs a fresh session.

use super::forgot_password::Addressee;
use super::fresh::{NotFresh, Owner};
use super::links::has_room_for_email_link;
use super::name::{EmailAddress, FullName, PhoneNumber};
use super::opaque::NoEntropy;
use super::verify_email::EmailProof;
use crate::app::App;
use crate::audit::Action;
use crate::ids::{AccountId, SessionId};
use crate::mail::Letter;
use crate::store::StoreError;
use crate::version::{Expected, Version};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why nothing was put right.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RectifyError {
    #[error("there is no such account")]
    Account,
    #[error("the account is at version {0:?}")]
    Stale(Version),
    #[error("the e-mail address is taken")]
    Taken,
    #[error("too many links wait to be opened")]
    TooManyLinks,
    #[error(transparent)]
    Fresh(#[from] NotFresh),
    #[error("could not make a link")]
    Entropy(#[from] NoEntropy),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not change the account")]
    Write(#[from] WriteError),
}

/// What is put right; what is left out stays.
#[derive(Debug, Clone)]
pub(crate) struct Rectification {
    pub(crate) expected: Expected,
    /// `Some(None)` takes it off.
    pub(crate) full_name: Option<Option<FullName>>,
    /// `Some(None)` takes it off.
    pub(crate) phone: Option<Option<PhoneNumber>>,
    pub(crate) email: Option<EmailAddress>,
}

/// Puts it right; `session` is that of whoever asks.
pub(crate) async fn rectify(
    app: &App,
    account: AccountId,
    session: Option<SessionId>,
    wanted: Rectification,
) -> Result<(), RectifyError> {
    let known = app.store.account(account).await?.ok_or(RectifyError::Account)?.profile;
    let other = wanted.email.as_ref().filter(|email| **email != known.email);
    let change = match other {
        None => None,
        Some(email) => {
            let session = session.ok_or(NotFresh::Session)?;
            let to = |email: &EmailAddress| Addressee {
                account,
                username: known.username.clone(),
                email: email.clone(),
            };
            let proof = EmailProof::write(app, &to(email), Some(email.clone()))?;
            let id = app.ids.next(app.clock.now());
            let notice = app.texts.email_is_to_change(id, &to(&known.email));
            let owner = Owner { account, session };
            Some(EmailChange { owner, email: email.clone(), proof, notice })
        }
    };
    app.writer.submit(Rectify { account, wanted, change }).await?
}

#[derive(Debug)]
struct Rectify {
    account: AccountId,
    wanted: Rectification,
    change: Option<EmailChange>,
}

/// Another address, not proved yet.
#[derive(Debug)]
struct EmailChange {
    owner: Owner,
    email: EmailAddress,
    proof: EmailProof,
    /// To the address before it.
    notice: Letter,
}

impl Write for Rectify {
    type Answer = Result<(), RectifyError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        if let Some(change) = &self.change {
            change.owner.wants(wanted);
            wanted.emails.insert(change.email.folded());
        }
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let row = sheet.accounts.active(self.account).ok_or(RectifyError::Account)?;
        if !self.wanted.expected.fits(row.profile.version) {
            return Err(RectifyError::Stale(row.profile.version));
        }
        if let Some(change) = &self.change {
            change.decide(sheet)?;
        }
        let Rectification { full_name, phone, .. } = &self.wanted;
        if full_name.is_none() && phone.is_none() {
            return Ok(());
        }
        let profile = sheet.accounts.change_profile(self.account).ok_or(RectifyError::Account)?;
        if let Some(full_name) = full_name {
            profile.full_name.clone_from(full_name);
        }
        if let Some(phone) = phone {
            profile.phone.clone_from(phone);
        }
        sheet.audit(Action::AccountRectified, self.account);
        Ok(())
    }
}

impl EmailChange {
    fn decide(&self, sheet: &mut Worksheet) -> Result<(), RectifyError> {
        let row = self.owner.fresh(sheet)?;
        let folded = self.email.folded();
        // Another spelling of the same is nobody else's.
        if row.profile.email.folded() != folded && sheet.names.emails.contains(&folded) {
            return Err(RectifyError::Taken);
        }
        if !has_room_for_email_link(sheet, self.owner.account, |_| true) {
            return Err(RectifyError::TooManyLinks);
        }
        self.proof.send(self.owner.account, sheet);
        sheet.mail.new.push(self.notice.clone());
        sheet.audit(Action::EmailChangeAsked, self.owner.account);
        Ok(())
    }
}
