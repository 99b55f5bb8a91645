//! `/api/orders`: placing, reading and cancelling orders.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use stockade_contract::outcome::Outcome;
use utoipa::ToSchema;

use super::body::{Count, JsonBody, Object, PathId, REPLAYED, stock_low};
use super::caller::Caller;
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::idempotency::{Answered, Claim, ClaimName, Fingerprint, IdempotencyKey, KeyedOperation};
use crate::ids::{AccountId, OrderId};
use crate::inventory::{Lowering, Quantity};
use crate::metrics::Counted;
use crate::money::Currency;
use crate::orders::{
    self, CancelError, CancelOrder, NewOrder, Order, OrderLine, OrderState, PlaceError, WantedLines,
};
use crate::sku::Sku;

/// `POST /api/orders`. Holds every line, or answers 409 `out_of_stock`.
pub(super) async fn place(
    State(app): State<Arc<App>>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<OrderRequest>,
) -> Result<Response, Problem> {
    let wanted = body.order(caller.owner()?, key)?;
    let Lowering { answer, lowers } = orders::place(&app, wanted).await?;
    let (order, outcome, replayed) = match answer {
        Answered::First(order) => (order, "placed", None),
        Answered::Replayed(order) => (order, "replayed", Some([REPLAYED])),
    };
    let location = AppendHeaders([(LOCATION, format!("/api/orders/{}", order.id))]);
    let counted = Extension(Counted::Order(outcome));
    let body = Json(OrderBody::from(order));
    let low = stock_low(lowers);
    Ok((StatusCode::CREATED, counted, location, replayed, low, body).into_response())
}

/// `GET /api/orders`. Newest first, within reach.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    page: Page<OrderId>,
) -> Result<Json<PageBody<OwnedOrderBody>>, Problem> {
    let orders = orders::list(&app, caller.reach()?, &page.slice()).await?;
    Ok(Json(page.body(&app, orders, |order| order.id)))
}

/// `GET /api/orders/{id}`. What is out of reach is 404.
pub(super) async fn read(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Json<OwnedOrderBody>, Problem> {
    let order = orders::find(&app, caller.reach()?, id).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(OwnedOrderBody::from(order)))
}

/// `POST /api/orders/{id}/cancel`. Again is the same answer; an order whose time for that is
/// over is 409 `order_state`.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Json<OwnedOrderBody>, Problem> {
    let order = orders::cancel(&app, CancelOrder { id, reach: caller.reach()? }).await?;
    Ok(Json(OwnedOrderBody::from(order)))
}

/// What is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an order")]
pub(super) struct OrderRequest {
    #[schema(value_type = Vec<LineRequest>)]
    lines: Vec<Object<LineRequest>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an order line")]
struct LineRequest {
    sku: Sku,
    quantity: Count,
}

impl OrderRequest {
    fn order(self, account: AccountId, key: IdempotencyKey) -> Result<NewOrder, Problem> {
        let lines = self.lines.into_iter().map(|Object(line)| (line.sku, line.quantity.0));
        let lines = WantedLines::merge(lines)
            .map_err(|error| Problem::invalid_request(error.to_string()))?;
        let fingerprint = Fingerprint::of(&lines);
        let name = ClaimName { account, operation: KeyedOperation::PlaceOrder, key };
        Ok(NewOrder::new(account, lines, Claim { name, fingerprint }))
    }
}

/// An order as its owner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderBody {
    id: OrderId,
    state: OrderState,
    lines: Vec<LineBody>,
    total_minor: i64,
    currency: Currency,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct LineBody {
    sku: Sku,
    quantity: Quantity,
    unit_price_minor: i64,
}

/// An order together with whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnedOrderBody {
    account_id: AccountId,
    #[serde(flatten)]
    order: OrderBody,
}

impl From<Order> for OwnedOrderBody {
    fn from(order: Order) -> Self {
        Self { account_id: order.account, order: OrderBody::from(order) }
    }
}

impl From<Order> for OrderBody {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            state: order.state,
            lines: order.lines.into_iter().map(LineBody::from).collect(),
            total_minor: order.total.minor,
            currency: order.total.currency,
            created_at: order.created_at.to_rfc3339(),
            expires_at: order.expires_at.to_rfc3339(),
        }
    }
}

impl From<OrderLine> for LineBody {
    fn from(line: OrderLine) -> Self {
        let OrderLine { sku, quantity, unit_price_minor } = line;
        Self { sku, quantity, unit_price_minor }
    }
}

impl From<PlaceError> for Problem {
    fn from(error: PlaceError) -> Self {
        let problem = match error {
            PlaceError::OutOfStock { .. } => {
                Self::new(409, "out_of_stock", "Less is available than was asked for")
                    .with_detail(error.to_string())
                    .with_outcome(Outcome::StockExhausted)
            }
            PlaceError::UnknownSku(_) => {
                Self::new(422, "unknown_sku", "The order names something that is not sold here")
                    .with_detail(error.to_string())
            }
            PlaceError::MixedCurrencies | PlaceError::TotalTooLarge => {
                Self::invalid_request(format!("`lines`: {error}"))
            }
            PlaceError::Claim(error) => error.into(),
            PlaceError::Write(error) => error.into(),
        };
        problem.counted(Counted::Order)
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::NotFound => Self::not_found(),
            CancelError::State(_) => {
                Self::new(409, "order_state", "The order is not in a state that allows this")
                    .with_detail(error.to_string())
            }
            CancelError::Ledger(_) => Self::internal(error),
            CancelError::Write(error) => error.into(),
        }
    }
}
