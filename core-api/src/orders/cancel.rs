//! Cancel an order that is not paid: what it holds is for sale again.

use super::{Order, OrderState};
use crate::app::App;
use crate::ids::{AccountId, OrderId};
use crate::inventory::{self, HoldStep};
use crate::payments;
use crate::reach::Reach;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why an order was not cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CancelError {
    #[error("there is no such order within reach")]
    NotFound,
    #[error("the order is `{}` and cannot be cancelled", .0.as_str())]
    State(OrderState),
    #[error("what order `{0}` holds is not part of what is reserved")]
    Ledger(OrderId),
    #[error("could not cancel the order")]
    Write(#[from] WriteError),
}

/// An order that is not wanted any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CancelOrder {
    pub(crate) id: OrderId,
    pub(crate) reach: Reach,
    pub(crate) actor: AccountId,
}

/// Cancels an order within reach. To cancel it again changes nothing.
pub(crate) async fn cancel(app: &App, order: CancelOrder) -> Result<Order, CancelError> {
    let cancelled = app.writer.submit(order).await??;
    app.outbox.wake();
    Ok(cancelled)
}

impl Write for CancelOrder {
    type Answer = Result<Order, CancelError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.orders.insert((self.id, self.reach));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let order = sheet.orders.find(self.reach, self.id).ok_or(CancelError::NotFound)?.clone();
        match order.state {
            OrderState::Cancelled => return Ok(order),
            OrderState::Paid
            | OrderState::Fulfilling
            | OrderState::Shipped
            | OrderState::Delivered
            | OrderState::Expired
            | OrderState::Returned => return Err(CancelError::State(order.state)),
            // Its time is over, even where nobody has swept it yet.
            OrderState::PendingPayment if order.expires_at <= sheet.now => {
                return Err(CancelError::State(OrderState::Expired));
            }
            OrderState::PendingPayment => {}
        }
        self.release(sheet)?;
        let (to, actor) = (OrderState::Cancelled, Some(self.actor));
        let advanced = sheet.orders.advance(self.id, to, actor);
        advanced.map_err(|_| CancelError::State(order.state))?;
        payments::give_up(sheet, self.id, None);
        Ok(Order { state: OrderState::Cancelled, ..order })
    }
}

impl CancelOrder {
    /// Gives back all that is held, or nothing.
    fn release(self, sheet: &mut Worksheet) -> Result<(), CancelError> {
        let holds = sheet.orders.holds_of(self.id);
        let fits = holds.iter().all(|hold| {
            sheet
                .shelf
                .level(&hold.sku)
                .is_some_and(|level| level.reserved >= hold.quantity.units())
        });
        if !fits {
            return Err(CancelError::Ledger(self.id));
        }
        for hold in &holds {
            inventory::end(sheet, hold, HoldStep::Release)
                .map_err(|_| CancelError::Ledger(self.id))?;
        }
        Ok(())
    }
}
