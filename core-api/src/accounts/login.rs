//! Log in: a password for a session and its tokens.
//!
//! A wrong name and a wrong password are one refusal, and take the same time.

use super::name::Username;
use super::opaque::{NoEntropy, OpaqueToken};
use super::password::{HashError, Password};
use super::sessions::NewSession;
use super::token::{AccessToken, IssueError, Subject};
use crate::app::App;
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
    #[error("could not make a refresh token")]
    Entropy(#[from] NoEntropy),
}

/// What somebody gets who has proved who they are.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) refresh: OpaqueToken,
}

/// Checks the password, begins a session and issues its tokens.
pub(crate) async fn login(
    app: &App,
    username: &str,
    password: &Password,
) -> Result<Tokens, LoginError> {
    let known = match Username::parse(username) {
        Ok(username) => app.store.credentials(&username.folded()).await?,
        Err(_) => None,
    };
    let hash = known.as_ref().and_then(|known| known.hash.as_ref());
    let fits = app.passwords.verify(password, hash).await?;
    let Some(known) = known.filter(|_| fits) else {
        return Err(LoginError::WrongCredentials);
    };
    let (now, refresh) = (app.clock.now(), OpaqueToken::generate()?);
    let session = NewSession {
        id: app.ids.next(now),
        account: known.id,
        began_at: now,
        ends_at: now.plus(app.tokens.session_life()),
        token: refresh.hash(),
    };
    let subject = Subject {
        account: known.id,
        session: session.id,
        role: known.role,
        authenticated_at: now,
        session_ends_at: session.ends_at,
    };
    app.writer.submit(session).await?;
    Ok(Tokens { access: app.tokens.issue(&subject, app.ids.next(now), now)?, refresh })
}

impl Write for NewSession {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.sessions.begin(self.clone());
    }
}
