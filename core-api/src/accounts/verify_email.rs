//! Prove an e-mail address by a link that was sent to it.
//!
//! An address that is not proved yet holds nobody up: customers order at once. It is shown on
//! the account, for whoever is to rely on it.

use std::time::Duration;

use super::book::EmailLink;
use super::forgot_password::Addressee;
use super::links::{has_room_for_email_link, spend_email_links, spend_password_links};
use super::name::EmailAddress;
use super::opaque::{NoEntropy, OpaqueToken, TokenHash};
use crate::app::App;
use crate::audit::Action;
use crate::ids::{AccountId, LetterId};
use crate::mail::{Letter, Written};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long a link is good for.
const LINK_LIFE: Duration = Duration::from_hours(24);

/// Why an address was not proved, or nobody written to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyEmailError {
    #[error("there is no such account")]
    Account,
    #[error("the link is not known, was used, or is too old")]
    Link,
    #[error("could not look for the account")]
    Store(#[from] StoreError),
    #[error("could not make a link")]
    Entropy(#[from] NoEntropy),
    #[error("could not write")]
    Write(#[from] WriteError),
}

/// A link to prove an address, and the message that carries it.
#[derive(Debug, Clone)]
pub(super) struct EmailProof {
    hash: TokenHash,
    /// The address, where it is not the account's yet.
    email: Option<EmailAddress>,
    letter: Letter,
}

/// A link to prove an address, about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewEmailLink {
    pub(crate) hash: TokenHash,
    pub(crate) account: AccountId,
    pub(crate) link: EmailLink,
}

impl EmailProof {
    /// Of the account's own address, or of another that is to be in its place.
    pub(super) fn write(
        app: &App,
        to: &Addressee,
        email: Option<EmailAddress>,
    ) -> Result<Self, NoEntropy> {
        let token = OpaqueToken::generate()?;
        let id = app.ids.next::<LetterId>(app.clock.now());
        let letter = app.texts.verify_email(&Written { id, to, token: &token });
        Ok(Self { hash: token.hash(), email, letter })
    }

    /// Sends it, and makes its link good.
    pub(super) fn send(&self, account: AccountId, sheet: &mut Worksheet) {
        let link = EmailLink { until: sheet.now.plus(LINK_LIFE), email: self.email.clone() };
        sheet.new.email_links.push(NewEmailLink { hash: self.hash, account, link });
        sheet.mail.new.push(self.letter.clone());
    }
}

/// Sends the account's owner another link, unless the address is proved or enough were sent.
pub(crate) async fn send_email_proof(
    app: &App,
    account: AccountId,
) -> Result<(), VerifyEmailError> {
    let owner = app.store.password_owner(account).await?.ok_or(VerifyEmailError::Account)?;
    let to = Addressee { account, username: owner.username, email: owner.email };
    let proof = EmailProof::write(app, &to, None)?;
    Ok(app.writer.submit(Resend { account, proof }).await?)
}

/// Whom a link was sent to, and the address where it is not theirs yet.
#[derive(Debug, Clone)]
pub(crate) struct EmailLinkOwner {
    pub(crate) account: AccountId,
    pub(crate) email: Option<EmailAddress>,
}

/// The address of whoever the link was sent to is proved, and theirs from now on.
pub(crate) async fn verify_email(app: &App, link: &OpaqueToken) -> Result<(), VerifyEmailError> {
    let link = link.hash();
    let owner = app.store.email_link_owner(link, app.clock.now()).await?;
    let owner = owner.ok_or(VerifyEmailError::Link)?;
    app.writer.submit(Prove { owner, link }).await?
}

#[derive(Debug)]
struct Resend {
    account: AccountId,
    proof: EmailProof,
}

impl Write for Resend {
    type Answer = ();

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
    }

    fn decide(&self, sheet: &mut Worksheet) {
        let active = sheet.accounts.active(self.account);
        let is_own = |link: &EmailLink| link.email.is_none();
        if active.is_some_and(|row| row.email_verified_at.is_none())
            && has_room_for_email_link(sheet, self.account, is_own)
        {
            self.proof.send(self.account, sheet);
        }
    }
}

#[derive(Debug)]
struct Prove {
    owner: EmailLinkOwner,
    link: TokenHash,
}

impl Write for Prove {
    type Answer = Result<(), VerifyEmailError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.owner.account);
        wanted.emails.extend(self.owner.email.as_ref().map(EmailAddress::folded));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let (now, account) = (sheet.now, self.owner.account);
        let row = sheet.accounts.active(account).ok_or(VerifyEmailError::Link)?;
        if row.email_links.get(&self.link).is_none_or(|link| link.until <= now) {
            return Err(VerifyEmailError::Link);
        }
        if let Some(email) = &self.owner.email {
            // Somebody may have registered with it since the link was sent.
            let folded = email.folded();
            let is_other = row.profile.email.folded() != folded;
            if is_other && !sheet.names.emails.insert(folded) {
                return Err(VerifyEmailError::Link);
            }
            let profile = sheet.accounts.change_profile(account).ok_or(VerifyEmailError::Link)?;
            profile.email = email.clone();
            // SECURITY: whoever reads the mailbox before it could take the account back.
            spend_password_links(sheet, account);
        }
        let row = sheet.accounts.change(account).ok_or(VerifyEmailError::Link)?;
        row.email_verified_at = Some(now);
        spend_email_links(sheet, account);
        sheet.audit(Action::EmailVerified, self.owner.account);
        Ok(())
    }
}
