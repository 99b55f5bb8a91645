//! The order book: the orders of one batch, and what the batch changes about them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Order, OrderState};
use crate::ids::{AccountId, OrderId};
use crate::inventory::{Hold, Holds};
use crate::reach::Reach;
use crate::sku::Sku;

/// Order rows in memory.
#[derive(Debug, Default)]
pub(crate) struct OrderBook {
    orders: BTreeMap<OrderId, Order>,
    /// Which of them are within which reach.
    within: BTreeSet<(OrderId, Reach)>,
    /// What is held for them, or was taken for them.
    holds: Holds,
    new: Vec<Order>,
    moves: Vec<OrderMove>,
}

/// One move of one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrderMove {
    pub(crate) order: OrderId,
    pub(crate) from: OrderState,
    pub(crate) to: OrderState,
    /// Who moved it; `None` for the core itself.
    pub(crate) actor: Option<AccountId>,
}

impl OrderBook {
    pub(crate) fn loaded(
        orders: BTreeMap<OrderId, Order>,
        within: BTreeSet<(OrderId, Reach)>,
        holds: Holds,
    ) -> Self {
        Self { orders, within, holds, ..Self::default() }
    }

    /// The order, if it is within reach.
    pub(crate) fn find(&self, reach: Reach, id: OrderId) -> Option<&Order> {
        self.orders.get(&id).filter(|_| self.within.contains(&(id, reach)))
    }

    /// Whether an order is here, in whatever reach.
    pub(crate) fn is_here(&self, id: OrderId) -> bool {
        self.orders.contains_key(&id)
    }

    /// What is held for an order that waits for payment, or was taken for one that is paid.
    pub(crate) fn holds_of(&self, id: OrderId) -> Vec<Hold> {
        self.holds.values().filter(|hold| hold.order == id).cloned().collect()
    }

    /// SKUs of the orders here.
    pub(crate) fn skus(&self) -> impl Iterator<Item = Sku> {
        self.orders.values().flat_map(|order| &order.lines).map(|line| line.sku.clone())
    }

    pub(crate) fn place(&mut self, order: Order) {
        self.new.push(order);
    }

    /// The order's holds ran out. Orders that were not asked for expire here, too.
    pub(crate) fn expire(&mut self, id: OrderId) {
        let (from, to) = (OrderState::PendingPayment, OrderState::Expired);
        let is_known = self.moves.iter().any(|one| one.order == id && one.to == to);
        if !is_known {
            self.moves.push(OrderMove { order: id, from, to, actor: None });
        }
        if let Some(order) = self.orders.get_mut(&id) {
            order.state = to;
        }
        self.holds.retain(|_, hold| hold.order != id);
    }

    /// Moves an order that is here; otherwise says where it stands.
    pub(crate) fn advance(
        &mut self,
        id: OrderId,
        to: OrderState,
        actor: Option<AccountId>,
    ) -> Result<(), Option<OrderState>> {
        let order = self.orders.get_mut(&id).ok_or(None)?;
        if !order.state.leads_to(to) {
            return Err(Some(order.state));
        }
        self.moves.push(OrderMove { order: id, from: order.state, to, actor });
        order.state = to;
        Ok(())
    }

    /// Something is held for an order again.
    pub(crate) fn hold(&mut self, hold: Hold) {
        self.holds.insert(hold.id, hold);
    }

    /// Orders the batch adds.
    pub(crate) fn new_orders(&self) -> &[Order] {
        &self.new
    }

    /// What the batch moves, in its order.
    pub(crate) fn moves(&self) -> &[OrderMove] {
        &self.moves
    }
}
