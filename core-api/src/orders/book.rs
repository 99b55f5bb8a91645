//! The order book: the orders of one batch, and what the batch changes about them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Order, OrderState};
use crate::ids::OrderId;
use crate::inventory::{Hold, Holds};
use crate::reach::Reach;
use crate::sku::Sku;

/// Order rows in memory.
#[derive(Debug, Default)]
pub(crate) struct OrderBook {
    orders: BTreeMap<OrderId, Order>,
    /// Which of them are within which reach.
    within: BTreeSet<(OrderId, Reach)>,
    /// What is held for them.
    holds: Holds,
    new: Vec<Order>,
    changed: BTreeMap<OrderId, OrderState>,
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

    /// What is held for an order.
    pub(crate) fn holds_of(&self, id: OrderId) -> Vec<Hold> {
        self.holds.values().filter(|hold| hold.order == id).cloned().collect()
    }

    /// SKUs that are held for any order here.
    pub(crate) fn held_skus(&self) -> impl Iterator<Item = Sku> {
        self.holds.values().map(|hold| hold.sku.clone())
    }

    pub(crate) fn place(&mut self, order: Order) {
        self.new.push(order);
    }

    /// The order's holds ran out.
    pub(crate) fn expire(&mut self, id: OrderId) {
        self.end(id, OrderState::Expired);
    }

    /// The order is not wanted any more.
    pub(crate) fn cancel(&mut self, id: OrderId) {
        self.end(id, OrderState::Cancelled);
    }

    /// Orders the batch adds.
    pub(crate) fn new_orders(&self) -> &[Order] {
        &self.new
    }

    /// Orders that are in another state from now on.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (OrderId, OrderState)> {
        self.changed.iter().map(|(id, state)| (*id, *state))
    }

    fn end(&mut self, id: OrderId, state: OrderState) {
        if let Some(order) = self.orders.get_mut(&id) {
            order.state = state;
        }
        self.holds.retain(|_, hold| hold.order != id);
        self.changed.insert(id, state);
    }
}
