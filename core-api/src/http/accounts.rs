//! `/api/auth/register`, `/api/auth/password/set` and `/api/me`: accounts.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::JsonBody;
use super::caller::Caller;
use super::problem::Problem;
use crate::accounts::{
    self, Account, HashError, OpaqueToken, Password, RegisterError, Registration, SetPasswordError,
};
use crate::app::App;
use crate::ids::AccountId;

/// `POST /api/auth/register`.
pub(super) async fn register(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RegisterRequest>,
) -> Result<(StatusCode, Json<RegisteredBody>), Problem> {
    let username = body.username.clone();
    let wanted = Registration::customer(&body.username, &body.email, body.password)
        .map_err(|error| Problem::invalid_request(error.to_string()))?;
    let id = accounts::register(&app, wanted).await?;
    Ok((StatusCode::CREATED, Json(RegisteredBody { id, username })))
}

/// `POST /api/auth/password/set`: by a one-time link.
pub(super) async fn set_password(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<SetPasswordRequest>,
) -> Result<StatusCode, Problem> {
    accounts::set_password(&app, &body.token, body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/me`.
pub(super) async fn me(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<AccountBody>, Problem> {
    let account = accounts::find(&app, caller.owner()?).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(AccountBody::from(account)))
}

/// What is filled in to have an account.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a registration")]
pub(super) struct RegisterRequest {
    username: String,
    password: Password,
    email: String,
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

/// An account as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AccountBody {
    id: AccountId,
    username: String,
    email: String,
    roles: [String; 1],
    /// Whether a second factor is enrolled.
    has_totp: bool,
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        let Account { id, username, email, role, has_factor } = account;
        Self { id, username, email, roles: [role.to_string()], has_totp: has_factor }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::Taken => {
                Self::new(409, "account_exists", "The user name or the e-mail address is taken")
            }
            RegisterError::Hash(error) => error.into(),
            RegisterError::Write(error) => error.into(),
        }
    }
}

impl From<SetPasswordError> for Problem {
    fn from(error: SetPasswordError) -> Self {
        match error {
            SetPasswordError::Link => {
                Self::new(400, "link_invalid", "The link is not good any more; ask for another")
            }
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
