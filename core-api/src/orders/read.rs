//! Read orders, within reach.

use crate::app::App;
use crate::ids::OrderId;
use crate::orders::{Order, OrderEvent};
use crate::reach::Reach;
use crate::store::{Slice, StoreError};

/// Orders within reach, newest first.
pub(crate) async fn list(
    app: &App,
    reach: Reach,
    slice: &Slice<OrderId>,
) -> Result<Vec<Order>, StoreError> {
    app.store.orders(reach, slice).await
}

/// One order; `None` when there is none within reach.
pub(crate) async fn find(
    app: &App,
    reach: Reach,
    id: OrderId,
) -> Result<Option<Order>, StoreError> {
    app.store.order(reach, id).await
}

/// Every move of an order, oldest first; `None` when there is no such order within reach.
pub(crate) async fn history(
    app: &App,
    reach: Reach,
    id: OrderId,
) -> Result<Option<Vec<OrderEvent>>, StoreError> {
    match app.store.order(reach, id).await? {
        Some(_) => app.store.order_events(id).await.map(Some),
        None => Ok(None),
    }
}
