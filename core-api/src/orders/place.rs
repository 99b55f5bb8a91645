//! Place an order: every line is held or none is, and a repeated key returns the first answer.

use std::collections::BTreeMap;

use crate::app::App;
use crate::audit::Action;
use crate::cart::Cart;
use crate::idempotency::{Answered, Claim, ClaimError, Fingerprint};
use crate::ids::AccountId;
use crate::inventory::{self, Hold, HoldStep, Lowering, Quantity, Short};
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
    #[error("the cart is empty")]
    CartEmpty,
    #[error("{}", told(.0))]
    PriceChanged(Vec<PriceChange>),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("could not place the order")]
    Write(#[from] WriteError),
}

/// What a SKU costs, beside what whoever orders it believes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PriceChange {
    pub(crate) sku: Sku,
    pub(crate) expected_unit_price_minor: i64,
    pub(crate) unit_price_minor: i64,
}

fn told(changes: &[PriceChange]) -> String {
    let told = |one: &PriceChange| {
        let PriceChange { sku, expected_unit_price_minor, unit_price_minor } = one;
        format!("sku `{sku}` costs {unit_price_minor}, not {expected_unit_price_minor}")
    };
    changes.iter().map(told).collect::<Vec<_>>().join("; ")
}

/// Why lines are not an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotAnOrder {
    #[error("`lines` holds 1 to {LINES_MAX} lines")]
    Lines,
    #[error("`lines` asks for 1 to {LINE_UNITS_MAX} units of each sku")]
    Units,
    #[error("`lines` expects two prices of one sku")]
    Prices,
}

/// A wanted order: 1 to [`LINES_MAX`] SKUs, each once, 1 to [`LINE_UNITS_MAX`] units of each.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    account: AccountId,
    what: What,
    claim: Claim,
}

/// What is ordered.
#[derive(Debug, Clone)]
enum What {
    Lines(WantedLines),
    /// Whatever is in the account's cart, at the prices it had when it was put there.
    Cart,
}

/// The lines of an order, merged by SKU.
#[derive(Debug, Clone, Default)]
pub(crate) struct WantedLines {
    units: BTreeMap<Sku, Quantity>,
    /// What whoever orders believes that one unit costs.
    expected: BTreeMap<Sku, i64>,
}

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
        let units = merged.into_iter().map(bounded).collect::<Result<_, _>>()?;
        Ok(Self { units, expected: BTreeMap::new() })
    }

    /// The same lines, if they still cost what is believed.
    pub(crate) fn expecting(
        mut self,
        prices: impl Iterator<Item = (Sku, i64)>,
    ) -> Result<Self, NotAnOrder> {
        for (sku, minor) in prices {
            if self.expected.insert(sku, minor).is_some_and(|before| before != minor) {
                return Err(NotAnOrder::Prices);
            }
        }
        Ok(self)
    }

    /// Of what is asked for.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        if self.expected.is_empty() {
            Fingerprint::of(&self.units)
        } else {
            Fingerprint::of(&(&self.units, &self.expected))
        }
    }

    fn of_cart(cart: &Cart) -> Result<Self, PlaceError> {
        if cart.is_empty() {
            return Err(PlaceError::CartEmpty);
        }
        let units = cart.iter().map(|(sku, line)| (sku.clone(), line.quantity)).collect();
        let expected = cart.iter().map(|(sku, line)| (sku.clone(), line.price.minor)).collect();
        Ok(Self { units, expected })
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
        Self { account, what: What::Lines(lines), claim }
    }

    /// The order of what is in this account's cart, which is empty after it.
    pub(crate) fn of_cart(account: AccountId, claim: Claim) -> Self {
        Self { account, what: What::Cart, claim }
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
        match &self.what {
            What::Lines(lines) => wanted.skus.extend(lines.units.keys().cloned()),
            What::Cart => {
                wanted.carts.insert(self.account);
            }
        }
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
        let order = match &self.what {
            What::Lines(lines) => self.placed(sheet, lines)?,
            What::Cart => {
                let lines = WantedLines::of_cart(sheet.carts.of(self.account))?;
                let order = self.placed(sheet, &lines)?;
                sheet.carts.clear(self.account);
                order
            }
        };
        Ok(Answered::First(order))
    }

    fn placed(&self, sheet: &mut Worksheet, lines: &WantedLines) -> Result<Order, PlaceError> {
        let priced = lines.priced(sheet)?;
        let total = total(&priced)?;
        lines.all_available(sheet)?;
        let order = self.order(sheet, priced, total);
        sheet.claims.keep(&self.claim, &order, sheet.now)?;
        hold_all(sheet, &order)?;
        sheet.orders.place(order.clone());
        sheet.audit(Action::OrderPlaced, order.id);
        Ok(order)
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

impl WantedLines {
    fn priced(&self, sheet: &Worksheet) -> Result<Vec<(OrderLine, Money)>, PlaceError> {
        let line = |(sku, quantity): (&Sku, &Quantity)| {
            let price = sheet.prices.get(sku).ok_or_else(|| PlaceError::UnknownSku(sku.clone()))?;
            let unit_price_minor = price.minor;
            Ok((OrderLine { sku: sku.clone(), quantity: *quantity, unit_price_minor }, *price))
        };
        let priced = self.units.iter().map(line).collect::<Result<Vec<_>, PlaceError>>()?;
        let changes: Vec<_> = priced.iter().filter_map(|(line, _)| self.change(line)).collect();
        if changes.is_empty() { Ok(priced) } else { Err(PlaceError::PriceChanged(changes)) }
    }

    fn change(&self, line: &OrderLine) -> Option<PriceChange> {
        let expected = *self.expected.get(&line.sku)?;
        let (sku, unit_price_minor) = (line.sku.clone(), line.unit_price_minor);
        let change = PriceChange { sku, expected_unit_price_minor: expected, unit_price_minor };
        (expected != unit_price_minor).then_some(change)
    }

    /// Looks at every line before any is held.
    fn all_available(&self, sheet: &Worksheet) -> Result<(), PlaceError> {
        for (sku, quantity) in &self.units {
            let level = sheet.shelf.level(sku).unwrap_or_default();
            if level.available() < quantity.units() {
                return Err(out_of_stock(sku, *quantity, level.available()));
            }
        }
        Ok(())
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

fn hold_all(sheet: &mut Worksheet, order: &Order) -> Result<(), PlaceError> {
    for line in &order.lines {
        let short = |short: Short| out_of_stock(&line.sku, line.quantity, short.available);
        hold(sheet, order, line).map_err(short)?;
    }
    Ok(())
}

/// Holds the stock of one line.
pub(crate) fn hold(sheet: &mut Worksheet, order: &Order, line: &OrderLine) -> Result<Hold, Short> {
    let hold = Hold {
        id: sheet.ids.next(sheet.now),
        order: order.id,
        sku: line.sku.clone(),
        quantity: line.quantity,
        expires_at: order.expires_at,
    };
    inventory::enter(sheet, &hold, HoldStep::Reserve, Some(order.account))?;
    sheet.new.holds.push(hold.clone());
    Ok(hold)
}

fn out_of_stock(sku: &Sku, quantity: Quantity, available: i64) -> PlaceError {
    PlaceError::OutOfStock { sku: sku.clone(), available, wanted: quantity.units() }
}

#[cfg(test)]
mod tests;
