//! Give holds back: stock whose payment never came is for sale again.

use super::{Cause, Hold, HoldStep, Holds, Movement, Short};
use crate::ids::AccountId;
use crate::worksheet::Worksheet;

/// Gives back every due hold and marks its order expired.
pub(crate) fn expire(sheet: &mut Worksheet, due: &Holds) {
    for hold in due.values() {
        // A hold that is not part of what is reserved is left for `verify` to report: giving
        // it back would break the invariant.
        if end(sheet, hold, HoldStep::Expire).is_ok() {
            sheet.orders.expire(hold.order);
        }
    }
}

/// Ends one hold.
pub(crate) fn end(sheet: &mut Worksheet, hold: &Hold, step: HoldStep) -> Result<(), Short> {
    enter(sheet, hold, step, None)?;
    sheet.ended.push((hold.id, step));
    Ok(())
}

/// Enters a movement of one hold.
pub(crate) fn enter(
    sheet: &mut Worksheet,
    hold: &Hold,
    step: HoldStep,
    account: Option<AccountId>,
) -> Result<(), Short> {
    let movement = Movement {
        id: sheet.ids.next(sheet.now),
        sku: hold.sku.clone(),
        cause: Cause::Hold { step, hold: hold.id, quantity: hold.quantity },
        account,
    };
    sheet.shelf.enter(movement)?;
    Ok(())
}
