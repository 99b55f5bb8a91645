//! Move a paid order on: what is packed, sent, delivered, or came back.

use super::{Order, OrderState};
use crate::app::App;
use crate::ids::{AccountId, OrderId};
use crate::inventory::{self, HoldStep};
use crate::reach::Reach;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why an order was not moved on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdvanceError {
    #[error("there is no such order within reach")]
    NotFound,
    #[error("the order is `{}` and cannot become `{}`", .from.as_str(), .to.as_str())]
    State { from: OrderState, to: OrderState },
    #[error("what order `{0}` took cannot be booked back")]
    Ledger(OrderId),
    #[error("could not move the order on")]
    Write(#[from] WriteError),
}

/// What happened to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Fulfil,
    Ship,
    Deliver,
    Return(Goods),
}

/// What became of the goods of an order that was returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goods {
    /// They are for sale again.
    Restocked,
    /// They are not.
    Lost,
}

impl Step {
    fn leads_to(self) -> OrderState {
        match self {
            Self::Fulfil => OrderState::Fulfilling,
            Self::Ship => OrderState::Shipped,
            Self::Deliver => OrderState::Delivered,
            Self::Return(_) => OrderState::Returned,
        }
    }
}

/// A step of one order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AdvanceOrder {
    pub(crate) id: OrderId,
    pub(crate) reach: Reach,
    pub(crate) step: Step,
    pub(crate) actor: AccountId,
}

/// Moves an order within reach. To say the same again changes nothing.
pub(crate) async fn advance(app: &App, order: AdvanceOrder) -> Result<Order, AdvanceError> {
    app.writer.submit(order).await?
}

impl Write for AdvanceOrder {
    type Answer = Result<Order, AdvanceError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.orders.insert((self.id, self.reach));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let order = sheet.orders.find(self.reach, self.id).ok_or(AdvanceError::NotFound)?.clone();
        let to = self.step.leads_to();
        if order.state == to {
            return Ok(order);
        }
        if !order.state.leads_to(to) {
            return Err(AdvanceError::State { from: order.state, to });
        }
        if self.step == Step::Return(Goods::Restocked) {
            self.restock(sheet)?;
        }
        let advanced = sheet.orders.advance(self.id, to, Some(self.actor));
        advanced.map_err(|_| AdvanceError::State { from: order.state, to })?;
        Ok(Order { state: to, ..order })
    }
}

impl AdvanceOrder {
    /// More on hand never breaks the invariant, short of more than can be counted.
    fn restock(self, sheet: &mut Worksheet) -> Result<(), AdvanceError> {
        for hold in sheet.orders.holds_of(self.id) {
            let entered = inventory::enter(sheet, &hold, HoldStep::Return, Some(self.actor));
            entered.map_err(|_| AdvanceError::Ledger(self.id))?;
        }
        Ok(())
    }
}
