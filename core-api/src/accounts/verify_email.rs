//! Prove an e-mail address by a link that was sent to it.
//!
//! An address that is not proved yet holds nobody up: customers order at once. It is shown on
//! the account, for whoever is to rely on it.

use std::time::Duration;

use super::forgot_password::Addressee;
use super::opaque::{NoEntropy, OpaqueToken, TokenHash};
use super::set_password::NewLink;
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{AccountId, LetterId};
use crate::mail::{Letter, Written};
use crate::store::StoreError;
use crate::vault::SealError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long a link is good for.
const LINK_LIFE: Duration = Duration::from_hours(24);

/// Links of one account that are good at once.
const LINKS_MAX: usize = 3;

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
    #[error("could not seal the message")]
    Seal(#[from] SealError),
    #[error("could not write")]
    Write(#[from] WriteError),
}

/// A link to prove an address, and the message that carries it.
#[derive(Debug, Clone)]
pub(super) struct EmailProof {
    hash: TokenHash,
    letter: Letter,
}

impl EmailProof {
    pub(super) fn write(app: &App, to: &Addressee) -> Result<Self, VerifyEmailError> {
        let token = OpaqueToken::generate()?;
        let id = app.ids.next::<LetterId>(app.clock.now());
        let (email, username) = (&to.email, &to.username);
        let written = Written { id, to: email, username, token: &token, vault: &app.vault };
        let letter = app.texts.verify_email(&written)?;
        Ok(Self { hash: token.hash(), letter })
    }

    /// Sends it along with an account that is new.
    pub(super) fn send(&self, account: AccountId, sheet: &mut Worksheet) {
        let expires_at = sheet.now.plus(LINK_LIFE);
        sheet.new.email_links.push(NewLink { hash: self.hash, account, expires_at });
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
    let proof = EmailProof::write(app, &to)?;
    Ok(app.writer.submit(Resend { account, proof }).await?)
}

/// The address of whoever the link was sent to is proved.
pub(crate) async fn verify_email(app: &App, link: &OpaqueToken) -> Result<(), VerifyEmailError> {
    let link = link.hash();
    let account = app.store.email_link_owner(link, app.clock.now()).await?;
    let account = account.ok_or(VerifyEmailError::Link)?;
    app.writer.submit(Prove { account, link }).await?
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
        let now = sheet.now;
        let live = |until: &&Timestamp| **until > now;
        let wanted = sheet.accounts.active(self.account).is_some_and(|row| {
            row.email_verified_at.is_none()
                && row.email_links.values().filter(live).count() < LINKS_MAX
        });
        if wanted {
            self.proof.send(self.account, sheet);
        }
    }
}

#[derive(Debug)]
struct Prove {
    account: AccountId,
    link: TokenHash,
}

impl Write for Prove {
    type Answer = Result<(), VerifyEmailError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let now = sheet.now;
        let row = sheet.accounts.active(self.account).ok_or(VerifyEmailError::Link)?;
        if row.email_links.get(&self.link).is_none_or(|until| *until <= now) {
            return Err(VerifyEmailError::Link);
        }
        let row = sheet.accounts.change(self.account).ok_or(VerifyEmailError::Link)?;
        row.email_links.clear();
        row.email_verified_at = Some(now);
        Ok(())
    }
}
