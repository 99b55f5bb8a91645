//! Settle: the books are brought up to what the provider says.
//!
//! Pure, and the same whoever brings the news: an event, the answer to a request, in whatever
//! order and however often. Totals and ranks only rise, and only a rise has an effect.

use super::{IntentFacts, Payment, PaymentState, Refund, RefundReason, RefundState};
use crate::audit::Action;
use crate::ids::{OrderId, PaymentId};
use crate::inventory::{self, HoldStep};
use crate::money::Money;
use crate::orders::{self, Order, OrderState};
use crate::outbox::JobKind;
use crate::payments::gateway::{IntentStatus, RefundStatus};
use crate::reach::Reach;
use crate::worksheet::Worksheet;

/// The news does not fit the payment it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the provider speaks of another payment intent, or of another currency")]
pub(crate) struct Misfit;

/// Brings a payment and its order up to the facts.
pub(super) fn settle(
    sheet: &mut Worksheet,
    id: PaymentId,
    facts: &IntentFacts,
) -> Result<(), Misfit> {
    let before = sheet.payments.find(id).ok_or(Misfit)?.clone();
    if before.reference.as_ref().is_some_and(|known| *known != facts.reference)
        || before.amount.currency != facts.currency
    {
        return Err(Misfit);
    }
    let after = risen(&before, facts);
    if after == before {
        return Ok(());
    }
    sheet.payments.set(after.clone());
    if after.state == PaymentState::Captured && before.state != PaymentState::Captured {
        captured(sheet, &after);
    } else if after.state == PaymentState::Authorised && before.state == PaymentState::Open {
        // Of several, the first is chosen, here alone: asked again later, each would give way
        // to the others.
        let is_first = !sheet.payments.has_rival(&after, PaymentState::Authorised);
        let is_wanted = is_first && may_capture(sheet, &after);
        let kind = if is_wanted { JobKind::Capture } else { JobKind::Cancel };
        sheet.outbox.add(&sheet.ids, sheet.now, kind.of(id));
    } else if after.state.is_undecided() && !is_payable(sheet, after.order) {
        sheet.outbox.add(&sheet.ids, sheet.now, JobKind::Cancel.of(id));
    }
    Ok(())
}

/// The payment with every total and rank at its highest.
fn risen(before: &Payment, facts: &IntentFacts) -> Payment {
    let told = match facts.status {
        IntentStatus::Open => PaymentState::Open,
        IntentStatus::Authorised => PaymentState::Authorised,
        IntentStatus::Cancelled => PaymentState::Cancelled,
        IntentStatus::Captured => PaymentState::Captured,
    };
    let state = before.state.max(told);
    let is_captured = state == PaymentState::Captured;
    let received = if is_captured { facts.received_minor } else { 0 };
    let captured_minor = before.captured_minor.max(received);
    let refunded = facts.refunded_minor.unwrap_or_default().min(captured_minor);
    Payment {
        reference: Some(facts.reference.clone()),
        state,
        captured_minor,
        refunded_minor: before.refunded_minor.max(refunded),
        ..before.clone()
    }
}

/// Whether to take the money: the order waits for it, no other payment was taken, and what it is
/// for is there.
pub(super) fn may_capture(sheet: &Worksheet, payment: &Payment) -> bool {
    let Some(order) = sheet.orders.find(Reach::Any, payment.order) else { return false };
    if !order.state.awaits_money() || sheet.payments.has_rival(payment, PaymentState::Captured) {
        return false;
    }
    order.state == OrderState::PendingPayment || is_available(sheet, order)
}

fn is_payable(sheet: &Worksheet, order: OrderId) -> bool {
    sheet.orders.find(Reach::Any, order).is_some_and(|order| order.state.awaits_money())
}

fn is_available(sheet: &Worksheet, order: &Order) -> bool {
    order.lines.iter().all(|line| {
        let level = sheet.shelf.level(&line.sku).unwrap_or_default();
        level.available() >= line.quantity.units()
    })
}

