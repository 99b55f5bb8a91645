//! Forgot a password: a link by mail, to whoever has the address.
//!
//! Whoever asks is answered at once and the same, whether or not there is an account: the work
//! is done afterwards.

use std::sync::Arc;
use std::time::Duration;

use super::links::has_room_for_password_link;
use super::name::{EmailAddress, Username};
use super::opaque::{NoEntropy, OpaqueToken, TokenHash};
use super::set_password::NewLink;
use crate::app::App;
use crate::audit::{Action, Origin};
use crate::ids::{AccountId, LetterId};
use crate::mail::{Letter, Written};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long a link is good for.
const LINK_LIFE: Duration = Duration::from_mins(30);

/// Too many ask at once; of anybody, so that it tells nothing.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("too many requests wait")]
pub(crate) struct Crowded;

/// Why nobody was written to.
#[derive(Debug, thiserror::Error)]
enum ForgotError {
    #[error("could not look for the address")]
    Store(#[from] StoreError),
    #[error("could not make a link")]
    Entropy(#[from] NoEntropy),
    #[error("could not write the message down")]
    Write(#[from] WriteError),
}

/// Somebody who can be written to.
#[derive(Debug, Clone)]
pub(crate) struct Addressee {
    pub(crate) account: AccountId,
    pub(crate) username: Username,
    pub(crate) email: EmailAddress,
}

/// Has a link sent to this address, if an account has it.
pub(crate) fn forgot_password(app: &Arc<App>, email: &str) -> Result<(), Crowded> {
    let place = Arc::clone(&app.errands).try_acquire_owned().map_err(|_| Crowded)?;
    let Ok(email) = EmailAddress::parse(email) else { return Ok(()) };
    let app = Arc::clone(app);
    tokio::spawn(Origin::current().scope(async move {
        let _held = place;
        if let Err(error) = send_link(&app, &email).await {
            tracing::error!(error = ?error, "a link to set a password was not sent");
        }
    }));
    Ok(())
}

async fn send_link(app: &App, email: &EmailAddress) -> Result<(), ForgotError> {
    let Some(owner) = app.store.addressee(&email.folded()).await? else { return Ok(()) };
    let token = OpaqueToken::generate()?;
    let written =
        Written { id: app.ids.next::<LetterId>(app.clock.now()), to: &owner, token: &token };
    let letter = app.texts.reset_password(&written);
    app.writer.submit(SendLink { account: owner.account, link: token.hash(), letter }).await?;
    Ok(())
}

#[derive(Debug)]
struct SendLink {
    account: AccountId,
    link: TokenHash,
    letter: Letter,
}

impl Write for SendLink {
    type Answer = ();

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
    }

    fn decide(&self, sheet: &mut Worksheet) {
        let expires_at = sheet.now.plus(LINK_LIFE);
        let is_active = sheet.accounts.active(self.account).is_some();
        if is_active && has_room_for_password_link(sheet, self.account) {
            sheet.new.links.push(NewLink { hash: self.link, account: self.account, expires_at });
            sheet.mail.new.push(self.letter.clone());
            sheet.audit(Action::PasswordLinkSent, self.account);
        }
    }
}
