//! Expire holds: stock whose payment never came is for sale again.

use super::{DueHolds, Movement, MovementKind};
use crate::worksheet::Worksheet;

/// Gives back every due hold and marks its order expired.
pub(crate) fn expire(sheet: &mut Worksheet, due: DueHolds) {
    for hold in due.into_values() {
        let movement = Movement {
            id: sheet.ids.next(sheet.now),
            sku: hold.sku.clone(),
            kind: MovementKind::Expire,
            quantity: hold.quantity,
            reservation: Some(hold.id),
            account: None,
            note: None,
        };
        // A hold that is not part of what is reserved is left for `verify` to report: giving
        // it back would break the invariant.
        if sheet.shelf.enter(movement).is_ok() {
            sheet.expired.insert(hold.order);
            sheet.given_back.push(hold);
        }
    }
}
