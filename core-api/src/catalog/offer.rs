//! Offer another SKU of a product, and change what a SKU costs. Orders keep the price of the
//! moment they were placed.

use super::{Offer, SKUS_MAX};
use crate::app::App;
use crate::audit::Action;
use crate::ids::ProductId;
use crate::inventory::StockLevel;
use crate::money::{Money, PriceMinor};
use crate::sku::Sku;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why a SKU was not offered, or its price not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfferError {
    #[error("there is no such product, or no such sku of it")]
    NotFound,
    #[error("sku `{0}` is or was sold already")]
    SkuTaken(Sku),
    #[error("a product has at most {SKUS_MAX} skus")]
    TooMany,
    #[error("could not change what is offered")]
    Write(#[from] WriteError),
}

/// A SKU to be sold of a product.
#[derive(Debug, Clone)]
pub(crate) struct OfferSku {
    pub(crate) product: ProductId,
    pub(crate) sku: Sku,
    pub(crate) price: Money,
}

/// Another price of a SKU, in the currency it has.
#[derive(Debug, Clone)]
pub(crate) struct SetPrice {
    pub(crate) product: ProductId,
    pub(crate) sku: Sku,
    pub(crate) price: PriceMinor,
}

/// Sells a SKU of a product from now on.
pub(crate) async fn offer(app: &App, wanted: OfferSku) -> Result<Offer, OfferError> {
    app.writer.submit(wanted).await?
}

/// Changes what a SKU costs from now on.
pub(crate) async fn set_price(app: &App, wanted: SetPrice) -> Result<Offer, OfferError> {
    app.writer.submit(wanted).await?
}

impl Write for OfferSku {
    type Answer = Result<Offer, OfferError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.products.insert(self.product);
        wanted.skus.insert(self.sku.clone());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let listing = sheet.catalog.listing(self.product).ok_or(OfferError::NotFound)?;
        if sheet.shelf.level(&self.sku).is_some() {
            return Err(OfferError::SkuTaken(self.sku.clone()));
        }
        if listing.skus.len() >= SKUS_MAX {
            return Err(OfferError::TooMany);
        }
        sheet.shelf.open(&self.sku);
        sheet.prices.insert(self.sku.clone(), self.price);
        sheet.catalog.offer(self.product, self.sku.clone(), self.price);
        sheet.catalog.touch(self.product);
        sheet.audit(Action::SkuOffered, self.product);
        Ok(Offer { sku: self.sku.clone(), price: self.price, stock: StockLevel::default() })
    }
}

impl Write for SetPrice {
    type Answer = Result<Offer, OfferError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.products.insert(self.product);
        wanted.skus.insert(self.sku.clone());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let listing = sheet.catalog.listing(self.product).ok_or(OfferError::NotFound)?;
        let sold = listing.skus.contains(&self.sku);
        let before = sheet.prices.get(&self.sku).filter(|_| sold).ok_or(OfferError::NotFound)?;
        let price = self.price.of(before.currency);
        let stock = sheet.shelf.level(&self.sku).ok_or(OfferError::NotFound)?;
        sheet.prices.insert(self.sku.clone(), price);
        sheet.catalog.set_price(self.sku.clone(), price);
        sheet.catalog.touch(self.product);
        sheet.audit(Action::PriceChanged, self.product);
        Ok(Offer { sku: self.sku.clone(), price, stock })
    }
}
