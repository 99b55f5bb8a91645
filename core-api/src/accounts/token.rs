//! Access tokens: signed, short-lived statements of who somebody is (RFC 9068).

use std::fmt;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use super::keys::{SigningKeyError, SigningKeys};
use super::name::Role;
use super::sessions::Session;
use crate::clock::Timestamp;
use crate::ids::{AccountId, SessionId, TokenId};

/// The `client_id` of every token: there is one client, the shop's own.
const CLIENT_ID: &str = "stockade";

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IssueError {
    #[error("signing failed")]
    Signing(#[from] jsonwebtoken::errors::Error),
    #[error("there is no key to sign with")]
    NoKey,
}

/// Whom a token speaks of.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    pub(crate) role: Role,
    /// When the password was shown.
    pub(crate) authenticated_at: Timestamp,
    /// When a second factor was last shown.
    pub(crate) second_factor_at: Option<Timestamp>,
    /// No token is issued as of an earlier second.
    pub(crate) not_before: u64,
    /// No token outlives its session.
    pub(crate) session_ends_at: Timestamp,
}

impl Subject {
    /// Whom the tokens of a session speak of.
    pub(super) fn of(session: &Session) -> Self {
        Self {
            account: session.account,
            session: session.id,
            role: session.role.clone(),
            authenticated_at: session.began_at,
            second_factor_at: session.second_factor_at,
            not_before: session.tokens_not_before,
            session_ends_at: session.ends_at,
        }
    }

    /// What the account is in this session. Before a second factor is shown, everybody is a
    /// customer, too: so they can enrol one even where the policy lets no other role count.
    fn roles(&self) -> Vec<&str> {
        let base = Role::CUSTOMER;
        let alone = self.second_factor_at.is_some() || self.role.as_str() == base;
        if alone { vec![self.role.as_str()] } else { vec![self.role.as_str(), base] }
    }
}

/// How somebody proved who they are (RFC 8176).
fn methods(subject: &Subject) -> &'static [&'static str] {
    if subject.second_factor_at.is_some() { &["pwd", "otp", "mfa"] } else { &["pwd"] }
}

/// A signed token. It cannot be printed.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    pub(crate) life: Duration,
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("life", &self.life).finish_non_exhaustive()
    }
}

/// Issues access tokens.
#[derive(Debug)]
pub(crate) struct TokenIssuer {
    keys: SigningKeys,
    issuer: String,
    audience: String,
    lives: Lives,
}

/// How long things are good for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lives {
    pub(crate) access_token: Duration,
    pub(crate) session: Duration,
}

impl TokenIssuer {
    pub(crate) fn new(keys: SigningKeys, issuer: String, audience: String, lives: Lives) -> Self {
        Self { keys, issuer, audience, lives }
    }

    /// How long a session can be refreshed.
    pub(crate) fn session_life(&self) -> Duration {
        self.lives.session
    }

    /// How long an access token is believed at most.
    pub(crate) fn access_token_life(&self) -> Duration {
        self.lives.access_token
    }

    /// The keys its tokens are verified with.
    pub(crate) fn public_keys(&self, now: Timestamp) -> JwkSet {
        self.keys.public(now, self.lives.access_token)
    }

    /// Looks for keys that were added or removed. Whether there are others now.
    pub(crate) fn reread_keys(&self) -> Result<bool, SigningKeyError> {
        self.keys.reread()
    }

    /// A token for somebody, from `now` on.
    pub(crate) fn issue(
        &self,
        subject: &Subject,
        id: TokenId,
        now: Timestamp,
    ) -> Result<AccessToken, IssueError> {
        let authenticated_at = subject.second_factor_at.unwrap_or(subject.authenticated_at);
        let expires_at = now.plus(self.lives.access_token).min(subject.session_ends_at);
        let key = self.keys.current(now).ok_or(IssueError::NoKey)?;
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(key.id().to_owned());
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: subject.account,
            client_id: CLIENT_ID,
            iat: now.secs().max(subject.not_before),
            exp: expires_at.secs(),
            jti: id,
            sid: subject.session,
            auth_time: authenticated_at.secs(),
            amr: methods(subject),
            roles: subject.roles(),
        };
        let text = jsonwebtoken::encode(&header, &claims, key.encoding())?;
        Ok(AccessToken {
            text,
            life: Duration::from_secs(expires_at.secs().saturating_sub(now.secs())),
        })
    }
}

/// The claims of RFC 9068, 2.2, and the session's id (OpenID Connect Back-Channel Logout).
#[derive(Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: AccountId,
    client_id: &'a str,
    iat: u64,
    exp: u64,
    jti: TokenId,
    sid: SessionId,
    /// When the youngest of `amr` was proved.
    auth_time: u64,
    amr: &'a [&'a str],
    roles: Vec<&'a str>,
}
