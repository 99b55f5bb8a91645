//! Sessions: what begins with a password and ends by itself, by its owner, or by a theft that
//! was noticed.
//!
//! A session has one refresh token at a time. Whoever shows it gets another and the old one is
//! spent; whoever shows a spent one ends the session, for the token has been copied and nobody
//! can tell who has the copy. That is so from the first moment on: two tries with one token
//! end the session even when they come together, as a client that loses an answer logs in
//! again, while a grace period would be the thief's.

use std::collections::{BTreeMap, BTreeSet};

use super::name::Role;
use super::opaque::TokenHash;
use crate::clock::Timestamp;
use crate::ids::{AccountId, SessionId};

/// A session as one batch sees it.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) account: AccountId,
    /// The account's role now.
    pub(crate) role: Role,
    /// The account's: tokens issued before this second are not believed any more.
    pub(crate) tokens_not_before: u64,
    /// When the password was shown.
    pub(crate) began_at: Timestamp,
    /// When a second factor was last shown.
    pub(crate) second_factor_at: Option<Timestamp>,
    pub(crate) ends_at: Timestamp,
    /// Whether it was ended before its time.
    pub(crate) ended: bool,
}

/// A session as whoever it belongs to is shown it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SessionOf {
    pub(crate) id: SessionId,
    pub(crate) began_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    /// When it ended before its time.
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) second_factor_at: Option<Timestamp>,
}

/// A refresh token as one batch sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefreshToken {
    pub(crate) session: SessionId,
    pub(crate) spent: bool,
}

/// A session about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) id: SessionId,
    pub(crate) account: AccountId,
    pub(crate) began_at: Timestamp,
    pub(crate) second_factor_at: Option<Timestamp>,
    pub(crate) ends_at: Timestamp,
    pub(crate) token: TokenHash,
}

/// A refresh token that takes the place of another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rotation {
    pub(crate) spent: TokenHash,
    pub(crate) fresh: TokenHash,
    pub(crate) session: SessionId,
    pub(crate) ends_at: Timestamp,
}

/// Sessions and refresh tokens in memory.
#[derive(Debug, Default)]
pub(crate) struct SessionBook {
    sessions: BTreeMap<SessionId, Session>,
    tokens: BTreeMap<TokenHash, RefreshToken>,
    new: Vec<NewSession>,
    rotations: Vec<Rotation>,
    ended: BTreeSet<SessionId>,
    /// Sessions in which a second factor was shown just now.
    stepped_up: BTreeSet<SessionId>,
    /// Accounts whose sessions have no second factor any more.
    stepped_down: BTreeSet<AccountId>,
    /// Accounts whose sessions are ended, all or all but one.
    logged_out: BTreeMap<AccountId, Option<SessionId>>,
}

impl SessionBook {
    pub(crate) fn loaded(
        sessions: BTreeMap<SessionId, Session>,
        tokens: BTreeMap<TokenHash, RefreshToken>,
    ) -> Self {
        Self { sessions, tokens, ..Self::default() }
    }

    pub(crate) fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.get(&id)
    }

    pub(crate) fn token(&self, hash: TokenHash) -> Option<RefreshToken> {
        self.tokens.get(&hash).copied()
    }

    pub(crate) fn begin(&mut self, session: NewSession) {
        self.new.push(session);
    }

    pub(crate) fn rotate(&mut self, rotation: Rotation) {
        if let Some(token) = self.tokens.get_mut(&rotation.spent) {
            token.spent = true;
        }
        self.rotations.push(rotation);
    }

    /// Notes that a second factor was shown in a session.
    pub(crate) fn step_up(&mut self, id: SessionId, now: Timestamp) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.second_factor_at = Some(now);
        }
        self.stepped_up.insert(id);
    }

    /// Forgets the second factor in every session of an account.
    pub(crate) fn step_down(&mut self, account: AccountId) {
        let theirs = self.sessions.values_mut().filter(|session| session.account == account);
        theirs.for_each(|session| session.second_factor_at = None);
        self.stepped_down.insert(account);
    }

    pub(crate) fn end(&mut self, id: SessionId) {
        if let Some(session) = self.sessions.get_mut(&id) {
            session.ended = true;
        }
        self.ended.insert(id);
    }

    /// Ends every session of an account, known to the batch or not.
    pub(crate) fn end_all(&mut self, account: AccountId) {
        let theirs = self.sessions.values_mut().filter(|session| session.account == account);
        theirs.for_each(|session| session.ended = true);
        self.logged_out.insert(account, None);
    }

    /// Ends every session of an account but one.
    pub(crate) fn end_others(&mut self, account: AccountId, kept: SessionId) {
        let others = |session: &&mut Session| session.account == account && session.id != kept;
        self.sessions.values_mut().filter(others).for_each(|session| session.ended = true);
        self.logged_out.entry(account).or_insert(Some(kept));
    }

    pub(crate) fn new_sessions(&self) -> &[NewSession] {
        &self.new
    }

    pub(crate) fn rotations(&self) -> &[Rotation] {
        &self.rotations
    }

    pub(crate) fn stepped_up(&self) -> impl Iterator<Item = SessionId> {
        self.stepped_up.iter().copied()
    }

    pub(crate) fn stepped_down(&self) -> impl Iterator<Item = AccountId> {
        self.stepped_down.iter().copied()
    }

    pub(crate) fn ended(&self) -> impl Iterator<Item = SessionId> {
        self.ended.iter().copied()
    }

    /// Accounts whose sessions end, and the one session that goes on, if there is one.
    pub(crate) fn logged_out(&self) -> impl Iterator<Item = (AccountId, Option<SessionId>)> {
        self.logged_out.iter().map(|(account, kept)| (*account, *kept))
    }
}
