//! Record a movement by hand: what arrived, what is more or less, or what counting found.
//!
//! What is reserved stays on hand: where fewer units would be left, nothing changes, and whoever
//! asked is told which orders stand in the way.

use serde::{Deserialize, Serialize};

use super::{ByHand, Losers, Lowering, Movement, MovementKind, StockLevel, losers};
use crate::app::App;
use crate::audit::Action;
use crate::idempotency::{Answered, Claim, ClaimError};
use crate::ids::{AccountId, MovementId};
use crate::sku::Sku;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("sku `{0}` was never sold here")]
    UnknownSku(Sku),
    #[error("more of `{0}` than can be counted")]
    TooMuch(Sku),
    #[error("{reserved} of sku `{sku}` are reserved, {left} would be left; {}", way_on(*left))]
    BelowReserved { sku: Sku, reserved: i64, left: i64, losers: Losers },
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("could not look for the orders that hold the sku")]
    Store(#[from] StoreError),
    #[error("could not record the movement")]
    Write(#[from] WriteError),
}

/// What to do when fewer would be left than are reserved.
fn way_on(left: i64) -> &'static str {
    if left < 0 {
        "no more can be taken than there is"
    } else {
        "cancel orders that hold it, the newest first, and repeat this"
    }
}

/// A movement that somebody enters.
#[derive(Debug, Clone)]
pub(crate) struct NewMovement {
    pub(crate) sku: Sku,
    pub(crate) change: ByHand,
    /// Who enters it; `None` for the core itself.
    pub(crate) account: Option<AccountId>,
    /// The idempotency key; `None` for the core itself.
    pub(crate) claim: Option<Claim>,
}

/// The ledger entry, and what is on hand after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) id: MovementId,
    pub(crate) sku: Sku,
    pub(crate) kind: MovementKind,
    pub(crate) quantity: i64,
    pub(crate) on_hand_change: i64,
    pub(crate) on_hand: i64,
}

/// What was recorded, or was before.
pub(crate) type Recorded = Lowering<Answered<Receipt>>;

/// Records a movement; a repeated key records it once.
pub(crate) async fn record(app: &App, wanted: NewMovement) -> Result<Recorded, RecordError> {
    match app.writer.submit(wanted).await? {
        // Nothing changed, so the orders are looked for apart, and are those of a moment later.
        Err(RecordError::BelowReserved { sku, reserved, left, .. }) => {
            let losers = losers::find(app, &sku, reserved.saturating_sub(left)).await?;
            Err(RecordError::BelowReserved { sku, reserved, left, losers })
        }
        recorded => recorded,
    }
}

impl Write for NewMovement {
    type Answer = Result<Recorded, RecordError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.skus.insert(self.sku.clone());
        wanted.claims.extend(self.claim.iter().map(|claim| claim.name.clone()));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        Lowering::seen(sheet, |sheet| self.enter(sheet))
    }
}

impl NewMovement {
    fn enter(&self, sheet: &mut Worksheet) -> Result<Answered<Receipt>, RecordError> {
        if let Some(claim) = &self.claim
            && let Some(receipt) = sheet.claims.find(claim)?
        {
            return Ok(Answered::Replayed(receipt));
        }
        let Some(before) = sheet.shelf.level(&self.sku) else {
            return Err(RecordError::UnknownSku(self.sku.clone()));
        };
        let movement = self.movement(sheet.ids.next(sheet.now), before);
        let (on_hand_change, _) = movement.changes();
        let mut receipt = Receipt {
            id: movement.id,
            sku: self.sku.clone(),
            kind: movement.kind(),
            quantity: movement.quantity(),
            on_hand_change,
            on_hand: before.on_hand,
        };
        let entered = sheet.shelf.enter(movement);
        receipt.on_hand = entered.map_err(|_| self.refused(before, on_hand_change))?.on_hand;
        if let Some(claim) = &self.claim {
            sheet.claims.keep(claim, &receipt, sheet.now)?;
        }
        sheet.audit(self.action(), receipt.id);
        Ok(Answered::First(receipt))
    }

    fn movement(&self, id: MovementId, before: StockLevel) -> Movement {
        let cause = self.change.cause(before.on_hand);
        Movement { id, sku: self.sku.clone(), cause, account: self.account }
    }

    fn action(&self) -> Action {
        match self.change {
            ByHand::Receive { .. } => Action::StockReceived,
            ByHand::Adjust { .. } => Action::StockAdjusted,
            ByHand::Stocktake { .. } => Action::StockCounted,
        }
    }

    fn refused(&self, before: StockLevel, change: i64) -> RecordError {
        let (sku, reserved) = (self.sku.clone(), before.reserved);
        match before.on_hand.checked_add(change) {
            Some(left) if left < reserved => {
                RecordError::BelowReserved { sku, reserved, left, losers: Losers::default() }
            }
            _ => RecordError::TooMuch(sku),
        }
    }
}
