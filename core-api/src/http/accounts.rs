//! `/api/auth` and `/api/me`: accounts, tokens.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use stockade_contract::outcome::Outcome;

use super::body::{self, JsonBody};
use super::caller::Caller;
use super::problem::Problem;
use crate::accounts::{
    self, Account, HashError, LoginError, Password, RegisterError, Registration,
};
use crate::app::App;
use crate::ids::AccountId;
use crate::metrics::Counted;

const FORM: &str = "application/x-www-form-urlencoded";

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

/// `POST /api/auth/token`: the resource owner password grant (RFC 6749, 4.3).
pub(super) async fn token(
    State(app): State<Arc<App>>,
    request: TokenRequest,
) -> Result<Response, Problem> {
    let token = accounts::login(&app, &request.username, &request.password).await?;
    let body = TokenBody {
        access_token: token.text,
        token_type: "Bearer",
        expires_in: token.life.as_secs(),
    };
    Ok((Extension(Counted::Login("issued")), Json(body)).into_response())
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
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a registration")]
pub(super) struct RegisterRequest {
    username: String,
    password: Password,
    email: String,
}

#[derive(Debug, Serialize)]
pub(super) struct RegisteredBody {
    id: AccountId,
    username: String,
}

/// A password grant. Parameters it does not know are ignored, as RFC 6749 asks (3.2).
#[derive(Debug)]
pub(super) struct TokenRequest {
    username: String,
    password: Password,
}

#[derive(Debug, Deserialize)]
struct TokenForm {
    grant_type: Option<String>,
    username: Option<String>,
    password: Option<Password>,
}

impl FromRequest<Arc<App>> for TokenRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        if !body::is_of_type(request.headers(), FORM) {
            return Err(invalid_grant_request("the body must be a form"));
        }
        let form = parse(body::read(request).await?).await?;
        let Some(grant_type) = form.grant_type else {
            return Err(invalid_grant_request("`grant_type` is missing"));
        };
        if grant_type != "password" {
            let title = "Only the grant type `password` is served";
            let problem = Problem::new(400, "unsupported_grant_type", title);
            return Err(problem.with_oauth_error("unsupported_grant_type").counted(Counted::Login));
        }
        match (form.username, form.password) {
            (Some(username), Some(password)) => Ok(Self { username, password }),
            _ => Err(invalid_grant_request("`username` or `password` is missing")),
        }
    }
}

async fn parse(bytes: Bytes) -> Result<TokenForm, Problem> {
    let request = Request::post("/").header("content-type", FORM).body(bytes.into());
    let request = request.map_err(Problem::internal)?;
    match Form::from_request(request, &()).await {
        Ok(Form(form)) => Ok(form),
        Err(_) => Err(invalid_grant_request("the form is malformed or names a parameter twice")),
    }
}

fn invalid_grant_request(detail: &'static str) -> Problem {
    Problem::new(400, "invalid_token_request", "The request is not a password grant")
        .with_detail(detail)
        .with_oauth_error("invalid_request")
        .counted(Counted::Login)
}

/// A token as RFC 6749, 5.1 gives it.
#[derive(Serialize)]
struct TokenBody {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
}

/// An account as its owner sees it.
#[derive(Debug, Serialize)]
pub(super) struct AccountBody {
    id: AccountId,
    username: String,
    email: String,
    roles: [String; 1],
}

impl From<Account> for AccountBody {
    fn from(account: Account) -> Self {
        let Account { id, username, email, role } = account;
        Self { id, username, email, roles: [role.to_string()] }
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

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let problem = match error {
            LoginError::WrongCredentials => {
                Self::new(400, "invalid_grant", "The user name or the password is wrong")
                    .with_oauth_error("invalid_grant")
                    .with_outcome(Outcome::LoginFailed)
            }
            LoginError::Hash(error) => error.into(),
            LoginError::Store(error) => error.into(),
            LoginError::Write(error) => error.into(),
            LoginError::Issue(error) => Self::internal(error),
        };
        problem.counted(Counted::Login)
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
