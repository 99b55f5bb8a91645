//! `/api/inventory`: stock and its ledger, for those who keep it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::body::{Count, JsonBody, PathId, REPLAYED, stock_low};
use super::caller::Caller;
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::idempotency::{
    Answered, Claim, ClaimError, ClaimName, Fingerprint, IdempotencyKey, KeyedOperation,
};
use crate::ids::{AccountId, MovementId, OrderId, ReservationId};
use crate::inventory::{
    self, ByHand, Delta, Entry, Listed, Loser, Losers, Lowering, MovementKind, NewMovement, Note,
    Quantity, Receipt, RecordError, SetLowAt, Stocked, ThresholdError, Units,
};
use crate::orders::OrderState;
use crate::sku::Sku;

/// `GET /api/inventory`. By SKU; with `low=true`, what is low.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    StockPage { page, listed }: StockPage,
) -> Result<Json<PageBody<StockBody>>, Problem> {
    let stock = inventory::list(&app, listed, &page.slice()).await?;
    Ok(Json(page.body(&app, stock, |one| one.sku.clone())))
}

/// `PATCH /api/inventory/{sku}`. Says when it is low.
pub(super) async fn set_low_at(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    JsonBody(body): JsonBody<ThresholdRequest>,
) -> Result<Json<StockBody>, Problem> {
    let wanted = SetLowAt { sku, low_at: body.low_at };
    Ok(Json(StockBody::from(inventory::set_low_at(&app, wanted).await?)))
}

/// `GET /api/inventory/{sku}/movements`. Newest first.
pub(super) async fn history(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    page: Page<MovementId>,
) -> Result<Json<PageBody<EntryBody>>, Problem> {
    let entries = inventory::history(&app, &sku, &page.slice()).await?;
    let entries = entries.ok_or_else(Problem::not_found)?;
    Ok(Json(page.body(&app, entries, |entry| entry.id)))
}

/// `POST /api/inventory/{sku}/movements`. Records what arrived, or what counting found, once
/// for each key.
pub(super) async fn record(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<MovementRequest>,
) -> Result<Response, Problem> {
    let wanted = body.movement(caller.owner()?, sku, key)?;
    enter(&app, wanted).await
}

/// `POST /api/inventory/{sku}/stocktake`. What is on hand becomes what was counted, once for each
/// key.
pub(super) async fn count(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<StocktakeRequest>,
) -> Result<Response, Problem> {
    let StocktakeRequest { counted, reason } = body;
    let change = ByHand::Stocktake { counted, reason };
    enter(&app, by_hand(caller.owner()?, sku, key, change)).await
}

async fn enter(app: &App, wanted: NewMovement) -> Result<Response, Problem> {
    let Lowering { answer, lowers } = inventory::record(app, wanted).await?;
    let (receipt, replayed) = match answer {
        Answered::First(receipt) => (receipt, None),
        Answered::Replayed(receipt) => (receipt, Some([REPLAYED])),
    };
    let body = Json(ReceiptBody::from(receipt));
    Ok((StatusCode::CREATED, replayed, stock_low(lowers), body).into_response())
}

fn by_hand(account: AccountId, sku: Sku, key: IdempotencyKey, change: ByHand) -> NewMovement {
    let fingerprint = Fingerprint::of(&(&sku, &change));
    let name = ClaimName { account, operation: KeyedOperation::RecordMovement, key };
    let claim = Some(Claim { name, fingerprint });
    NewMovement { sku, change, account: Some(account), claim }
}

/// Which stock is listed.
#[derive(Debug)]
pub(super) struct StockPage {
    page: Page<Sku>,
    listed: Listed,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StockQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    low: Option<bool>,
}

impl FromRequestParts<Arc<App>> for StockPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Ok(Query(query)) = Query::<StockQuery>::try_from_uri(&parts.uri) else {
            let detail = "the query takes `limit`, `cursor`, and `low`, which is true or false";
            return Err(Problem::invalid_request(detail));
        };
        let page = Page::parse(app, query.limit, query.cursor)?;
        let listed = if query.low == Some(true) { Listed::Low } else { Listed::All };
        Ok(Self { page, listed })
    }
}

/// What is wanted. Movements of other kinds are consequences of orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields, expecting = "a movement")]
pub(super) enum MovementRequest {
    /// So much arrived.
    Receive { quantity: Count, note: Option<Note> },
    /// There is so much more or less than the books say.
    Adjust { delta: Delta, reason: Note },
}

