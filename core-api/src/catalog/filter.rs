//! Which products are listed.

use crate::ids::CategoryId;
use crate::money::{Currency, PRICE_MINOR_MAX};

/// Longest text that names are searched for, in characters.
pub(crate) const SEARCH_CHARS_MAX: usize = 100;

/// What a product must be to be listed. Everything that is asked for must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) category: Option<CategoryId>,
    /// Folded text that its name holds.
    pub(crate) name: Option<String>,
    /// What one of its SKUs is.
    pub(crate) offer: Option<OfferFilter>,
}

/// What a SKU must be for its product to be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OfferFilter {
    /// Lowest and highest price, in minor units.
    pub(crate) price_min: i64,
    pub(crate) price_max: i64,
    pub(crate) currency: Option<Currency>,
    /// Whether some of it is there.
    pub(crate) available: bool,
}

impl Default for OfferFilter {
    fn default() -> Self {
        Self { price_min: 0, price_max: PRICE_MINOR_MAX, currency: None, available: false }
    }
}
