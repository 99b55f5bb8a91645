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
use super::images::ImageBody;
use super::page::{Page, PageBody};
use super::precondition::{IfMatch, etag};
use super::problem::Problem;
use super::skus::{SkuBody, SkuRequest};
use crate::app::App;
use crate::catalog::{
    self, Description, EditError, EditProduct, Filter, NewProduct, OfferFilter, Offers, Product,
    ProductName, PublishError, SEARCH_CHARS_MAX, WithdrawProduct,
};
use crate::ids::{CategoryId, ProductId};
use crate::money::{Currency, PRICE_MINOR_MAX};

/// `GET /api/products`. Oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    ProductPage { page, filter }: ProductPage,
) -> Result<Json<PageBody<ProductBody>>, Problem> {
    let products = catalog::list(&app, &filter, &page.slice()).await?;
    let bodies = products.into_iter().map(|product| ProductBody::of(&app, product));
    Ok(Json(page.body(&app, bodies, |body| body.id)))
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
    Ok((etag(product.version), Json(ProductBody::of(app, product))))
}

/// Which products are listed.
#[derive(Debug)]
pub(super) struct ProductPage {
    page: Page<ProductId>,
    filter: Filter,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProductQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    category: Option<CategoryId>,
    q: Option<String>,
    price_min: Option<u64>,
    price_max: Option<u64>,
    currency: Option<Currency>,
    available: Option<bool>,
}

impl ProductQuery {
    /// What it asks products to be.
    fn filter(&self) -> Result<Filter, Problem> {
        let name = self.q.as_deref().map(searched).transpose()?;
        let any = OfferFilter::default();
        let offer = OfferFilter {
            price_min: price("price_min", self.price_min)?.unwrap_or(any.price_min),
            price_max: price("price_max", self.price_max)?.unwrap_or(any.price_max),
            currency: self.currency,
            available: self.available.unwrap_or_default(),
        };
        Ok(Filter { category: self.category, name, offer: (offer != any).then_some(offer) })
    }
}

/// What names are searched for.
fn searched(text: &str) -> Result<String, Problem> {
    let fits = (1..=SEARCH_CHARS_MAX).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        return Ok(text.to_lowercase());
    }
    let detail = format!("`q` is 1 to {SEARCH_CHARS_MAX} characters on one line");
    Err(Problem::invalid_request(detail))
}

fn price(name: &str, minor: Option<u64>) -> Result<Option<i64>, Problem> {
    let Some(minor) = minor else { return Ok(None) };
    let price = i64::try_from(minor).ok().filter(|price| *price <= PRICE_MINOR_MAX);
    price.map(Some).ok_or_else(|| {
        Problem::invalid_request(format!("`{name}` is 0 to {PRICE_MINOR_MAX} minor units"))
    })
}

impl FromRequestParts<Arc<App>> for ProductPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Ok(Query(query)) = Query::<ProductQuery>::try_from_uri(&parts.uri) else {
            let detail = "the query takes `limit`, `cursor`, `q`, the id of a `category`, \
                          `price_min`, `price_max`, `currency` and `available`";
            return Err(Problem::invalid_request(detail));
        };
        let filter = query.filter()?;
        let page = Page::parse(app, query.limit, query.cursor)?;
        Ok(Self { page, filter })
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
    images: Vec<ImageBody>,
}

impl ProductBody {
    /// With fresh links to its images.
    fn of(app: &App, product: Product) -> Self {
        let Product { id, name, description, category: category_id, offers, images, .. } = product;
        let skus = offers.into_iter().map(SkuBody::from).collect();
        let images = images.iter().map(|image| ImageBody::of(app, image)).collect();
        Self { id, name, description, category_id, skus, images }
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
