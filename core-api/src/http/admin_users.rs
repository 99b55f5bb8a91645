//! `/api/admin/users` and `/api/admin/staff`: who there is, and what they may be.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, PathId};
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::accounts::{self, Account, Administer, AdministerError, Role};
use crate::app::App;
use crate::ids::AccountId;

/// `GET /api/admin/users`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Page<AccountId>,
) -> Result<Json<PageBody<UserBody>>, Problem> {
    let found = accounts::list(&app, false, &page.slice()).await?;
    Ok(Json(page.body(&app, found, |account| account.id)))
}

/// `GET /api/admin/staff`: those above customers.
pub(super) async fn staff(
    State(app): State<Arc<App>>,
    page: Page<AccountId>,
) -> Result<Json<PageBody<UserBody>>, Problem> {
    let found = accounts::list(&app, true, &page.slice()).await?;
    Ok(Json(page.body(&app, found, |account| account.id)))
}

/// `PATCH /api/admin/users/{id}`.
pub(super) async fn change(
    State(app): State<Arc<App>>,
    PathId(account): PathId<AccountId>,
    JsonBody(body): JsonBody<UserRequest>,
) -> Result<Json<UserBody>, Problem> {
    let role = body.role.as_deref().map(Role::parse).transpose();
    let role = role.map_err(|error| Problem::invalid_request(error.to_string()))?;
    let (disabled, end_sessions) = (body.disabled, body.end_sessions);
    accounts::administer(&app, Administer { account, role, disabled, end_sessions }).await?;
    let account = accounts::find(&app, account).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(UserBody::from(account)))
}

/// What is to become of an account; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "changes of an account")]
pub(super) struct UserRequest {
    /// A role of the policy.
    role: Option<String>,
    /// Whether it may not log in.
    disabled: Option<bool>,
    /// Whether its sessions end.
    #[serde(default)]
    end_sessions: bool,
}

/// An account as those see it who run the shop.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct UserBody {
    id: AccountId,
    username: String,
    email: String,
    email_verified: bool,
    roles: [String; 1],
    has_totp: bool,
    disabled: bool,
    created_at: String,
}

impl From<Account> for UserBody {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            username: account.profile.username.as_str().to_owned(),
            email: account.profile.email.as_str().to_owned(),
            email_verified: account.email_verified,
            roles: [account.role.to_string()],
            has_totp: account.has_factor,
            disabled: account.disabled,
            created_at: account.created_at.to_rfc3339(),
        }
    }
}

impl From<AdministerError> for Problem {
    fn from(error: AdministerError) -> Self {
        match error {
            AdministerError::Unknown => Self::not_found(),
            AdministerError::LastSuperAdmin => {
                let title = "It is the last super-admin who can log in; make another first";
                Self::new(409, "last_super_admin", title)
            }
            AdministerError::Store(error) => error.into(),
            AdministerError::Write(error) => error.into(),
        }
    }
}
