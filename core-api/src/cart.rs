//! Carts: what an account means to order, at the price it saw when it put it there.
//!
//! A cart holds nothing in stock. When it is ordered, a price that has changed since refuses
//! the order and says so; putting the line again agrees to the new price.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::ids::AccountId;
use crate::inventory::Quantity;
use crate::money::Money;
use crate::orders::LINES_MAX;
use crate::sku::Sku;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// A cart: its lines by SKU, at most [`LINES_MAX`].
pub(crate) type Cart = BTreeMap<Sku, CartLine>;

/// So many units of a SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CartLine {
    pub(crate) quantity: Quantity,
    /// What one unit cost when it was put there.
    pub(crate) price: Money,
}

/// A line as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct ShownLine {
    pub(crate) sku: Sku,
    pub(crate) line: CartLine,
    /// What one unit costs now; `None` once it is not sold any more.
    pub(crate) price_now: Option<Money>,
    pub(crate) available: i64,
}

/// Why a cart was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CartError {
    #[error("sku `{0}` is not sold here")]
    UnknownSku(Sku),
    #[error("a cart holds at most {LINES_MAX} lines")]
    Full,
    #[error("could not change the cart")]
    Write(#[from] WriteError),
}

/// An account's cart, by SKU.
pub(crate) async fn read(app: &App, account: AccountId) -> Result<Vec<ShownLine>, StoreError> {
    app.store.cart(account).await
}

/// Puts so many units into a cart, instead of as many as there were.
#[derive(Debug, Clone)]
pub(crate) struct PutLine {
    pub(crate) account: AccountId,
    pub(crate) sku: Sku,
    pub(crate) quantity: Quantity,
}

/// Takes a SKU out of a cart. What is not in it is out of it.
#[derive(Debug, Clone)]
pub(crate) struct RemoveLine {
    pub(crate) account: AccountId,
    pub(crate) sku: Sku,
}

pub(crate) async fn put(app: &App, line: PutLine) -> Result<CartLine, CartError> {
    app.writer.submit(line).await?
}

pub(crate) async fn remove(app: &App, line: RemoveLine) -> Result<(), WriteError> {
    app.writer.submit(line).await
}

impl Write for PutLine {
    type Answer = Result<CartLine, CartError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.carts.insert(self.account);
        wanted.skus.insert(self.sku.clone());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let price = sheet.prices.get(&self.sku).copied();
        let price = price.ok_or_else(|| CartError::UnknownSku(self.sku.clone()))?;
        let cart = sheet.carts.of(self.account);
        if cart.len() >= LINES_MAX && !cart.contains_key(&self.sku) {
            return Err(CartError::Full);
        }
        let line = CartLine { quantity: self.quantity, price };
        sheet.carts.put(self.account, self.sku.clone(), line);
        Ok(line)
    }
}

impl Write for RemoveLine {
    type Answer = ();

    fn wants(&self, wanted: &mut Wanted) {
        wanted.carts.insert(self.account);
    }

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.carts.remove(self.account, &self.sku);
    }
}

/// The carts of one batch.
#[derive(Debug, Default)]
pub(crate) struct CartBook {
    carts: BTreeMap<AccountId, Cart>,
    changed: BTreeSet<AccountId>,
    nothing: Cart,
}

impl CartBook {
    pub(crate) fn loaded(carts: BTreeMap<AccountId, Cart>) -> Self {
        Self { carts, ..Self::default() }
    }

    pub(crate) fn of(&self, account: AccountId) -> &Cart {
        self.carts.get(&account).unwrap_or(&self.nothing)
    }

    /// SKUs in any cart here.
    pub(crate) fn skus(&self) -> impl Iterator<Item = Sku> {
        self.carts.values().flat_map(|cart| cart.keys().cloned())
    }

    /// Carts that are as they are from now on.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (AccountId, &Cart)> {
        self.changed.iter().map(|account| (*account, self.of(*account)))
    }

    fn put(&mut self, account: AccountId, sku: Sku, line: CartLine) {
        self.carts.entry(account).or_default().insert(sku, line);
        self.changed.insert(account);
    }

    fn remove(&mut self, account: AccountId, sku: &Sku) {
        if self.carts.get_mut(&account).and_then(|cart| cart.remove(sku)).is_some() {
            self.changed.insert(account);
        }
    }

    pub(crate) fn clear(&mut self, account: AccountId) {
        self.carts.remove(&account);
        self.changed.insert(account);
    }
}
