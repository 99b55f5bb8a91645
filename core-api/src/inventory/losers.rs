//! Who loses when fewer units are there than are reserved.
//!
//! First come, first served, also here: the newest order loses first.

use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::OrderId;
use crate::inventory::Quantity;
use crate::orders::OrderState;
use crate::sku::Sku;
use crate::store::StoreError;

/// Most orders that are named.
pub(crate) const LOSERS_MAX: u32 = 50;

/// An order that holds a SKU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loser {
    pub(crate) order: OrderId,
    pub(crate) state: OrderState,
    /// What it holds of the SKU.
    pub(crate) quantity: Quantity,
    pub(crate) expires_at: Timestamp,
}

/// Orders whose holds cannot all be kept, in the order in which they lose.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Losers {
    /// At most [`LOSERS_MAX`].
    pub(crate) orders: Vec<Loser>,
    /// Whether there are more than are named.
    pub(crate) more: bool,
}

/// The newest orders that hold `missing` units of a SKU between them, as it is now.
pub(super) async fn find(app: &App, sku: &Sku, missing: i64) -> Result<Losers, StoreError> {
    let newest = app.store.holders(sku, LOSERS_MAX.saturating_add(1)).await?;
    Ok(choose(newest, missing))
}

fn choose(newest: Vec<Loser>, missing: i64) -> Losers {
    let mut missing = missing;
    let mut losers = Losers::default();
    let most = usize::try_from(LOSERS_MAX).unwrap_or(usize::MAX);
    for loser in newest {
        if missing <= 0 {
            break;
        }
        if losers.orders.len() >= most {
            losers.more = true;
            break;
        }
        missing = missing.saturating_sub(loser.quantity.units());
        losers.orders.push(loser);
    }
    losers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Id as _;

    fn holders(count: u128, quantity: u32) -> Vec<Loser> {
        let holder = |id| Loser {
            order: OrderId::from_uuid(uuid::Uuid::from_u128(id)),
            state: OrderState::PendingPayment,
            quantity: Quantity::try_from(quantity).unwrap(),
            expires_at: Timestamp::from_micros(0),
        };
        (0..count).map(holder).collect()
    }

    #[test]
    fn no_more_orders_lose_than_must() {
        let named = |missing| choose(holders(9, 2), missing).orders.len();
        assert_eq!([0, 1, 2, 3, 18, 99].map(named), [0, 1, 1, 2, 9, 9]);
    }

    #[test]
    fn the_list_is_bounded_and_says_so() {
        let (all, some) = (choose(holders(50, 1), 50), choose(holders(51, 1), 51));
        assert_eq!((all.orders.len(), all.more), (50, false));
        assert_eq!((some.orders.len(), some.more), (50, true));
    }
}
