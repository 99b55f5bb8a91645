//! `/api/products/{id}/skus`: what is offered of a product, and for how much.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, PathId, PathPair};
use super::page::PageBody;
use super::problem::Problem;
use crate::app::App;
use crate::catalog::{self, Offer, OfferError, OfferSku, SetPrice};
use crate::ids::ProductId;
use crate::money::{Currency, Money, PriceMinor};
use crate::sku::Sku;

/// `GET /api/products/{id}/skus`. By SKU; all of them, for there are not many.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    PathId(id): PathId<ProductId>,
) -> Result<Json<PageBody<SkuBody>>, Problem> {
    let product = catalog::find(&app, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(PageBody::whole(product.offers.into_iter().map(SkuBody::from).collect())))
}

/// `POST /api/products/{id}/skus`. There is nothing on hand of it yet.
pub(super) async fn offer(
    State(app): State<Arc<App>>,
    PathId(product): PathId<ProductId>,
    JsonBody(body): JsonBody<SkuRequest>,
) -> Result<(StatusCode, Json<SkuBody>), Problem> {
    let (sku, price) = body.priced();
    let offer = catalog::offer(&app, OfferSku { product, sku, price }).await?;
    Ok((StatusCode::CREATED, Json(SkuBody::from(offer))))
}

/// `PATCH /api/products/{id}/skus/{sku}`. Orders that are placed already keep their price.
pub(super) async fn set_price(
    State(app): State<Arc<App>>,
    PathPair(product, sku): PathPair<ProductId, Sku>,
    JsonBody(body): JsonBody<PriceRequest>,
) -> Result<Json<SkuBody>, Problem> {
    let wanted = SetPrice { product, sku, price: body.price_minor };
    Ok(Json(SkuBody::from(catalog::set_price(&app, wanted).await?)))
}

/// A SKU to be sold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a sku with its price")]
pub(super) struct SkuRequest {
    sku: Sku,
    price_minor: PriceMinor,
    currency: Currency,
}

impl SkuRequest {
    pub(super) fn priced(self) -> (Sku, Money) {
        (self.sku, self.price_minor.of(self.currency))
    }
}

/// Another price, in the currency there is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a price")]
pub(super) struct PriceRequest {
    price_minor: PriceMinor,
}

/// A SKU as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SkuBody {
    sku: Sku,
    price_minor: i64,
    currency: Currency,
    available: i64,
}

impl From<Offer> for SkuBody {
    fn from(offer: Offer) -> Self {
        Self {
            sku: offer.sku,
            price_minor: offer.price.minor,
            currency: offer.price.currency,
            available: offer.stock.available(),
        }
    }
}

impl From<OfferError> for Problem {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::NotFound => Self::not_found(),
            OfferError::SkuTaken(_) => Self::sku_exists(error.to_string()),
            OfferError::TooMany => Self::invalid_request(error.to_string()),
            OfferError::Write(error) => error.into(),
        }
    }
}
