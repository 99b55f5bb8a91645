//! The worksheet: the rows one batch of writes needs, and what the batch decides about them.
//!
//! A writer fills it from the database, the operations of the batch decide on it one after
//! another in memory, and the store writes down what changed. Deciding does no I/O.

use std::collections::{BTreeMap, BTreeSet};

use crate::accounts::{Names, NewAccount, NewSession};
use crate::catalog::NewProduct;
use crate::clock::Timestamp;
use crate::idempotency::{ClaimName, Claims};
use crate::ids::{IdSource, OrderId};
use crate::inventory::{DueHolds, Hold, Shelf};
use crate::money::Money;
use crate::orders::Order;
use crate::sku::Sku;

/// The rows a batch asks for.
///
/// INVARIANT: the sets are sorted, so that writers lock rows in one global order and never
/// wait for each other in a circle.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) claims: BTreeSet<ClaimName>,
    pub(crate) skus: BTreeSet<Sku>,
    /// Folded user names.
    pub(crate) usernames: BTreeSet<String>,
    /// Folded e-mail addresses.
    pub(crate) emails: BTreeSet<String>,
    /// Also whatever has run out, of any SKU.
    pub(crate) sweep: bool,
}

/// The rows as they were when the batch began.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) claims: Claims,
    pub(crate) shelf: Shelf,
    pub(crate) prices: BTreeMap<Sku, Money>,
    /// Holds of the wanted SKUs' orders that have run out.
    pub(crate) due: DueHolds,
    pub(crate) names: Names,
}

/// The rows of one batch and the changes decided so far.
#[derive(Debug)]
pub(crate) struct Worksheet {
    pub(crate) now: Timestamp,
    pub(crate) ids: IdSource,
    pub(crate) claims: Claims,
    pub(crate) shelf: Shelf,
    pub(crate) prices: BTreeMap<Sku, Money>,
    pub(crate) names: Names,
    pub(crate) new: Additions,
    /// Orders whose holds ran out.
    pub(crate) expired: BTreeSet<OrderId>,
    /// Due holds that were given back.
    pub(crate) given_back: Vec<Hold>,
    /// Whether expired keys and sessions are removed.
    pub(crate) sweep: bool,
}

/// Rows the batch adds, beside ledger entries and idempotency keys.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    pub(crate) accounts: Vec<NewAccount>,
    pub(crate) sessions: Vec<NewSession>,
    pub(crate) products: Vec<NewProduct>,
    pub(crate) orders: Vec<Order>,
    pub(crate) holds: Vec<Hold>,
}

impl Worksheet {
    /// Begins with holds that have run out given back, so that what is due is for sale.
    pub(crate) fn begin(loaded: Loaded, now: Timestamp, ids: IdSource) -> Self {
        let mut sheet = Self {
            now,
            ids,
            claims: loaded.claims,
            shelf: loaded.shelf,
            prices: loaded.prices,
            names: loaded.names,
            new: Additions::default(),
            expired: BTreeSet::new(),
            given_back: Vec::new(),
            sweep: false,
        };
        crate::inventory::expire(&mut sheet, loaded.due);
        sheet
    }
}
