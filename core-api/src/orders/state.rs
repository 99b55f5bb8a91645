//! Where an order can stand, and every move there is.
//!
//! Each state has a rank and every move rises, so that no order ever goes back and no state is
//! entered twice.

use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderState {
    PendingPayment,
    Paid,
    Fulfilling,
    Shipped,
    Delivered,
    Cancelled,
    Expired,
    Returned,
}

use OrderState::{
    Cancelled, Delivered, Expired, Fulfilling, Paid, PendingPayment, Returned, Shipped,
};

/// Every move: from where, to where.
const MOVES: [(OrderState, OrderState); 11] = [
    (PendingPayment, Expired),
    (PendingPayment, Cancelled),
    (PendingPayment, Paid),
    // Money that came late, while there is still stock.
    (Expired, Paid),
    (Paid, Fulfilling),
    (Fulfilling, Shipped),
    (Shipped, Delivered),
    // Called off before it left, refused at the door, or sent back.
    (Paid, Returned),
    (Fulfilling, Returned),
    (Shipped, Returned),
    (Delivered, Returned),
];

impl OrderState {
    pub(crate) const ALL: [Self; 8] =
        [PendingPayment, Paid, Fulfilling, Shipped, Delivered, Cancelled, Expired, Returned];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            PendingPayment => "pending_payment",
            Paid => "paid",
            Fulfilling => "fulfilling",
            Shipped => "shipped",
            Delivered => "delivered",
            Cancelled => "cancelled",
            Expired => "expired",
            Returned => "returned",
        }
    }

    /// Whether an order may be moved from here to there.
    pub(crate) fn leads_to(self, to: Self) -> bool {
        MOVES.contains(&(self, to))
    }

    /// Whether money for the order is still welcome.
    pub(crate) fn awaits_money(self) -> bool {
        self.leads_to(Paid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(state: OrderState) -> u8 {
        match state {
            PendingPayment => 0,
            Expired => 1,
            Paid => 2,
            Fulfilling => 3,
            Shipped => 4,
            Delivered => 5,
            Cancelled | Returned => 6,
        }
    }

    #[test]
    fn every_move_rises_and_every_state_is_reached() {
        for (from, to) in MOVES {
            assert!(rank(from) < rank(to), "{from:?} {to:?}");
        }
        for state in OrderState::ALL {
            assert!(state == PendingPayment || MOVES.iter().any(|(_, to)| *to == state));
        }
    }

    #[test]
    fn money_is_welcome_until_it_came_or_nobody_wants_it() {
        let welcome: Vec<_> =
            OrderState::ALL.into_iter().filter(|state| state.awaits_money()).collect();
        assert_eq!(welcome, [PendingPayment, Expired]);
    }
}
