//! `/api/auth/mfa` and `/api/me/totp`: second factors.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use stockade_contract::outcome::Outcome;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::caller::Caller;
use super::problem::Problem;
use super::sessions::issued;
use crate::accounts::{
    self, Code, EnrolError, NotFresh, OpaqueToken, RecoveryCode, SecondFactorError, Shown, Stale,
    TotpCode,
};
use crate::app::App;
use crate::metrics::Counted;

/// `POST /api/auth/mfa`: a code for a login that waits for it, or for a session that lives.
pub(super) async fn prove(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<MfaRequest>,
) -> Result<Response, Problem> {
    let shown = match (&body.mfa_token, &body.refresh_token) {
        (Some(token), None) => Shown::Challenge(token.hash()),
        (None, Some(token)) => Shown::Session(token.hash()),
        _ => {
            let detail = "either `mfa_token` or `refresh_token` is needed";
            return Err(Problem::invalid_request(detail));
        }
    };
    let code = Code::parse(&body.code)
        .ok_or_else(|| Problem::invalid_request("`code` must be six digits, or a recovery code"))?;
    let tokens = accounts::prove(&app, shown, code).await?;
    Ok(issued(&tokens, Counted::Login("issued")))
}

/// `POST /api/me/totp`: a secret that waits for its first code.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<(StatusCode, Json<EnrolmentBody>), Problem> {
    let made = accounts::begin_enrolment(&app, caller.owner()?, caller.session()?).await?;
    let body = EnrolmentBody { secret: made.secret.to_string(), uri: made.uri.to_string() };
    Ok((StatusCode::CREATED, Json(body)))
}

/// `POST /api/me/totp/confirm`: the first code.
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<ConfirmRequest>,
) -> Result<Json<RecoveryCodesBody>, Problem> {
    let code = TotpCode::parse(&body.code);
    let code = code.ok_or_else(|| Problem::invalid_request("`code` must be six digits"))?;
    let owner = caller.owner()?;
    let codes = accounts::confirm_enrolment(&app, owner, caller.session()?, code).await?;
    Ok(Json(codes.into()))
}

/// `DELETE /api/me/totp`.
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    accounts::disable_factor(&app, caller.owner()?, caller.session()?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/me/totp/recovery-codes`: others in place of those from before.
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<RecoveryCodesBody>, Problem> {
    let codes = accounts::renew_recovery_codes(&app, caller.owner()?, caller.session()?).await?;
    Ok(Json(codes.into()))
}

/// A code, and what it is for: one of the two tokens.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a token and a code")]
pub(super) struct MfaRequest {
    /// Of a login that answered `mfa_required`.
    mfa_token: Option<OpaqueToken>,
    /// Of a session that is to have a fresh second factor.
    refresh_token: Option<OpaqueToken>,
    /// Six digits, or a recovery code.
    code: String,
}

/// The first code of a new secret.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a code")]
pub(super) struct ConfirmRequest {
    code: String,
}

/// A secret, shown once.
#[derive(Serialize, ToSchema)]
pub(super) struct EnrolmentBody {
    /// In base 32, to be typed into an app.
    secret: String,
    /// The same, to be shown as a QR code.
    uri: String,
}

/// Recovery codes, shown once; each is good once.
#[derive(Serialize, ToSchema)]
pub(super) struct RecoveryCodesBody {
    recovery_codes: Vec<String>,
}

impl From<Vec<RecoveryCode>> for RecoveryCodesBody {
    fn from(codes: Vec<RecoveryCode>) -> Self {
        Self { recovery_codes: codes.iter().map(RecoveryCode::to_text).collect() }
    }
}

fn wrong_code() -> Problem {
    Problem::new(400, "wrong_code", "The code is wrong, or was used already")
        .with_outcome(Outcome::LoginFailed)
}

fn not_enrolled() -> Problem {
    Problem::new(409, "factor_missing", "The account has no second factor")
}

/// As the edge asks for a fresh second factor (RFC 9470).
fn stale(what: Stale) -> Problem {
    let challenge =
        HeaderValue::from_static("Bearer error=\"insufficient_user_authentication\", max_age=600");
    let problem = match what {
        Stale::Password => {
            Problem::new(401, "login_required", "This needs a login a few minutes ago at most")
        }
        Stale::SecondFactor => Problem::new(401, "mfa_required", "A fresh second factor is needed"),
    };
    problem.with_header(WWW_AUTHENTICATE, challenge)
}

impl From<SecondFactorError> for Problem {
    fn from(error: SecondFactorError) -> Self {
        let problem = match error {
            SecondFactorError::WrongCode => wrong_code(),
            SecondFactorError::Token => {
                Self::new(400, "mfa_token_invalid", "The token is not good any more; log in")
            }
            SecondFactorError::NotEnrolled => not_enrolled(),
            SecondFactorError::Locked(wait) => Self::locked(wait),
            SecondFactorError::Store(error) => error.into(),
            SecondFactorError::Write(error) => error.into(),
            SecondFactorError::Issue(error) => Self::internal(error),
            SecondFactorError::Entropy(error) => Self::internal(error),
        };
        problem.counted(Counted::Login)
    }
}

impl From<NotFresh> for Problem {
    fn from(error: NotFresh) -> Self {
        match error {
            NotFresh::Session => {
                Self::new(403, "session_needed", "This needs a token that belongs to a session")
            }
            NotFresh::Stale(what) => stale(what),
        }
    }
}

impl From<EnrolError> for Problem {
    fn from(error: EnrolError) -> Self {
        match error {
            EnrolError::Fresh(error) => error.into(),
            EnrolError::NothingPending => {
                Self::new(409, "nothing_to_confirm", "No second factor waits to be confirmed")
            }
            EnrolError::NotEnrolled => not_enrolled(),
            EnrolError::WrongCode => wrong_code(),
            EnrolError::Locked(wait) => Self::locked(wait),
            EnrolError::Store(error) => error.into(),
            EnrolError::Write(error) => error.into(),
            EnrolError::Entropy(error) => Self::internal(error),
        }
    }
}
