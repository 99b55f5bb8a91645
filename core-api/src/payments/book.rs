//! The payment book: the payments of one batch's orders, and what the batch changes about them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Payment, PaymentState, Reference, Refund, RefundState};
use crate::ids::{OrderId, PaymentId, RefundId};

/// Payments, refunds and events in memory.
#[derive(Debug, Default)]
pub(crate) struct PaymentBook {
    payments: BTreeMap<PaymentId, Payment>,
    refunds: BTreeMap<RefundId, Refund>,
    /// Events whose effect is in the books.
    events: BTreeSet<Reference>,
    changed: BTreeSet<PaymentId>,
    changed_refunds: BTreeSet<RefundId>,
    new_events: BTreeMap<Reference, String>,
}

impl PaymentBook {
    pub(crate) fn loaded(
        payments: BTreeMap<PaymentId, Payment>,
        refunds: BTreeMap<RefundId, Refund>,
        events: BTreeSet<Reference>,
    ) -> Self {
        Self { payments, refunds, events, ..Self::default() }
    }

    pub(crate) fn find(&self, id: PaymentId) -> Option<&Payment> {
        self.payments.get(&id)
    }

    pub(crate) fn by_reference(&self, reference: &Reference) -> Option<PaymentId> {
        let mut all = self.payments.values();
        all.find(|one| one.reference.as_ref() == Some(reference)).map(|one| one.id)
    }

    pub(crate) fn of_order(&self, order: OrderId) -> impl Iterator<Item = &Payment> {
        self.payments.values().filter(move |one| one.order == order)
    }

    /// The orders that are paid for here.
    pub(crate) fn orders(&self) -> impl Iterator<Item = OrderId> {
        self.payments.values().map(|one| one.order)
    }

    /// What became of a payment, or a new one.
    pub(crate) fn set(&mut self, payment: Payment) {
        self.changed.insert(payment.id);
        self.payments.insert(payment.id, payment);
    }

    pub(crate) fn refund(&self, id: RefundId) -> Option<&Refund> {
        self.refunds.get(&id)
    }

    /// What became of a refund, or a new one.
    pub(crate) fn set_refund(&mut self, refund: Refund) {
        self.changed_refunds.insert(refund.id);
        self.refunds.insert(refund.id, refund);
    }

    /// Every refund of a payment, failed ones included.
    pub(crate) fn refunds_of(&self, payment: PaymentId) -> impl Iterator<Item = &Refund> {
        self.refunds.values().filter(move |one| one.payment == payment)
    }

    /// How much of a payment can still be given back.
    pub(crate) fn refundable(&self, payment: &Payment) -> i64 {
        let of_it = self.refunds_of(payment.id);
        let asked = of_it.filter(|one| one.state != RefundState::Failed);
        let asked: i64 = asked.map(|one| one.amount.minor).sum();
        // What went back past us counts, too.
        payment.captured_minor.saturating_sub(asked.max(payment.refunded_minor))
    }

    /// Whether another payment of the order is in this state.
    pub(crate) fn has_rival(&self, payment: &Payment, state: PaymentState) -> bool {
        let mut all = self.of_order(payment.order);
        all.any(|one| one.id != payment.id && one.state == state)
    }

    /// Notes an event; false when its effect is in the books already.
    pub(crate) fn note(&mut self, event: &Reference, kind: &str) -> bool {
        let is_new = self.events.insert(event.clone());
        if is_new {
            self.new_events.insert(event.clone(), kind.to_owned());
        }
        is_new
    }

    /// Payments the batch adds or changes, as they are now.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &Payment> {
        self.changed.iter().filter_map(|id| self.payments.get(id))
    }

    /// Refunds the batch adds or changes, as they are now.
    pub(crate) fn changed_refunds(&self) -> impl Iterator<Item = &Refund> {
        self.changed_refunds.iter().filter_map(|id| self.refunds.get(id))
    }

    /// Events the batch adds: their names and types.
    pub(crate) fn new_events(&self) -> impl Iterator<Item = (&Reference, &str)> {
        self.new_events.iter().map(|(name, kind)| (name, kind.as_str()))
    }
}
