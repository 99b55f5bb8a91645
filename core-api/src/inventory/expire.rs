//! Give holds back: stock whose payment never came is for sale again.

use super::{Cause, Hold, HoldStep, Holds, Movement, Short};
use crate::worksheet::Worksheet;

/// Gives back every due hold and marks its order expired.
pub(crate) fn expire(sheet: &mut Worksheet, due: &Holds) {
    for hold in due.values() {
        // A hold that is not part of what is reserved is left for `verify` to report: giving
        // it back would break the invariant.
        if give_back(sheet, hold, HoldStep::Expire).is_ok() {
            sheet.orders.expire(hold.order);
        }
    }
}

/// Gives back one hold.
pub(crate) fn give_back(sheet: &mut Worksheet, hold: &Hold, step: HoldStep) -> Result<(), Short> {
    let movement = Movement {
        id: sheet.ids.next(sheet.now),
        sku: hold.sku.clone(),
        cause: Cause::Hold { step, hold: hold.id, quantity: hold.quantity },
        account: None,
    };
    sheet.shelf.enter(movement)?;
    sheet.given_back.push((hold.id, step));
    Ok(())
}
