//! The assortment: the catalog's rows of one batch, and what the batch changes about them.

use std::collections::{BTreeMap, BTreeSet};

use super::{CategoryName, Description, NewCategory, NewProduct, ProductName};
use crate::ids::{CategoryId, ProductId};
use crate::money::Money;
use crate::sku::Sku;
use crate::version::Version;

/// A product that is on sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) version: Version,
    pub(crate) category: Option<CategoryId>,
    pub(crate) skus: BTreeSet<Sku>,
}

/// Catalog rows in memory.
#[derive(Debug, Default)]
pub(crate) struct Assortment {
    listings: BTreeMap<ProductId, Listing>,
    /// How many products on sale each category holds.
    categories: BTreeMap<CategoryId, u64>,
    /// Folded names of categories that are taken.
    category_names: BTreeSet<String>,
    changes: Changes,
}

/// What a batch changes about the catalog.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) categories: Vec<NewCategory>,
    pub(crate) products: Vec<NewProduct>,
    pub(crate) skus: Vec<(ProductId, Sku, Money)>,
    pub(crate) prices: BTreeMap<Sku, Money>,
    /// Products with a new version.
    pub(crate) touched: BTreeMap<ProductId, Version>,
    pub(crate) names: BTreeMap<ProductId, ProductName>,
    pub(crate) descriptions: BTreeMap<ProductId, Description>,
    pub(crate) moved: BTreeMap<ProductId, Option<CategoryId>>,
    pub(crate) withdrawn: BTreeSet<ProductId>,
    pub(crate) closed: BTreeSet<CategoryId>,
}

impl Assortment {
    pub(crate) fn loaded(
        listings: BTreeMap<ProductId, Listing>,
        categories: BTreeMap<CategoryId, u64>,
        category_names: BTreeSet<String>,
    ) -> Self {
        Self { listings, categories, category_names, changes: Changes::default() }
    }

    /// The product, while it is on sale.
    pub(crate) fn listing(&self, id: ProductId) -> Option<&Listing> {
        self.listings.get(&id)
    }

    pub(crate) fn has_category(&self, id: CategoryId) -> bool {
        self.categories.contains_key(&id)
    }

    /// How many products a category holds; `None` when there is no such category.
    pub(crate) fn products_in(&self, id: CategoryId) -> Option<u64> {
        self.categories.get(&id).copied()
    }

    pub(crate) fn is_category_name_taken(&self, name: &CategoryName) -> bool {
        self.category_names.contains(&name.folded())
    }

    /// A product that is on sale from now on.
    pub(crate) fn publish(&mut self, product: NewProduct) {
        self.count(product.category, 1);
        self.changes.products.push(product);
    }

    /// Gives a product another version.
    pub(crate) fn touch(&mut self, id: ProductId) {
        if let Some(listing) = self.listings.get_mut(&id) {
            listing.version = listing.version.next();
            self.changes.touched.insert(id, listing.version);
        }
    }

    pub(crate) fn rename(&mut self, id: ProductId, name: ProductName) {
        self.changes.names.insert(id, name);
    }

    pub(crate) fn describe(&mut self, id: ProductId, description: Description) {
        self.changes.descriptions.insert(id, description);
    }

    pub(crate) fn move_to(&mut self, id: ProductId, category: Option<CategoryId>) {
        let Some(listing) = self.listings.get_mut(&id) else { return };
        let before = std::mem::replace(&mut listing.category, category);
        self.count(before, -1);
        self.count(category, 1);
        self.changes.moved.insert(id, category);
    }

    /// A SKU that is sold of a product from now on.
    pub(crate) fn offer(&mut self, id: ProductId, sku: Sku, price: Money) {
        if let Some(listing) = self.listings.get_mut(&id) {
            listing.skus.insert(sku.clone());
            self.changes.skus.push((id, sku, price));
        }
    }

    pub(crate) fn set_price(&mut self, sku: Sku, price: Money) {
        self.changes.prices.insert(sku, price);
    }

    /// Takes a product off sale; what was sold of it is sold no more.
    pub(crate) fn withdraw(&mut self, id: ProductId) -> BTreeSet<Sku> {
        let Some(listing) = self.listings.remove(&id) else { return BTreeSet::new() };
        self.count(listing.category, -1);
        self.changes.touched.insert(id, listing.version.next());
        self.changes.withdrawn.insert(id);
        listing.skus
    }

    /// A category that products can be put into from now on.
    pub(crate) fn open(&mut self, category: NewCategory) {
        self.category_names.insert(category.name.folded());
        self.categories.insert(category.id, 0);
        self.changes.categories.push(category);
    }

    pub(crate) fn close(&mut self, id: CategoryId) {
        self.categories.remove(&id);
        self.changes.closed.insert(id);
    }

    pub(crate) fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Keeps count of categories the batch asked for; the database counts the others.
    fn count(&mut self, category: Option<CategoryId>, by: i64) {
        if let Some(count) = category.and_then(|id| self.categories.get_mut(&id)) {
            *count = count.saturating_add_signed(by);
        }
    }
}
