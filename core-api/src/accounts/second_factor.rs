//! The second factor: a code after the password, or a fresh one in a session that lives.

use std::sync::Arc;
use std::time::Duration;

use super::code::Code;
use super::login::{Beginning, Tokens, throttle_key};
use super::opaque::{NoEntropy, OpaqueToken, TokenHash};
use super::refresh::{RefreshError, rotate, spendable};
use super::throttle::ThrottleKey;
use super::token::{IssueError, Subject};
use crate::app::App;
use crate::audit::{Action, Detail};
use crate::ids::{AccountId, SessionId};
use crate::store::StoreError;
use crate::vault::Vault;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why a second factor was not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecondFactorError {
    #[error("the code is wrong, or was used already")]
    WrongCode,
    #[error("the token is not known, was used, or is too old")]
    Token,
    #[error("the account has no second factor")]
    NotEnrolled,
    #[error("too many failures; nothing is tried for {0:?}")]
    Locked(Duration),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not keep the session")]
    Write(#[from] WriteError),
    #[error("could not issue a token")]
    Issue(#[from] IssueError),
    #[error("could not make a refresh token")]
    Entropy(#[from] NoEntropy),
}

/// What the code is shown for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shown {
    /// A login whose password was right.
    Challenge(TokenHash),
    /// A session, by its refresh token.
    Session(TokenHash),
}

/// Who somebody says they are who shows a code.
#[derive(Debug, Clone)]
pub(crate) struct Claimant {
    pub(crate) account: AccountId,
    /// Folded.
    pub(crate) username: String,
}

/// Takes the code, and begins a session or makes one fresh.
pub(crate) async fn prove(
    app: &App,
    shown: Shown,
    code: Code,
) -> Result<Tokens, SecondFactorError> {
    let now = app.clock.now();
    let claimant = match shown {
        Shown::Challenge(hash) => app.store.challenged(hash, now).await?,
        Shown::Session(hash) => app.store.refresher(hash).await?,
    };
    let claimant = claimant.ok_or(SecondFactorError::Token)?;
    let refresh = OpaqueToken::generate()?;
    let beginning = Beginning {
        session: app.ids.next::<SessionId>(now),
        token: refresh.hash(),
        life: app.tokens.session_life(),
    };
    let proof = Proof {
        vault: Arc::clone(&app.vault),
        throttle: throttle_key(&app.vault, &claimant.username),
        account: claimant.account,
        shown,
        code,
        beginning,
    };
    let subject = app.writer.submit(proof).await??;
    // SECURITY: of a moment before the role was read; see `refresh`.
    let access = app.tokens.issue(&subject, app.ids.next(now), now)?;
    Ok(Tokens { access, refresh })
}

/// A code about to be looked at.
#[derive(Debug)]
struct Proof {
    vault: Arc<Vault>,
    throttle: ThrottleKey,
    account: AccountId,
    shown: Shown,
    code: Code,
    beginning: Beginning,
}

impl Write for Proof {
    type Answer = Result<Subject, SecondFactorError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.accounts.throttles.insert(self.throttle);
        if let Shown::Session(token) = self.shown {
            wanted.refresh_tokens.insert(token);
        }
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let now = sheet.now;
        if let Some(wait) = sheet.accounts.locked_for(self.throttle, now) {
            return Err(SecondFactorError::Locked(wait));
        }
        let row = sheet.accounts.active(self.account).ok_or(SecondFactorError::Token)?;
        if row.factor.secret.is_none() {
            return Err(SecondFactorError::NotEnrolled);
        }
        match self.shown {
            Shown::Challenge(hash) => {
                let waits = row.challenges.get(&hash).is_some_and(|until| *until > now);
                if !waits {
                    return Err(SecondFactorError::Token);
                }
                self.take(sheet)?;
                if let Some(row) = sheet.accounts.change(self.account) {
                    row.challenges.remove(&hash);
                }
                let began = self.beginning.begin(sheet, self.account, Some(now));
                let began = began.ok_or(SecondFactorError::Token)?;
                let login = sheet.audit(Action::LoginSucceeded, self.beginning.session);
                login.by(self.account).detailed(Detail::SecondFactor);
                Ok(began)
            }
            Shown::Session(token) => {
                let session = spendable(sheet, token)?;
                self.take(sheet)?;
                rotate(sheet, &session, token, self.beginning.token);
                sheet.sessions.step_up(session.id, now);
                sheet.audit(Action::SecondFactorShown, session.id).by(self.account);
                Ok(Subject { second_factor_at: Some(now), ..Subject::of(&session) })
            }
        }
    }
}

impl Proof {
    fn take(&self, sheet: &mut Worksheet) -> Result<(), SecondFactorError> {
        let now = sheet.now;
        let taken = sheet
            .accounts
            .change(self.account)
            .is_some_and(|row| self.code.take(&self.vault, self.account, row, now));
        if taken {
            sheet.accounts.forgive(self.throttle);
            Ok(())
        } else {
            sheet.accounts.fail(self.throttle, now);
            sheet.audit(Action::LoginFailed, self.account).refused(Detail::WrongCode);
            Err(SecondFactorError::WrongCode)
        }
    }
}

impl From<RefreshError> for SecondFactorError {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Unknown | RefreshError::Reused => Self::Token,
            RefreshError::Store(error) => Self::Store(error),
            RefreshError::Write(error) => Self::Write(error),
            RefreshError::Issue(error) => Self::Issue(error),
            RefreshError::Entropy(error) => Self::Entropy(error),
        }
    }
}
