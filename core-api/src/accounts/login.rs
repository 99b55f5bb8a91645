//! Log in: a password for a session and its tokens, or for a challenge where the account has a
//! second factor.
//!
//! A wrong name, a wrong password and a disabled account are one refusal, and take the same
//! time. Failures are counted by name, whether or not there is such an account.

use std::time::Duration;

use super::name::Username;
use super::opaque::{NoEntropy, OpaqueToken, TokenHash};
use super::password::{HashError, Password, PasswordHash};
use super::sessions::NewSession;
use super::throttle::ThrottleKey;
use super::token::{AccessToken, IssueError, Subject};
use crate::app::App;
use crate::audit::{Action, Detail};
use crate::clock::Timestamp;
use crate::ids::{AccountId, SessionId};
use crate::store::StoreError;
use crate::vault::{Purpose, Vault};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long the second factor may come after the password.
pub(crate) const CHALLENGE_LIFE: Duration = Duration::from_mins(5);

/// Why nobody was logged in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    #[error("the user name or the password is wrong")]
    WrongCredentials,
    #[error("too many failures; nothing is tried for {0:?}")]
    Locked(Duration),
    #[error("the second factor is missing")]
    SecondFactor(OpaqueToken),
    #[error("could not check the password")]
    Hash(#[from] HashError),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not keep the session")]
    Write(#[from] WriteError),
    #[error("could not issue a token")]
    Issue(#[from] IssueError),
    #[error("could not make a token")]
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
    let name = Username::parse(username);
    let throttle = name.as_ref().map_or_else(
        |_| throttle_key(&app.vault, username),
        |name| throttle_key(&app.vault, &name.folded()),
    );
    let now = app.clock.now();
    let failed = app.store.throttle(throttle).await?;
    if let Some(wait) = failed.and_then(|failed| failed.locked_for(now)) {
        return Err(LoginError::Locked(wait));
    }
    let known = match name {
        Ok(name) => app.store.credentials(&name.folded()).await?,
        Err(_) => None,
    };
    let tried = known.as_ref().map(|known| known.id);
    let hash = known.as_ref().and_then(|known| known.hash.as_ref());
    let fits = app.passwords.verify(password, hash).await?;
    let proven = match known.filter(|_| fits) {
        Some(known) => {
            let upgraded = app.passwords.upgrade(password, known.hash.as_ref()).await?;
            Some(Proven { account: known.id, hash: known.hash, upgraded })
        }
        None => None,
    };
    let (now, token) = (app.clock.now(), OpaqueToken::generate()?);
    let session = app.ids.next(now);
    let life = app.tokens.session_life();
    let attempt = Attempt { throttle, tried, proven, session, token: token.hash(), life };
    match app.writer.submit(attempt).await?? {
        Entered::Session(subject) => {
            let access = app.tokens.issue(&subject, app.ids.next(now), now)?;
            Ok(Tokens { access, refresh: token })
        }
        Entered::Challenge => Err(LoginError::SecondFactor(token)),
    }
}

/// The name of a throttle.
pub(crate) fn throttle_key(vault: &Vault, folded: &str) -> ThrottleKey {
    ThrottleKey(vault.digest(Purpose::Throttle, b"", folded.as_bytes()))
}

/// A login whose password was looked at.
#[derive(Debug)]
struct Attempt {
    throttle: ThrottleKey,
    /// Whose name it was; nothing for a name that nobody has.
    tried: Option<AccountId>,
    /// Whose password it was; nothing for a failure.
    proven: Option<Proven>,
    session: SessionId,
    /// Becomes the refresh token of the session, or names the challenge.
    token: TokenHash,
    life: Duration,
}

/// Somebody who showed their password.
#[derive(Debug)]
struct Proven {
    account: AccountId,
    /// What it was held against.
    hash: Option<PasswordHash>,
    /// What is kept instead from now on.
    upgraded: Option<PasswordHash>,
}

/// What a password opened.
enum Entered {
    Session(Subject),
    Challenge,
}

impl Write for Attempt {
    type Answer = Result<Entered, LoginError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.throttles.insert(self.throttle);
        wanted.accounts.ids.extend(self.proven.as_ref().map(|proven| proven.account));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let now = sheet.now;
        // SECURITY: guesses that were made at the same time are counted one after another, so
        // that no more of them are answered than of guesses in a row.
        if let Some(wait) = sheet.accounts.locked_for(self.throttle, now) {
            return Err(LoginError::Locked(wait));
        }
        let Some(proven) = self.proven.as_ref().filter(|proven| proven.still_holds(sheet)) else {
            sheet.accounts.fail(self.throttle, now);
            let why = self.tried.map_or(Detail::UnknownName, |_| Detail::WrongPassword);
            sheet.audit(Action::LoginFailed, self.tried).refused(why);
            return Err(LoginError::WrongCredentials);
        };
        if let Some(hash) = &proven.upgraded
            && let Some(row) = sheet.accounts.change(proven.account)
        {
            row.hash = Some(hash.clone());
        }
        let has_factor = |row: &super::AccountRow| row.factor.secret.is_some();
        if sheet.accounts.row(proven.account).is_some_and(has_factor) {
            // SECURITY: the throttle is not forgiven yet, or whoever knows the password could
            // guess codes without end.
            if let Some(row) = sheet.accounts.change(proven.account) {
                row.challenge(self.token, now, CHALLENGE_LIFE);
            }
            sheet.audit(Action::LoginChallenged, proven.account);
            return Ok(Entered::Challenge);
        }
        sheet.accounts.forgive(self.throttle);
        let session = Beginning { session: self.session, token: self.token, life: self.life };
        let subject = session.begin(sheet, proven.account, None);
        sheet.audit(Action::LoginSucceeded, self.session).by(proven.account);
        subject.map(Entered::Session).ok_or(LoginError::WrongCredentials)
    }
}

impl Proven {
    /// Whether the account is still as it was when the password was looked at.
    fn still_holds(&self, sheet: &Worksheet) -> bool {
        sheet.accounts.active(self.account).is_some_and(|row| row.hash == self.hash)
    }
}

/// A session about to begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginning {
    pub(super) session: SessionId,
    pub(super) token: TokenHash,
    pub(super) life: Duration,
}

impl Beginning {
    /// Begins it now; nothing where the account is not on the sheet.
    pub(super) fn begin(
        self,
        sheet: &mut Worksheet,
        account: AccountId,
        second_factor_at: Option<Timestamp>,
    ) -> Option<Subject> {
        let (began_at, row) = (sheet.now, sheet.accounts.row(account)?);
        let subject = Subject {
            account,
            session: self.session,
            role: row.role.clone(),
            authenticated_at: began_at,
            second_factor_at,
            not_before: row.tokens_not_before,
            session_ends_at: began_at.plus(self.life),
        };
        sheet.sessions.begin(NewSession {
            id: self.session,
            account,
            began_at,
            second_factor_at,
            ends_at: subject.session_ends_at,
            token: self.token,
        });
        Some(subject)
    }
}
