//! Receive stock: what arrived is on hand.

use serde::{Deserialize, Serialize};

use super::{Movement, MovementKind, Quantity};
use crate::app::App;
use crate::idempotency::{Answered, Claim, ClaimError};
use crate::ids::{AccountId, MovementId};
use crate::sku::Sku;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why nothing was received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveError {
    #[error("sku `{0}` is not sold here")]
    UnknownSku(Sku),
    #[error("more of `{0}` than can be counted")]
    TooMuch(Sku),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("could not receive")]
    Write(#[from] WriteError),
}

/// Stock that arrived.
#[derive(Debug, Clone)]
pub(crate) struct NewReceipt {
    pub(crate) sku: Sku,
    pub(crate) quantity: Quantity,
    pub(crate) note: Option<String>,
    /// Who received it; `None` for the core itself.
    pub(crate) account: Option<AccountId>,
    /// The idempotency key; `None` for the core itself.
    pub(crate) claim: Option<Claim>,
}

/// The ledger entry, and what is on hand after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) id: MovementId,
    pub(crate) sku: Sku,
    pub(crate) quantity: Quantity,
    pub(crate) on_hand: i64,
}

/// Puts what arrived on hand; a repeated key puts it there once.
pub(crate) async fn receive(
    app: &App,
    arrived: NewReceipt,
) -> Result<Answered<Receipt>, ReceiveError> {
    app.writer.submit(arrived).await?
}

impl Write for NewReceipt {
    type Answer = Result<Answered<Receipt>, ReceiveError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.skus.insert(self.sku.clone());
        wanted.claims.extend(self.claim.iter().map(|claim| claim.name.clone()));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        if let Some(claim) = &self.claim
            && let Some(receipt) = sheet.claims.find(claim)?
        {
            return Ok(Answered::Replayed(receipt));
        }
        if sheet.shelf.level(&self.sku).is_none() {
            return Err(ReceiveError::UnknownSku(self.sku.clone()));
        }
        let movement = self.movement(sheet.ids.next(sheet.now));
        let id = movement.id;
        let level =
            sheet.shelf.enter(movement).map_err(|_| ReceiveError::TooMuch(self.sku.clone()))?;
        let on_hand = level.on_hand;
        let receipt = Receipt { id, sku: self.sku.clone(), quantity: self.quantity, on_hand };
        if let Some(claim) = &self.claim {
            sheet.claims.keep(claim, &receipt, sheet.now)?;
        }
        Ok(Answered::First(receipt))
    }
}

impl NewReceipt {
    fn movement(&self, id: MovementId) -> Movement {
        Movement {
            id,
            sku: self.sku.clone(),
            kind: MovementKind::Receive,
            quantity: self.quantity,
            reservation: None,
            account: self.account,
            note: self.note.clone(),
        }
    }
}
