//! Access tokens: signed, short-lived statements of who somebody is (RFC 9068).

use std::fmt;
use std::time::Duration;

use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;

use super::keys::SigningKey;
use super::name::Role;
use crate::clock::Timestamp;
use crate::ids::{AccountId, SessionId, TokenId};

/// The `client_id` of every token: there is one client, the shop's own.
const CLIENT_ID: &str = "stockade";

/// A token could not be signed.
#[derive(Debug, thiserror::Error)]
#[error("signing failed")]
pub(crate) struct IssueError(#[from] jsonwebtoken::errors::Error);

/// Whom a token speaks of.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    pub(crate) role: Role,
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
    key: SigningKey,
    issuer: String,
    audience: String,
    life: Duration,
}

impl TokenIssuer {
    pub(crate) fn new(key: SigningKey, issuer: String, audience: String, life: Duration) -> Self {
        Self { key, issuer, audience, life }
    }

    /// How long a token is good for.
    pub(crate) fn life(&self) -> Duration {
        self.life
    }

    /// The key its tokens are verified with.
    pub(crate) fn key(&self) -> &SigningKey {
        &self.key
    }

    /// A token for somebody who proved at `now` who they are.
    pub(crate) fn issue(
        &self,
        subject: &Subject,
        id: TokenId,
        now: Timestamp,
    ) -> Result<AccessToken, IssueError> {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(self.key.id().to_owned());
        let claims = Claims {
            iss: &self.issuer,
            aud: &self.audience,
            sub: subject.account,
            client_id: CLIENT_ID,
            iat: now.secs(),
            exp: now.plus(self.life).secs(),
            jti: id,
            sid: subject.session,
            auth_time: now.secs(),
            roles: [subject.role.as_str()],
        };
        let text = jsonwebtoken::encode(&header, &claims, self.key.encoding())?;
        Ok(AccessToken { text, life: self.life })
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
    auth_time: u64,
    roles: [&'a str; 1],
}
