//! `/api/inventory`: stock and its ledger, for those who keep it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Count, JsonBody, PathId, REPLAYED};
use super::caller::Caller;
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::idempotency::{
    Answered, Claim, ClaimError, ClaimName, Fingerprint, IdempotencyKey, KeyedOperation,
};
use crate::ids::{AccountId, MovementId, OrderId, ReservationId};
use crate::inventory::{
    self, ByHand, Delta, Entry, MovementKind, NewMovement, Note, Quantity, Receipt, RecordError,
    StockLevel,
};
use crate::sku::Sku;

/// `GET /api/inventory`. By SKU.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Page<Sku>,
) -> Result<Json<PageBody<StockBody>>, Problem> {
    let stock = inventory::list(&app, &page.slice()).await?;
    Ok(Json(page.body(&app, stock, |(sku, _)| sku.clone())))
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
    let (receipt, replayed) = match inventory::record(&app, wanted).await? {
        Answered::First(receipt) => (receipt, None),
        Answered::Replayed(receipt) => (receipt, Some([REPLAYED])),
    };
    Ok((StatusCode::CREATED, replayed, Json(ReceiptBody::from(receipt))).into_response())
}

/// What is wanted. Movements of other kinds are consequences of orders.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields, expecting = "a movement")]
pub(super) enum MovementRequest {
    /// So much arrived.
    Receive { quantity: Count, note: Option<Note> },
    /// Counting found more or less than the books say.
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
        let fingerprint = Fingerprint::of(&(&sku, &change));
        let name = ClaimName { account, operation: KeyedOperation::RecordMovement, key };
        let claim = Some(Claim { name, fingerprint });
        Ok(NewMovement { sku, change, account: Some(account), claim })
    }
}

/// A movement that was recorded, as a client sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceiptBody {
    id: MovementId,
    sku: Sku,
    kind: MovementKind,
    quantity: Quantity,
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
    quantity: Quantity,
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
}

impl From<(Sku, StockLevel)> for StockBody {
    fn from((sku, level): (Sku, StockLevel)) -> Self {
        let available = level.available();
        Self { sku, on_hand: level.on_hand, reserved: level.reserved, available }
    }
}

impl From<RecordError> for Problem {
    fn from(error: RecordError) -> Self {
        match error {
            RecordError::UnknownSku(_) => Self::not_found(),
            RecordError::TooMuch(_) => Self::invalid_request(error.to_string()),
            RecordError::BelowReserved { .. } => {
                Self::new(409, "below_reserved", "More is reserved than would be on hand")
                    .with_detail(error.to_string())
            }
            RecordError::Claim(error) => error.into(),
            RecordError::Write(error) => error.into(),
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
