//! `/api/products`: what is sold.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, Object, PathId, present};
use super::page::{Page, PageBody};
use super::precondition::{IfMatch, etag};
use super::problem::Problem;
use super::skus::{SkuBody, SkuRequest};
use crate::app::App;
use crate::catalog::{
    self, Description, EditError, EditProduct, NewProduct, Offers, Product, ProductName,
    PublishError, WithdrawProduct,
};
use crate::ids::{CategoryId, ProductId};

/// `GET /api/products`. Oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProductPage { page, category }: ProductPage,
) -> Result<Json<PageBody<ProductBody>>, Problem> {
    let products = catalog::list(&app, category, &page.slice()).await?;
    Ok(Json(page.body(&app, products, |product| product.id)))
}

/// `GET /api/products/{id}`.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    PathId(id): PathId<ProductId>,
) -> Result<Response, Problem> {
    let (version, body) = show(&app, id).await?;
    Ok((version, body).into_response())
}

/// `POST /api/products`.
pub(super) async fn publish(
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<ProductRequest>,
) -> Result<Response, Problem> {
    let id = app.ids.next(app.clock.now());
    catalog::publish(&app, body.product(id)?).await?;
    let location = AppendHeaders([(LOCATION, format!("/api/products/{id}"))]);
    let (version, body) = show(&app, id).await?;
    Ok((StatusCode::CREATED, location, version, body).into_response())
}

/// `PATCH /api/products/{id}`, made on the version that `If-Match` names.
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    PathId(id): PathId<ProductId>,
    IfMatch(expected): IfMatch,
    JsonBody(body): JsonBody<EditRequest>,
) -> Result<Response, Problem> {
    let EditRequest { name, description, category_id: category } = body;
    let change = EditProduct { id, expected, name, description, category };
    catalog::edit(&app, change).await?;
    let (version, body) = show(&app, id).await?;
    Ok((version, body).into_response())
}

/// `DELETE /api/products/{id}`, made on the version that `If-Match` names.
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    PathId(id): PathId<ProductId>,
    IfMatch(expected): IfMatch,
) -> Result<StatusCode, Problem> {
    catalog::withdraw(&app, WithdrawProduct { id, expected }).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(
    app: &App,
    id: ProductId,
) -> Result<(impl axum::response::IntoResponseParts, Json<ProductBody>), Problem> {
    let product = catalog::find(app, id).await?.ok_or_else(Problem::not_found)?;
    Ok((etag(product.version), Json(ProductBody::from(product))))
}

/// Which products are listed.
#[derive(Debug)]
pub(super) struct ProductPage {
    page: Page<ProductId>,
    category: Option<CategoryId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    category: Option<CategoryId>,
}

impl FromRequestParts<Arc<App>> for ProductPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Ok(Query(query)) = Query::<ProductQuery>::try_from_uri(&parts.uri) else {
            let detail = "the query takes `limit`, `cursor` and the id of a `category`";
            return Err(Problem::invalid_request(detail));
        };
        let page = Page::parse(app, query.limit, query.cursor)?;
        Ok(Self { page, category: query.category })
    }
}

/// A product to be sold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a product")]
pub(super) struct ProductRequest {
    name: ProductName,
    description: Description,
    category_id: Option<CategoryId>,
    #[schema(value_type = Vec<SkuRequest>)]
    #[serde(default)]
    skus: Vec<Object<SkuRequest>>,
}

impl ProductRequest {
    fn product(self, id: ProductId) -> Result<NewProduct, Problem> {
        let offers = Offers::collect(self.skus.into_iter().map(|Object(sku)| sku.priced()))
            .map_err(|error| Problem::invalid_request(error.to_string()))?;
        let Self { name, description, category_id: category, .. } = self;
        Ok(NewProduct { id, name, description, category, offers })
    }
}

/// A change of a product: what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a change of a product")]
pub(super) struct EditRequest {
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "present")]
    name: Option<ProductName>,
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "present")]
    description: Option<Description>,
    /// `null` takes the product out of its category.
    #[schema(value_type = Option<CategoryId>)]
    #[serde(default, deserialize_with = "present")]
    category_id: Option<Option<CategoryId>>,
}

/// A product as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProductBody {
    id: ProductId,
    name: String,
    description: String,
    category_id: Option<CategoryId>,
    skus: Vec<SkuBody>,
}

impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        let Product { id, name, description, category: category_id, offers, .. } = product;
        let skus = offers.into_iter().map(SkuBody::from).collect();
        Self { id, name, description, category_id, skus }
    }
}

impl From<PublishError> for Problem {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::SkuTaken(_) => Self::sku_exists(error.to_string()),
            PublishError::UnknownCategory(_) => Self::unknown_category(error.to_string()),
            PublishError::Write(error) => error.into(),
        }
    }
}

impl From<EditError> for Problem {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NotFound => Self::not_found(),
            EditError::Stale(_) => {
                Self::new(412, "precondition_failed", "It has been changed since you read it")
                    .with_detail("read it again and repeat the change on what it is now")
            }
            EditError::UnknownCategory(_) => Self::unknown_category(error.to_string()),
            EditError::Write(error) => error.into(),
        }
    }
}

impl Problem {
    pub(super) fn sku_exists(detail: String) -> Self {
        Self::new(409, "sku_exists", "A SKU names one thing for ever, and this one is given")
            .with_detail(detail)
    }

    fn unknown_category(detail: String) -> Self {
        Self::new(422, "unknown_category", "There is no such category").with_detail(detail)
    }
}
