//! `/api/inventory`: stock, for those who keep it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::body::{Count, JsonBody, PathId, REPLAYED};
use super::caller::Caller;
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::idempotency::{
    Answered, Claim, ClaimError, ClaimName, Fingerprint, IdempotencyKey, KeyedOperation,
};
use crate::ids::{AccountId, MovementId};
use crate::inventory::{
    self, MovementKind, NewReceipt, Quantity, Receipt, ReceiveError, StockLevel,
};
use crate::sku::Sku;

/// Longest note, in characters.
const NOTE_CHARS_MAX: usize = 500;

/// `GET /api/inventory`. By SKU.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    page: Page<Sku>,
) -> Result<Json<PageBody<StockBody>>, Problem> {
    let stock = inventory::list(&app, &page.slice()).await?;
    Ok(Json(page.body(&app, stock, |(sku, _)| sku.clone())))
}

/// `POST /api/inventory/{sku}/movements`. Puts what arrived on hand, once for each key.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    PathId(sku): PathId<Sku>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<MovementRequest>,
) -> Result<Response, Problem> {
    let arrived = body.arrived(caller.owner()?, sku, key)?;
    let (receipt, replayed) = match inventory::receive(&app, arrived).await? {
        Answered::First(receipt) => (receipt, None),
        Answered::Replayed(receipt) => (receipt, Some([REPLAYED])),
    };
    Ok((StatusCode::CREATED, replayed, Json(ReceiptBody::from(receipt))).into_response())
}

/// What is wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a movement")]
pub(super) struct MovementRequest {
    kind: RequestKind,
    quantity: Count,
    note: Option<String>,
}

/// Movements that are asked for; others are consequences of orders.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RequestKind {
    Receive,
}

impl MovementRequest {
    fn arrived(
        self,
        account: AccountId,
        sku: Sku,
        key: IdempotencyKey,
    ) -> Result<NewReceipt, Problem> {
        let RequestKind::Receive = self.kind;
        let quantity = Quantity::try_from(self.quantity.0)
            .map_err(|error| Problem::invalid_request(format!("`quantity`: {error}")))?;
        if self.note.as_ref().is_some_and(|note| note.chars().count() > NOTE_CHARS_MAX) {
            let detail = format!("`note` must have at most {NOTE_CHARS_MAX} characters");
            return Err(Problem::invalid_request(detail));
        }
        let fingerprint = Fingerprint::of(&(&sku, quantity, &self.note));
        let name = ClaimName { account, operation: KeyedOperation::ReceiveStock, key };
        let claim = Some(Claim { name, fingerprint });
        Ok(NewReceipt { sku, quantity, note: self.note, account: Some(account), claim })
    }
}

/// A movement as a client sees it.
#[derive(Debug, Serialize)]
struct ReceiptBody {
    id: MovementId,
    sku: Sku,
    kind: &'static str,
    quantity: Quantity,
    on_hand: i64,
}

impl From<Receipt> for ReceiptBody {
    fn from(receipt: Receipt) -> Self {
        let Receipt { id, sku, quantity, on_hand } = receipt;
        Self { id, sku, kind: MovementKind::Receive.as_str(), quantity, on_hand }
    }
}

/// Stock of one SKU as a client sees it.
#[derive(Debug, Serialize)]
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

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        match error {
            ReceiveError::UnknownSku(_) => Self::not_found(),
            ReceiveError::TooMuch(_) => Self::invalid_request(format!("`quantity`: {error}")),
            ReceiveError::Claim(error) => error.into(),
            ReceiveError::Write(error) => error.into(),
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
