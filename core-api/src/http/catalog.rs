//! `/api/products`: what is sold.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::body::PathId;
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::catalog::{self, Offer, Product};
use crate::ids::ProductId;
use crate::money::Currency;
use crate::sku::Sku;

/// `GET /api/products`. Oldest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Page<ProductId>,
) -> Result<Json<PageBody<ProductBody>>, Problem> {
    let products = catalog::list(&app, &page.slice()).await?;
    Ok(Json(page.body(&app, products, |product| product.id)))
}

/// `GET /api/products/{id}`.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    PathId(id): PathId<ProductId>,
) -> Result<Json<ProductBody>, Problem> {
    let product = catalog::find(&app, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(ProductBody::from(product)))
}

/// A product as a client sees it.
#[derive(Debug, Serialize)]
pub(super) struct ProductBody {
    id: ProductId,
    name: String,
    description: String,
    skus: Vec<SkuBody>,
}

#[derive(Debug, Serialize)]
struct SkuBody {
    sku: Sku,
    price_minor: i64,
    currency: Currency,
    available: i64,
}

impl From<Product> for ProductBody {
    fn from(product: Product) -> Self {
        let Product { id, name, description, offers } = product;
        Self { id, name, description, skus: offers.into_iter().map(SkuBody::from).collect() }
    }
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
