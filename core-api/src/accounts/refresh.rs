//! Refresh: a refresh token for a new access token and a new refresh token.
//!
//! What the account may do is read afresh: a role that was taken away is not refreshed.

use super::login::Tokens;
use super::opaque::{NoEntropy, OpaqueToken, TokenHash};
use super::revocation::Revocation;
use super::sessions::{Rotation, Session};
use super::token::{IssueError, Subject};
use crate::app::App;
use crate::audit::Action;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why nothing was refreshed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefreshError {
    #[error("the refresh token is not known, or its session is over")]
    Unknown,
    #[error("the refresh token was used before; its session is over")]
    Reused,
    #[error("could not look for the refresh token")]
    Store(#[from] StoreError),
    #[error("could not rotate the refresh token")]
    Write(#[from] WriteError),
    #[error("could not issue a token")]
    Issue(#[from] IssueError),
    #[error("could not make a refresh token")]
    Entropy(#[from] NoEntropy),
}

/// A refresh token to be spent for another.
#[derive(Debug, Clone, Copy)]
struct Refresh {
    shown: TokenHash,
    fresh: TokenHash,
}

/// Spends a refresh token and issues the next tokens of its session.
pub(crate) async fn refresh(app: &App, shown: &OpaqueToken) -> Result<Tokens, RefreshError> {
    // Whoever makes up tokens does not take the writer's time.
    if !app.store.knows_refresh_token(shown.hash()).await? {
        return Err(RefreshError::Unknown);
    }
    let refresh = OpaqueToken::generate()?;
    let wanted = Refresh { shown: shown.hash(), fresh: refresh.hash() };
    // SECURITY: of a moment before the role is read. A token that were as young as the answer
    // could be believed after the role was taken away in between.
    let now = app.clock.now();
    let subject = app.writer.submit(wanted).await??;
    Ok(Tokens { access: app.tokens.issue(&subject, app.ids.next(now), now)?, refresh })
}

impl Write for Refresh {
    type Answer = Result<Subject, RefreshError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.refresh_tokens.insert(self.shown);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let session = spendable(sheet, self.shown)?;
        rotate(sheet, &session, self.shown, self.fresh);
        Ok(Subject::of(&session))
    }
}

/// The session that a refresh token is good for; a token that was spent ends it.
pub(super) fn spendable(sheet: &mut Worksheet, shown: TokenHash) -> Result<Session, RefreshError> {
    let token = sheet.sessions.token(shown).ok_or(RefreshError::Unknown)?;
    let session = sheet.sessions.session(token.session).ok_or(RefreshError::Unknown)?.clone();
    if session.ended || session.ends_at <= sheet.now {
        return Err(RefreshError::Unknown);
    }
    if token.spent {
        // SECURITY: without this, a copied token would be good for as long as its owner's.
        sheet.sessions.end(session.id);
        sheet.new.revocations.push(Revocation::Session(session.id));
        sheet.audit(Action::RefreshTokenReused, session.id);
        return Err(RefreshError::Reused);
    }
    Ok(session)
}

/// Spends a refresh token; another takes its place.
pub(super) fn rotate(sheet: &mut Worksheet, session: &Session, spent: TokenHash, fresh: TokenHash) {
    let (session, ends_at) = (session.id, session.ends_at);
    sheet.sessions.rotate(Rotation { spent, fresh, session, ends_at });
}
