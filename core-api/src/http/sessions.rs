//! `/api/auth/token`, `/refresh` and `/logout`: sessions and their tokens.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Form, FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use stockade_contract::outcome::Outcome;
use utoipa::ToSchema;

use super::body;
use super::caller::Caller;
use super::problem::Problem;
use crate::accounts::{self, LoginError, Logout, OpaqueToken, Password, RefreshError, Tokens};
use crate::app::App;
use crate::metrics::Counted;

const FORM: &str = "application/x-www-form-urlencoded";

/// `POST /api/auth/token`: the resource owner password grant (RFC 6749, 4.3).
pub(super) async fn token(
    State(app): State<Arc<App>>,
    request: TokenRequest,
) -> Result<Response, Problem> {
    let tokens = accounts::login(&app, &request.username, &request.password).await?;
    Ok(issued(&tokens, Counted::Login("issued")))
}

/// `POST /api/auth/refresh`: the refresh token grant (RFC 6749, 6), with rotation.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    request: RefreshRequest,
) -> Result<Response, Problem> {
    let tokens = accounts::refresh(&app, &request.refresh_token).await?;
    Ok(issued(&tokens, Counted::Refresh("issued")))
}

/// `POST /api/auth/logout`: the end of the session that the access token belongs to.
pub(super) async fn logout(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let wanted = Logout { account: caller.owner()?, session: caller.session()? };
    accounts::logout(&app, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) fn issued(tokens: &Tokens, counted: Counted) -> Response {
    let body = TokenBody {
        access_token: &tokens.access.text,
        token_type: "Bearer",
        expires_in: tokens.access.life.as_secs(),
        refresh_token: tokens.refresh.as_str(),
    };
    (Extension(counted), Json(body)).into_response()
}

/// A password grant. Parameters it does not know are ignored, as RFC 6749 asks (3.2).
#[derive(Debug)]
pub(super) struct TokenRequest {
    username: String,
    password: Password,
}

/// A refresh token grant.
#[derive(Debug)]
pub(super) struct RefreshRequest {
    refresh_token: OpaqueToken,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct TokenForm {
    #[schema(required, nullable = false)]
    grant_type: Option<String>,
    #[schema(required, nullable = false)]
    username: Option<String>,
    #[schema(required, nullable = false)]
    password: Option<Password>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub(super) struct RefreshForm {
    #[schema(required, nullable = false)]
    grant_type: Option<String>,
    #[schema(required, nullable = false)]
    refresh_token: Option<OpaqueToken>,
}

impl FromRequest<Arc<App>> for TokenRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        let parse = async || {
            let form: TokenForm = form(request).await?;
            is_grant(form.grant_type.as_deref(), "password")?;
            match (form.username, form.password) {
                (Some(username), Some(password)) => Ok(Self { username, password }),
                _ => Err(invalid("`username` or `password` is missing")),
            }
        };
        parse().await.map_err(|problem: Problem| problem.counted(Counted::Login))
    }
}

impl FromRequest<Arc<App>> for RefreshRequest {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        let parse = async || {
            let form: RefreshForm = form(request).await?;
            is_grant(form.grant_type.as_deref(), "refresh_token")?;
            let refresh_token = form.refresh_token;
            let refresh_token =
                refresh_token.ok_or_else(|| invalid("`refresh_token` is missing"))?;
            Ok(Self { refresh_token })
        };
        parse().await.map_err(|problem: Problem| problem.counted(Counted::Refresh))
    }
}

async fn form<T: DeserializeOwned>(request: Request) -> Result<T, Problem> {
    if !body::is_of_type(request.headers(), FORM) {
        return Err(invalid("the body must be a form"));
    }
    let bytes: Bytes = body::read(request).await?;
    let request = Request::post("/").header("content-type", FORM).body(bytes.into());
    let request = request.map_err(Problem::internal)?;
    match Form::from_request(request, &()).await {
        Ok(Form(form)) => Ok(form),
        Err(_) => Err(invalid("the form is malformed or names a parameter twice")),
    }
}

fn is_grant(grant_type: Option<&str>, wanted: &str) -> Result<(), Problem> {
    match grant_type {
        None => Err(invalid("`grant_type` is missing")),
        Some(grant_type) if grant_type == wanted => Ok(()),
        Some(_) => {
            let title = "This grant type is not served here";
            Err(Problem::new(400, "unsupported_grant_type", title)
                .with_detail(format!("`grant_type` must be `{wanted}`"))
                .with_oauth_error("unsupported_grant_type"))
        }
    }
}

fn invalid(detail: &'static str) -> Problem {
    Problem::new(400, "invalid_token_request", "The request is not a grant of this endpoint")
        .with_detail(detail)
        .with_oauth_error("invalid_request")
}

/// Tokens as RFC 6749, 5.1 gives them.
#[derive(Serialize, ToSchema)]
pub(super) struct TokenBody<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    refresh_token: &'a str,
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        let problem = match error {
            LoginError::WrongCredentials => {
                Self::new(400, "invalid_grant", "The user name or the password is wrong")
                    .with_oauth_error("invalid_grant")
                    .with_outcome(Outcome::LoginFailed)
            }
            LoginError::Locked(wait) => Self::locked(wait).with_oauth_error("invalid_grant"),
            LoginError::SecondFactor(token) => {
                Self::new(403, "mfa_required", "A second factor is needed: `POST /api/auth/mfa`")
                    .with_oauth_error("mfa_required")
                    .with_member("mfa_token", token.as_str())
                    .with_member("expires_in", accounts::CHALLENGE_LIFE.as_secs())
            }
            LoginError::Hash(error) => error.into(),
            LoginError::Store(error) => error.into(),
            LoginError::Write(error) => error.into(),
            LoginError::Issue(error) => Self::internal(error),
            LoginError::Entropy(error) => Self::internal(error),
        };
        problem.counted(Counted::Login)
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        let counted: fn(&'static str) -> Counted = match error {
            RefreshError::Reused => |_| Counted::Refresh("reused"),
            _ => Counted::Refresh,
        };
        let problem = match error {
            // Whoever has a copy is not told that it was noticed.
            RefreshError::Unknown | RefreshError::Reused => {
                Self::new(400, "invalid_grant", "The refresh token is not good any more; log in")
                    .with_oauth_error("invalid_grant")
            }
            RefreshError::Store(error) => error.into(),
            RefreshError::Write(error) => error.into(),
            RefreshError::Issue(error) => Self::internal(error),
            RefreshError::Entropy(error) => Self::internal(error),
        };
        problem.counted(counted)
    }
}
