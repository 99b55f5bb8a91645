//! `/api/orders`: placing and reading orders, and moving them on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
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
use crate::money::{Currency, PriceMinor};
use crate::orders::{
    self, AdvanceError, AdvanceOrder, CancelError, CancelOrder, Goods, NewOrder, Order, OrderEvent,
    OrderLine, OrderState, PlaceError, PriceChange, Step, WantedLines,
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
    let (reach, actor) = (caller.reach()?, caller.actor()?);
    let order = orders::cancel(&app, CancelOrder { id, reach, actor }).await?;
    Ok(Json(OwnedOrderBody::from(order)))
}

/// `GET /api/orders/{id}/events`. In their order; all of them, for there are not many.
pub(super) async fn history(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Json<PageBody<OrderEventBody>>, Problem> {
    let events = orders::history(&app, caller.reach()?, id).await?;
    let events = events.ok_or_else(Problem::not_found)?;
    Ok(Json(PageBody::whole(events.into_iter().map(OrderEventBody::from).collect())))
}

/// `POST /api/orders/{id}/fulfil`. As with every step, again is the same answer.
pub(super) async fn fulfil(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Json<OwnedOrderBody>, Problem> {
    advance(&app, &caller, id, Step::Fulfil).await
}

/// `POST /api/orders/{id}/ship`.
pub(super) async fn ship(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Json<OwnedOrderBody>, Problem> {
    advance(&app, &caller, id, Step::Ship).await
}

/// `POST /api/orders/{id}/deliver`.
pub(super) async fn deliver(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
) -> Result<Json<OwnedOrderBody>, Problem> {
    advance(&app, &caller, id, Step::Deliver).await
}

/// `POST /api/orders/{id}/return`. Money is another matter: it goes back by a refund.
pub(super) async fn take_back(
    State(app): State<Arc<App>>,
    caller: Caller,
    PathId(id): PathId<OrderId>,
    JsonBody(body): JsonBody<ReturnRequest>,
) -> Result<Json<OwnedOrderBody>, Problem> {
    let goods = if body.restock { Goods::Restocked } else { Goods::Lost };
    advance(&app, &caller, id, Step::Return(goods)).await
}

async fn advance(
    app: &App,
    caller: &Caller,
    id: OrderId,
    step: Step,
) -> Result<Json<OwnedOrderBody>, Problem> {
    let (reach, actor) = (caller.reach()?, caller.actor()?);
    let order = orders::advance(app, AdvanceOrder { id, reach, step, actor }).await?;
    Ok(Json(OwnedOrderBody::from(order)))
}

/// What is wanted: either lines, or what is in the cart.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an order")]
pub(super) struct OrderRequest {
    #[schema(value_type = Option<Vec<LineRequest>>)]
    lines: Option<Vec<Object<LineRequest>>>,
    /// Orders what is in the caller's cart, at the prices it was put there with, and empties
    /// the cart.
    #[serde(default)]
    from_cart: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "an order line")]
struct LineRequest {
    sku: Sku,
    quantity: Count,
    /// What the customer was shown. If it costs something else, nothing is ordered.
    expected_unit_price_minor: Option<PriceMinor>,
}

/// What became of an order's goods.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a return")]
pub(super) struct ReturnRequest {
    /// Whether they are for sale again.
    restock: bool,
}

/// A move of an order as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OrderEventBody {
    from: OrderState,
    to: OrderState,
    /// Who moved it; the shop itself where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    #[schema(format = DateTime)]
    at: String,
}

impl From<OrderEvent> for OrderEventBody {
    fn from(event: OrderEvent) -> Self {
        let OrderEvent { from, to, actor, at } = event;
        Self { from, to, account_id: actor, at: at.to_rfc3339() }
    }
}

impl OrderRequest {
    fn order(self, account: AccountId, key: IdempotencyKey) -> Result<NewOrder, Problem> {
        let name = ClaimName { account, operation: KeyedOperation::PlaceOrder, key };
        match (self.lines, self.from_cart) {
            (Some(lines), false) => {
                let lines = merge(lines)?;
                let fingerprint = lines.fingerprint();
                Ok(NewOrder::new(account, lines, Claim { name, fingerprint }))
            }
            (None, true) => {
                let fingerprint = Fingerprint::of(&"cart");
                Ok(NewOrder::of_cart(account, Claim { name, fingerprint }))
            }
            (Some(_), true) | (None, false) => {
                Err(Problem::invalid_request("an order is either `lines` or `from_cart`"))
            }
        }
    }
}

fn merge(lines: Vec<Object<LineRequest>>) -> Result<WantedLines, Problem> {
    let prices: Vec<_> = lines
        .iter()
        .filter_map(|Object(line)| Some((line.sku.clone(), line.expected_unit_price_minor?.into())))
        .collect();
    let units = lines.into_iter().map(|Object(line)| (line.sku, line.quantity.0));
    WantedLines::merge(units)
        .and_then(|lines| lines.expecting(prices.into_iter()))
        .map_err(|error| Problem::invalid_request(error.to_string()))
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

fn told(change: &PriceChange) -> Value {
    let PriceChange { sku, expected_unit_price_minor, unit_price_minor } = change;
    json!({
        "sku": sku.as_str(),
        "expected_unit_price_minor": expected_unit_price_minor,
        "unit_price_minor": unit_price_minor,
    })
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
            PlaceError::CartEmpty => Self::new(422, "cart_empty", "There is nothing in the cart"),
            PlaceError::PriceChanged(ref changes) => {
                Self::new(409, "price_changed", "Something costs not what was expected")
                    .with_detail(error.to_string())
                    .with_member("changes", changes.iter().map(told).collect::<Value>())
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
            CancelError::State(_) => Self::order_state(&error),
            CancelError::Ledger(_) => Self::internal(error),
            CancelError::Write(error) => error.into(),
        }
    }
}

impl From<AdvanceError> for Problem {
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::NotFound => Self::not_found(),
            AdvanceError::State { .. } => Self::order_state(&error),
            AdvanceError::Ledger(_) => Self::internal(error),
            AdvanceError::Write(error) => error.into(),
        }
    }
}