impl MovementRequest {
    fn movement(
        self,
        account: AccountId,
        sku: Sku,
        key: IdempotencyKey,
    ) -> Result<NewMovement, Problem> {
        let change = match self {
            Self::Receive { quantity, note } => {
                let quantity = Quantity::try_from(quantity.0)
                    .map_err(|error| Problem::invalid_request(format!("`quantity`: {error}")))?;
                ByHand::Receive { quantity, note }
            }
            Self::Adjust { delta, reason } => ByHand::Adjust { delta, reason },
        };
        Ok(by_hand(account, sku, key, change))
    }
}

/// What counting found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a stocktake")]
pub(super) struct StocktakeRequest {
    /// All there is, reserved or not.
    counted: Units,
    reason: Note,
}

/// When a SKU is low.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a threshold")]
pub(super) struct ThresholdRequest {
    /// Low is no more available than that. `null` leaves it to the shop's settings.
    #[serde(deserialize_with = "Option::deserialize")]
    low_at: Option<Units>,
}

/// A movement that was recorded, as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceiptBody {
    id: MovementId,
    sku: Sku,
    kind: MovementKind,
    /// Units moved, whichever way; 0 where a stocktake found what the books said.
    quantity: i64,
    on_hand_change: i64,
    on_hand: i64,
}

impl From<Receipt> for ReceiptBody {
    fn from(receipt: Receipt) -> Self {
        let Receipt { id, sku, kind, quantity, on_hand_change, on_hand } = receipt;
        Self { id, sku, kind, quantity, on_hand_change, on_hand }
    }
}

/// An entry of the ledger as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EntryBody {
    id: MovementId,
    kind: MovementKind,
    /// Units moved, whichever way; 0 where a stocktake found what the books said.
    quantity: i64,
    /// The sum over all entries is what is on hand.
    on_hand_change: i64,
    /// The sum over all entries is what is reserved.
    reserved_change: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation_id: Option<ReservationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<Entry> for EntryBody {
    fn from(entry: Entry) -> Self {
        Self {
            id: entry.id,
            kind: entry.kind,
            quantity: entry.quantity,
            on_hand_change: entry.on_hand_change,
            reserved_change: entry.reserved_change,
            reservation_id: entry.reservation,
            order_id: entry.order,
            note: entry.note,
            reason: entry.reason,
            created_at: entry.created_at.to_rfc3339(),
        }
    }
}

/// Stock of one SKU as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StockBody {
    sku: Sku,
    on_hand: i64,
    reserved: i64,
    available: i64,
    /// The threshold that counts: its own, or that of the shop's settings.
    low_at: Option<Units>,
    /// Whether no more is available than that.
    low: bool,
}

impl From<Stocked> for StockBody {
    fn from(stocked: Stocked) -> Self {
        let Stocked { sku, level, low_at } = stocked;
        Self {
            sku,
            on_hand: level.on_hand,
            reserved: level.reserved,
            available: level.available(),
            low_at,
            low: level.is_low(low_at),
        }
    }
}

/// An order that stands in the way of a movement.
#[derive(Debug, Serialize)]
struct LoserBody {
    id: OrderId,
    state: OrderState,
    quantity: Quantity,
    expires_at: String,
}

impl From<Loser> for LoserBody {
    fn from(loser: Loser) -> Self {
        let Loser { order: id, state, quantity, expires_at } = loser;
        Self { id, state, quantity, expires_at: expires_at.to_rfc3339() }
    }
}

/// The orders, as a member of a problem.
fn named(losers: Losers) -> Value {
    let orders = losers.orders.into_iter().map(LoserBody::from);
    // Plain values: serialising cannot fail, and without a list the detail still tells the way on.
    orders.map(|order| serde_json::to_value(order).unwrap_or_default()).collect()
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::UnknownSku(_) => Self::not_found(),
            RecordError::TooMuch(_) => Self::invalid_request(error.to_string()),
            RecordError::BelowReserved { reserved, left, ref losers, .. } => {
                let missing = reserved.saturating_sub(left);
                Self::new(409, "below_reserved", "More is reserved than would be on hand")
                    .with_detail(error.to_string())
                    .with_member("reserved", reserved)
                    .with_member("missing", missing)
                    .with_member("orders", named(losers.clone()))
                    .with_member("more_orders", losers.more)
            }
            RecordError::Store(error) => error.into(),
            RecordError::Claim(error) => error.into(),
            RecordError::Write(error) => error.into(),
        }
    }
}

impl From<ThresholdError> for Problem {
    fn from(error: ThresholdError) -> Self {
        match error {
            ThresholdError::UnknownSku(_) => Self::not_found(),
            ThresholdError::Write(error) => error.into(),
        }
    }
}

impl From<ClaimError> for Problem {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Reused => Self::new(
                422,
                "idempotency_key_reused",
                "The Idempotency-Key was used for another request",
            ),
            ClaimError::Unreadable => Self::internal(error),
        }
    }
}
