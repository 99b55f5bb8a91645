//! Claims, and the principal they make.

use serde::Deserialize;

use super::TokenError;

/// Longest subject, session and role name accepted, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Most roles a token may hold.
const ROLES_MAX: usize = 16;

/// The claims we judge; a repeated one is an error, any other is ignored.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    auth_time: Option<u64>,
    sid: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// Who a believed token speaks for. Only a verified token makes one, in this module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Principal {
    subject: String,
    session: String,
    roles: Vec<String>,
    authenticated_at: u64,
    not_before: f64,
    expires_at: f64,
}

impl Claims {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(payload).map_err(|_| TokenError::Malformed)
    }

    pub(super) fn issuer(&self) -> &str {
        &self.iss
    }

    pub(super) fn into_principal(self, audience: &str) -> Result<Principal, TokenError> {
        let for_us = match &self.aud {
            Audience::One(name) => name == audience,
            Audience::Many(names) => names.iter().any(|name| name == audience),
        };
        if !for_us {
            return Err(TokenError::WrongAudience);
        }
        let session = self.sid.unwrap_or_default();
        let well_formed = is_name(&self.sub)
            && (session.is_empty() || is_name(&session))
            && self.roles.len() <= ROLES_MAX
            && self.roles.iter().all(|role| is_name(role))
            && self.exp.is_finite()
            && self.nbf.is_none_or(f64::is_finite);
        if !well_formed {
            return Err(TokenError::Malformed);
        }
        Ok(Principal {
            subject: self.sub,
            session,
            roles: self.roles,
            authenticated_at: self.auth_time.unwrap_or_default(),
            not_before: self.nbf.unwrap_or_default(),
            expires_at: self.exp,
        })
    }
}

impl Principal {
    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    pub(crate) fn authenticated_at(&self) -> u64 {
        self.authenticated_at
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in an f64")]
    pub(super) fn check_life(&self, now: u64, leeway: u64) -> Result<(), TokenError> {
        if now.saturating_sub(leeway) as f64 >= self.expires_at {
            Err(TokenError::Expired)
        } else if ((now + leeway) as f64) < self.not_before {
            Err(TokenError::NotYetValid)
        } else {
            Ok(())
        }
    }
}

/// Visible ASCII of a sane length: safe in a header, a log line and a metric's exemplar.
fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}
