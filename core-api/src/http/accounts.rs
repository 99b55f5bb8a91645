//! `/api/auth/register`, `/api/me` and what is proved by mail: accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use stockade_contract::outcome::Outcome;
use utoipa::ToSchema;

use super::body::JsonBody;
use super::caller::Caller;
use super::precondition::etag;
use super::problem::Problem;
use crate::accounts::{
    self, Account, ChangePasswordError, Crowded, HashError, OpaqueToken, Password, PasswordChange,
    RegisterError, Registration, SetPasswordError, VerifyEmailError,
};
use crate::app::App;
use crate::ids::AccountId;

/// `POST /api/auth/register`.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisteredBody>), Problem> {
    let username = body.username.clone();
    let wanted =
        Registration::customer(&body.username, &body.email, body.phone.as_deref(), body.password)
            .map_err(|error| Problem::invalid_request(error.to_string()))?;
    let id = accounts::register(&app, wanted).await?;
    Ok((StatusCode::CREATED, Json(RegisteredBody { id, username })))
}

/// `POST /api/auth/password/reset`: by a one-time link.
pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<SetPasswordRequest>,
) -> Result<StatusCode, Problem> {
    accounts::set_password(&app, &body.token, body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /api/me/password`: by showing the old one.
pub(super) async fn change_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<ChangePasswordRequest>,
) -> Result<StatusCode, Problem> {
    let (account, session) = (caller.owner()?, caller.session()?);
    let change = PasswordChange { account, session, old: body.old_password, new: body.password };
    accounts::change_password(&app, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/auth/password/forgot`: a link by mail.
pub(super) async fn forgot_password(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<ForgotPasswordRequest>,
) -> Result<StatusCode, Problem> {
    accounts::forgot_password(&app, &body.email).map_err(|Crowded| Problem::busy())?;
    Ok(StatusCode::ACCEPTED)
}

/// `POST /api/auth/email/verify`: by a one-time link.
pub(super) async fn verify_email(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<VerifyEmailRequest>,
) -> Result<StatusCode, Problem> {
    accounts::verify_email(&app, &body.token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/me/email/verification`: another link by mail.
pub(super) async fn send_email_proof(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    accounts::send_email_proof(&app, caller.owner()?).await?;
    Ok(StatusCode::ACCEPTED)
}

/// `GET /api/me`.
pub(super) async fn me(State(app): State<Arc<App>>, caller: Caller) -> Result<Response, Problem> {
    Ok(show(&app, caller.owner()?).await?.into_response())
}

/// An account and its version, as its owner sees them.
pub(super) async fn show(
    app: &App,
    account: AccountId,
) -> Result<impl IntoResponse + use<>, Problem> {
    let account = accounts::find(app, account).await?.ok_or_else(Problem::not_found)?;
    Ok((etag(account.profile.version), Json(AccountBody::from(account))))
}

/// What is filled in to have an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a registration")]
pub(super) struct RegisterRequest {
    username: String,
    password: Password,
    email: String,
    /// As E.164 writes it, such as `+33123456789`.
    phone: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RegisteredBody {
    id: AccountId,
    username: String,
}

/// A password, and the link that allows to set it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a token and a password")]
pub(super) struct SetPasswordRequest {
    token: OpaqueToken,
    password: Password,
}

/// A password and the one in its place.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "two passwords")]
pub(super) struct ChangePasswordRequest {
    old_password: Password,
    password: Password,
}

/// Where a link is to be sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an e-mail address")]
pub(super) struct ForgotPasswordRequest {
    email: String,
}

/// The link that was sent.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a token")]
pub(super) struct VerifyEmailRequest {
    token: OpaqueToken,
}

/// An account as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountBody {
    id: AccountId,
    username: String,
    email: String,
    email_verified: bool,
    phone: Option<String>,
    name: Option<String>,
    roles: [String; 1],
    /// Whether a second factor is enrolled.
    has_totp: bool,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        let profile = account.profile;
        Self {
            id: account.id,
            username: profile.username.as_str().to_owned(),
            email: profile.email.as_str().to_owned(),
            email_verified: account.email_verified,
            phone: profile.phone.map(|phone| phone.as_str().to_owned()),
            name: profile.full_name.map(|name| name.as_str().to_owned()),
            roles: [account.role.to_string()],
            has_totp: account.has_factor,
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Taken => {
                Self::new(409, "account_exists", "The user name or the e-mail address is taken")
            }
            RegisterError::Proof(error) => Self::internal(error),
            RegisterError::Hash(error) => error.into(),
            RegisterError::Write(error) => error.into(),
        }
    }
}

fn link_invalid() -> Problem {
    Problem::new(400, "link_invalid", "The link is not good any more; ask for another")
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::Account => Self::not_found(),
            ChangePasswordError::WrongPassword => {
                Self::new(400, "wrong_password", "The old password is wrong")
                    .with_outcome(Outcome::LoginFailed)
            }
            ChangePasswordError::Locked(wait) => Self::locked(wait),
            ChangePasswordError::Weak(error) => Self::invalid_request(error.to_string()),
            ChangePasswordError::Hash(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
            ChangePasswordError::Write(error) => error.into(),
        }
    }
}

impl From<VerifyEmailError> for Problem {
    fn from(error: VerifyEmailError) -> Self {
        match error {
            VerifyEmailError::Account => Self::not_found(),
            VerifyEmailError::Link => link_invalid(),
            VerifyEmailError::Store(error) => error.into(),
            VerifyEmailError::Write(error) => error.into(),
            VerifyEmailError::Entropy(error) => Self::internal(error),
        }
    }
}

impl From<SetPasswordError> for Problem {
    fn from(error: SetPasswordError) -> Self {
        match error {
            SetPasswordError::Link => link_invalid(),
            SetPasswordError::Weak(error) => Self::invalid_request(error.to_string()),
            SetPasswordError::Hash(error) => error.into(),
            SetPasswordError::Store(error) => error.into(),
            SetPasswordError::Write(error) => error.into(),
        }
    }
}

impl From<HashError> for Problem {
    fn from(error: HashError) -> Self {
        match error {
            HashError::Busy => Self::busy(),
            HashError::Bcrypt(_) | HashError::Interrupted => Self::internal(error),
        }
    }
}
