//! Claims, and the principal they make.

use super::keys::IssuerRules;
use super::object::Object;
use super::{LEEWAY_SECS, TokenError};

/// Longest subject, session and role name accepted, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Most roles a token may hold.
const ROLES_MAX: usize = 16;

/// Methods of authentication (`amr`, RFC 8176) that prove a second factor: several at once, or one
/// that is a thing the caller has or is. What is only known (`pwd`, `pin`, `kba`), reached over
/// telephones (`sms`, `tel`) or guessed from circumstances (`geo`, `rba`) proves none.
const SECOND_FACTORS: [&str; 10] =
    ["mfa", "otp", "hwk", "swk", "sc", "fpt", "face", "iris", "retina", "vbm"];

/// A token's claims, not yet believed.
#[derive(Debug)]
pub(super) struct Claims {
    issuer: String,
    claims: Object,
}

/// Who a believed token speaks for. Only a verified token makes one, in this module.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Principal {
    subject: String,
    session: String,
    roles: Vec<String>,
    max_role: Option<String>,
    /// In seconds since 1970 UTC; 0 where the token does not say.
    issued_at: u64,
    authenticated_at: u64,
    /// When a second factor was proven, in seconds since 1970 UTC.
    mfa_at: Option<u64>,
    not_before: f64,
    expires_at: f64,
}

impl Claims {
    pub(super) fn parse(payload: &[u8]) -> Result<Self, TokenError> {
        let mut claims = Object::parse(payload)?;
        let issuer = claims.take_text("iss")?.ok_or(TokenError::Malformed)?;
        Ok(Self { issuer, claims })
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    pub(super) fn into_principal(mut self, rules: &IssuerRules) -> Result<Principal, TokenError> {
        let claims = &mut self.claims;
        let audience = claims.take_list("aud")?.ok_or(TokenError::Malformed)?;
        if !audience.contains(&rules.audience) {
            return Err(TokenError::WrongAudience);
        }
        let expires_at = claims.take_date("exp")?.ok_or(TokenError::Malformed)?;
        let issued_at = whole_secs(claims.take_date("iat")?);
        let authenticated_at = whole_secs(claims.take_date("auth_time")?);
        let methods = claims.take_list("amr")?.unwrap_or_default();
        let principal = Principal {
            subject: claims.take_text(&rules.subject_claim)?.ok_or(TokenError::Malformed)?,
            session: claims.take_text("sid")?.unwrap_or_default(),
            roles: claims.take_list(&rules.roles_claim)?.unwrap_or_default(),
            max_role: rules.max_role.clone(),
            issued_at,
            authenticated_at,
            mfa_at: proves_mfa(&methods, rules).then_some(authenticated_at).filter(|at| *at > 0),
            not_before: claims.take_date("nbf")?.unwrap_or_default(),
            expires_at: rules.accept_until.map_or(expires_at, |until| expires_at.min(until)),
        };
        if principal.is_well_formed() { Ok(principal) } else { Err(TokenError::Malformed) }
    }
}

impl Principal {
    /// A principal that no token stands behind.
    #[cfg(test)]
    pub(super) fn sample(roles: &[&str], max_role: Option<&str>, mfa_at: Option<u64>) -> Self {
        Self {
            subject: "a-1".to_owned(),
            session: String::new(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            max_role: max_role.map(str::to_owned),
            issued_at: 0,
            authenticated_at: 0,
            mfa_at,
            not_before: 0.0,
            expires_at: f64::MAX,
        }
    }

    /// The same, of an account and a session, issued at some second.
    #[cfg(test)]
    pub(super) fn sample_of(subject: &str, session: &str, issued_at: u64) -> Self {
        let (subject, session) = (subject.to_owned(), session.to_owned());
        Self { subject, session, issued_at, ..Self::sample(&[], None, None) }
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn session(&self) -> &str {
        &self.session
    }

    pub(crate) fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(String::as_str)
    }

    /// When the token was issued, in seconds since 1970 UTC.
    pub(crate) fn issued_at(&self) -> u64 {
        self.issued_at
    }

    /// The role above which the token holds nothing, where its issuer has such a bound.
    pub(crate) fn max_role(&self) -> Option<&str> {
        self.max_role.as_deref()
    }

    pub(crate) fn authenticated_at(&self) -> u64 {
        self.authenticated_at
    }

    /// How old the second factor is at `now`; `None` without one, or with one from the future.
    pub(crate) fn mfa_age_secs(&self, now: u64) -> Option<u64> {
        self.mfa_at.filter(|at| *at <= now + LEEWAY_SECS).map(|at| now.saturating_sub(at))
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

    fn is_well_formed(&self) -> bool {
        is_name(&self.subject)
            && (self.session.is_empty() || is_name(&self.session))
            && self.roles.len() <= ROLES_MAX
            && self.roles.iter().all(|role| is_name(role))
    }
}

/// An issuer that is bounded by a role is one of before: it never vouches for a second factor.
fn proves_mfa(methods: &[String], rules: &IssuerRules) -> bool {
    let strong = |method: &String| SECOND_FACTORS.contains(&method.as_str());
    rules.max_role.is_none() && methods.iter().any(strong)
}

/// Visible ASCII of a sane length: safe in a header, a log line and a metric's exemplar.
fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A claim without a date, or with one before 1970, is as old as can be.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float's conversion saturates"
)]
fn whole_secs(date: Option<f64>) -> u64 {
    date.unwrap_or_default() as u64
}