/// Money has come: it pays the order, or it goes back.
fn captured(sheet: &mut Worksheet, payment: &Payment) {
    let Some(order) = sheet.orders.find(Reach::Any, payment.order).cloned() else { return };
    let reason = if !order.state.awaits_money() {
        let is_over = order.state == OrderState::Cancelled;
        Some(if is_over { RefundReason::Late } else { RefundReason::Double })
    } else if payment.captured_minor < order.total.minor {
        Some(RefundReason::Short)
    } else if take(sheet, &order) {
        None
    } else {
        Some(RefundReason::Late)
    };
    match reason {
        Some(reason) => pay_back(sheet, payment, reason),
        None => give_up(sheet, order.id, Some(payment.id)),
    }
}

/// Takes what was ordered from the stock and marks the order paid; false when it is not there
/// any more, and then nothing has changed.
fn take(sheet: &mut Worksheet, order: &Order) -> bool {
    if order.state == OrderState::Expired {
        if !is_available(sheet, order) {
            return false;
        }
        for line in &order.lines {
            // It is available, so that it can be held.
            if let Ok(hold) = orders::hold(sheet, order, line) {
                sheet.orders.hold(hold);
            }
        }
    }
    for hold in sheet.orders.holds_of(order.id) {
        // A hold that is not part of what is reserved is left for `verify` to report.
        if inventory::end(sheet, &hold, HoldStep::Commit).is_err() {
            tracing::error!(order.id = %order.id, sku = %hold.sku, "a hold cannot be committed");
        }
    }
    let is_paid = sheet.orders.advance(order.id, OrderState::Paid, None).is_ok();
    if is_paid {
        sheet.audit(Action::OrderPaid, order.id);
    }
    is_paid
}

/// Gives back all that was taken.
fn pay_back(sheet: &mut Worksheet, payment: &Payment, reason: RefundReason) {
    let minor = sheet.payments.refundable(payment);
    if minor < 1 {
        return;
    }
    let refund = Refund {
        id: sheet.ids.next(sheet.now),
        payment: payment.id,
        amount: Money { minor, ..payment.amount },
        state: RefundState::Pending,
        reason,
        account: None,
        created_at: sheet.now,
    };
    sheet.outbox.add(&sheet.ids, sheet.now, JobKind::refund_of(refund.id));
    sheet.audit(Action::RefundAsked, refund.id);
    sheet.payments.set_refund(refund);
}

/// Gives up every undecided payment of an order, but the one that pays it.
pub(crate) fn give_up(sheet: &mut Worksheet, order: OrderId, but: Option<PaymentId>) {
    let undecided = |one: &&Payment| one.state.is_undecided() && one.reference.is_some();
    let others = sheet.payments.of_order(order).filter(undecided).map(|one| one.id);
    for id in others.filter(|id| Some(*id) != but).collect::<Vec<_>>() {
        sheet.outbox.add(&sheet.ids, sheet.now, JobKind::Cancel.of(id));
    }
}

/// Brings a refund up to what the provider says.
pub(super) fn settle_refund(sheet: &mut Worksheet, told: &super::ProviderRefund) {
    let Some(before) = told.refund.and_then(|id| sheet.payments.refund(id)).cloned() else {
        // Made past us, by somebody at the provider's; the payment's totals tell of it.
        return;
    };
    let state = match told.status {
        RefundStatus::Pending => RefundState::Pending,
        RefundStatus::Succeeded => RefundState::Succeeded,
        RefundStatus::Failed => RefundState::Failed,
    };
    let state = before.state.max(state);
    if state != before.state {
        let is_failed = state == RefundState::Failed;
        if is_failed {
            tracing::error!(refund.id = %before.id, "a refund failed; pay the customer otherwise");
        }
        let action = if is_failed { Action::RefundFailed } else { Action::RefundSettled };
        sheet.audit(action, before.id);
        sheet.payments.set_refund(Refund { state, ..before });
    }
}

#[cfg(test)]
mod tests;
