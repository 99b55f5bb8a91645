//! Log in: a password for an access token, and a session that the token belongs to.
//!
//! A wrong name and a wrong password are one refusal, and take the same time.

use std::time::Duration;

use super::name::Username;
use super::password::{HashError, Password};
use super::token::{AccessToken, IssueError, Subject};
use crate::app::App;
use crate::ids::{AccountId, SessionId};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("the user name or the password is wrong")]
    WrongCredentials,
    #[error("could not check the password")]
    Hash(#[from] HashError),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not keep the session")]
    Write(#[from] WriteError),
    #[error("could not issue a token")]
    Issue(#[from] IssueError),
}

/// A session about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) account: AccountId,
    pub(crate) life: Duration,
}

/// Checks the password, opens a session and issues a token for it.
pub(crate) async fn login(
    app: &App,
    username: &str,
    password: &Password,
) -> Result<AccessToken, LoginError> {
    let known = match Username::parse(username) {
        Ok(username) => app.store.credentials(&username.folded()).await?,
        Err(_) => None,
    };
    let hash = known.as_ref().map(|known| &known.hash);
    let fits = app.passwords.verify(password, hash).await?;
    let Some(known) = known.filter(|_| fits) else {
        return Err(LoginError::WrongCredentials);
    };
    let now = app.clock.now();
    let session = NewSession { id: app.ids.next(now), account: known.id, life: app.tokens.life() };
    let subject = Subject { account: known.id, session: session.id, role: known.role };
    app.writer.submit(session).await?;
    Ok(app.tokens.issue(&subject, app.ids.next(now), now)?)
}

impl Write for NewSession {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.new.sessions.push(self.clone());
    }
}
