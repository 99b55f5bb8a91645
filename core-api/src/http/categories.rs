//! `/api/categories`: where products are found.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, PathId};
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::catalog::{self, Category, CategoryName, CloseCategory, CloseError, OpenError};
use crate::ids::CategoryId;

/// `GET /api/categories`. Oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Page<CategoryId>,
) -> Result<Json<PageBody<CategoryBody>>, Problem> {
    let categories = catalog::categories(&app, &page.slice()).await?;
    Ok(Json(page.body(&app, categories, |category| category.id)))
}

/// `POST /api/categories`.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<CategoryRequest>,
) -> Result<(StatusCode, Json<CategoryBody>), Problem> {
    let name = body.name.as_str().to_owned();
    let id = catalog::open(&app, body.name).await?;
    Ok((StatusCode::CREATED, Json(CategoryBody { id, name })))
}

/// `DELETE /api/categories/{id}`. One that holds products stays: 409 `category_in_use`.
pub(super) async fn close(
    State(app): State<Arc<App>>,
    PathId(id): PathId<CategoryId>,
) -> Result<StatusCode, Problem> {
    catalog::close(&app, CloseCategory(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A category to be opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a category")]
pub(super) struct CategoryRequest {
    name: CategoryName,
}

/// A category as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CategoryBody {
    id: CategoryId,
    name: String,
}

impl From<Category> for CategoryBody {
    fn from(Category { id, name }: Category) -> Self {
        Self { id, name }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Taken => {
                Self::new(409, "category_exists", "A category has this name already")
            }
            OpenError::Write(error) => error.into(),
        }
    }
}

impl From<CloseError> for Problem {
    fn from(error: CloseError) -> Self {
        match error {
            CloseError::NotFound => Self::not_found(),
            CloseError::InUse(_) => {
                Self::new(409, "category_in_use", "There are products in the category")
                    .with_detail(error.to_string())
            }
            CloseError::Write(error) => error.into(),
        }
    }
}
