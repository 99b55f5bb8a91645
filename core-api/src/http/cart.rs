//! `/api/cart`: what the caller means to order.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Count, JsonBody, PathId};
use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::cart::{self, CartError, CartLine, PutLine, RemoveLine, ShownLine};
use crate::inventory::Quantity;
use crate::money::Currency;
use crate::orders::LINE_UNITS_MAX;
use crate::sku::Sku;

/// `GET /api/cart`. By SKU.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<CartBody>, Problem> {
    let lines = cart::read(&app, caller.owner()?).await?;
    Ok(Json(CartBody { lines: lines.into_iter().map(ShownLineBody::from).collect() }))
}

/// `PUT /api/cart/lines/{sku}`. Again agrees to the price of now.
pub(super) async fn put(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    caller: Caller,
    JsonBody(body): JsonBody<CartLineRequest>,
) -> Result<Json<CartLineBody>, Problem> {
    let units = Some(body.quantity.0).filter(|units| (1..=LINE_UNITS_MAX).contains(units));
    let quantity = units.and_then(|units| Quantity::try_from(units).ok()).ok_or_else(|| {
        Problem::invalid_request(format!("`quantity` must be 1 to {LINE_UNITS_MAX}"))
    })?;
    let account = caller.owner()?;
    let line = cart::put(&app, PutLine { account, sku: sku.clone(), quantity }).await?;
    Ok(Json(CartLineBody::from((sku, line))))
}

/// `DELETE /api/cart/lines/{sku}`. What is not there is gone.
pub(super) async fn remove(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    cart::remove(&app, RemoveLine { account: caller.owner()?, sku }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How much is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a cart line")]
pub(super) struct CartLineRequest {
    quantity: Count,
}

/// A cart as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CartBody {
    lines: Vec<ShownLineBody>,
}

/// A line as it was put.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CartLineBody {
    sku: Sku,
    quantity: Quantity,
    /// What one unit cost when it was put there.
    unit_price_minor: i64,
    currency: Currency,
}

/// A line beside what there is now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ShownLineBody {
    #[serde(flatten)]
    line: CartLineBody,
    /// What one unit costs now; `null` once it is not sold any more.
    current_unit_price_minor: Option<i64>,
    available: i64,
}

impl From<(Sku, CartLine)> for CartLineBody {
    fn from((sku, line): (Sku, CartLine)) -> Self {
        let CartLine { quantity, price } = line;
        Self { sku, quantity, unit_price_minor: price.minor, currency: price.currency }
    }
}

impl From<ShownLine> for ShownLineBody {
    fn from(shown: ShownLine) -> Self {
        Self {
            line: CartLineBody::from((shown.sku, shown.line)),
            current_unit_price_minor: shown.price_now.map(|price| price.minor),
            available: shown.available,
        }
    }
}

impl From<CartError> for Problem {
    fn from(error: CartError) -> Self {
        match error {
            CartError::UnknownSku(_) => Self::not_found(),
            CartError::Full => Self::new(409, "cart_full", "The cart holds too many lines")
                .with_detail(error.to_string()),
            CartError::Write(error) => error.into(),
        }
    }
}
