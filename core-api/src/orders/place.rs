//! Place an order: every line is held or none is, and a repeated key returns the first answer.

use std::collections::BTreeMap;

use crate::app::App;
use crate::idempotency::{Answered, Claim, ClaimError};
use crate::ids::AccountId;
use crate::inventory::{Cause, Hold, HoldStep, Lowering, Movement, Quantity, Short};
use crate::money::Money;
use crate::orders::{HOLD_LIFE, Order, OrderLine, OrderState};
use crate::sku::Sku;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Most lines in one order.
pub(crate) const LINES_MAX: usize = 50;

/// Most units in one line.
pub(crate) const LINE_UNITS_MAX: u32 = 1_000;

/// Why an order was not placed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("sku `{sku}` has {available} available, {wanted} wanted")]
    OutOfStock { sku: Sku, available: i64, wanted: i64 },
    #[error("sku `{0}` is not sold here")]
    UnknownSku(Sku),
    #[error("the lines are priced in different currencies")]
    MixedCurrencies,
    #[error("the total is too large")]
    TotalTooLarge,
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("could not place the order")]
    Write(#[from] WriteError),
}

/// Why lines are not an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAnOrder {
    #[error("`lines` holds 1 to {LINES_MAX} lines")]
    Lines,
    #[error("`lines` asks for 1 to {LINE_UNITS_MAX} units of each sku")]
    Units,
}

/// A wanted order: 1 to [`LINES_MAX`] SKUs, each once, 1 to [`LINE_UNITS_MAX`] units of each.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    account: AccountId,
    lines: BTreeMap<Sku, Quantity>,
    claim: Claim,
}

/// The lines of an order, merged by SKU.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct WantedLines(BTreeMap<Sku, Quantity>);

impl WantedLines {
    /// Merges lines by SKU.
    pub(crate) fn merge(lines: impl Iterator<Item = (Sku, u32)>) -> Result<Self, NotAnOrder> {
        let mut merged: BTreeMap<Sku, u32> = BTreeMap::new();
        for (at, (sku, units)) in lines.enumerate() {
            if at >= LINES_MAX {
                return Err(NotAnOrder::Lines);
            }
            if !(1..=LINE_UNITS_MAX).contains(&units) {
                return Err(NotAnOrder::Units);
            }
            let sum = merged.entry(sku).or_default();
            *sum = sum.saturating_add(units);
        }
        if merged.is_empty() {
            return Err(NotAnOrder::Lines);
        }
        merged.into_iter().map(bounded).collect::<Result<_, _>>().map(Self)
    }
}

fn bounded((sku, units): (Sku, u32)) -> Result<(Sku, Quantity), NotAnOrder> {
    if units > LINE_UNITS_MAX {
        return Err(NotAnOrder::Units);
    }
    Ok((sku, Quantity::try_from(units).map_err(|_| NotAnOrder::Units)?))
}

impl NewOrder {
    /// The order of these lines, for this account.
    pub(crate) fn new(account: AccountId, lines: WantedLines, claim: Claim) -> Self {
        Self { account, lines: lines.0, claim }
    }
}

/// An order that was placed, or was before.
pub(crate) type Placed = Lowering<Answered<Order>>;

/// Hands the order to the writer, which decides it together with its neighbours and answers
/// when their one transaction is on disk.
pub(crate) async fn place(app: &App, wanted: NewOrder) -> Result<Placed, PlaceError> {
    app.writer.submit(wanted).await?
}

impl Write for NewOrder {
    type Answer = Result<Placed, PlaceError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.claims.insert(self.claim.name.clone());
        wanted.skus.extend(self.lines.keys().cloned());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        Lowering::seen(sheet, |sheet| self.enter(sheet))
    }
}

impl NewOrder {
    fn enter(&self, sheet: &mut Worksheet) -> Result<Answered<Order>, PlaceError> {
        if let Some(order) = sheet.claims.find(&self.claim)? {
            return Ok(Answered::Replayed(order));
        }
        let lines = self.priced(sheet)?;
        let total = total(&lines)?;
        self.all_available(sheet)?;
        let order = self.order(sheet, lines, total);
        sheet.claims.keep(&self.claim, &order, sheet.now)?;
        hold(sheet, &order)?;
        sheet.orders.place(order.clone());
        Ok(Answered::First(order))
    }

    fn priced(&self, sheet: &Worksheet) -> Result<Vec<(OrderLine, Money)>, PlaceError> {
        let line = |(sku, quantity): (&Sku, &Quantity)| {
            let price = sheet.prices.get(sku).ok_or_else(|| PlaceError::UnknownSku(sku.clone()))?;
            let unit_price_minor = price.minor;
            Ok((OrderLine { sku: sku.clone(), quantity: *quantity, unit_price_minor }, *price))
        };
        self.lines.iter().map(line).collect()
    }

    /// Looks at every line before any is held.
    fn all_available(&self, sheet: &Worksheet) -> Result<(), PlaceError> {
        for (sku, quantity) in &self.lines {
            let level = sheet.shelf.level(sku).unwrap_or_default();
            if level.available() < quantity.units() {
                return Err(out_of_stock(sku, *quantity, level.available()));
            }
        }
        Ok(())
    }

    fn order(&self, sheet: &Worksheet, lines: Vec<(OrderLine, Money)>, total: Money) -> Order {
        Order {
            id: sheet.ids.next(sheet.now),
            account: self.account,
            state: OrderState::PendingPayment,
            lines: lines.into_iter().map(|(line, _)| line).collect(),
            total,
            created_at: sheet.now,
            expires_at: sheet.now.plus(HOLD_LIFE),
        }
    }
}

fn total(lines: &[(OrderLine, Money)]) -> Result<Money, PlaceError> {
    let mut sum: Option<Money> = None;
    for (line, price) in lines {
        if sum.is_some_and(|sum| sum.currency != price.currency) {
            return Err(PlaceError::MixedCurrencies);
        }
        let amount = price.times(line.quantity.units()).ok_or(PlaceError::TotalTooLarge)?;
        sum = Some(match sum {
            Some(sum) => sum.plus(amount).ok_or(PlaceError::TotalTooLarge)?,
            None => amount,
        });
    }
    sum.ok_or(PlaceError::TotalTooLarge)
}

fn hold(sheet: &mut Worksheet, order: &Order) -> Result<(), PlaceError> {
    for line in &order.lines {
        let id = sheet.ids.next(sheet.now);
        let movement = Movement {
            id: sheet.ids.next(sheet.now),
            sku: line.sku.clone(),
            cause: Cause::Hold { step: HoldStep::Reserve, hold: id, quantity: line.quantity },
            account: Some(order.account),
        };
        let short = |short: Short| out_of_stock(&line.sku, line.quantity, short.available);
        sheet.shelf.enter(movement).map_err(short)?;
        sheet.new.holds.push(Hold {
            id,
            order: order.id,
            sku: line.sku.clone(),
            quantity: line.quantity,
            expires_at: order.expires_at,
        });
    }
    Ok(())
}

fn out_of_stock(sku: &Sku, quantity: Quantity, available: i64) -> PlaceError {
    PlaceError::OutOfStock { sku: sku.clone(), available, wanted: quantity.units() }
}

#[cfg(test)]
mod tests;
