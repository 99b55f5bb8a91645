//! Publish a product: its SKUs are sold from now on, with nothing on hand yet.

use crate::app::App;
use crate::ids::ProductId;
use crate::money::Money;
use crate::sku::Sku;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why a product was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("could not publish")]
    Write(#[from] WriteError),
}

/// A product to be sold.
#[derive(Debug, Clone)]
pub(crate) struct NewProduct {
    pub(crate) id: ProductId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) skus: Vec<NewSku>,
}

/// A SKU to be sold.
#[derive(Debug, Clone)]
pub(crate) struct NewSku {
    pub(crate) sku: Sku,
    pub(crate) price: Money,
}

/// Whether the product is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    Now,
    /// One of its SKUs was sold before; nothing was changed.
    Before,
}

/// Publishes a product unless one of its SKUs is already sold.
pub(crate) async fn publish(app: &App, product: NewProduct) -> Result<Published, PublishError> {
    Ok(app.writer.submit(product).await?)
}

impl Write for NewProduct {
    type Answer = Published;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.skus.extend(self.skus.iter().map(|new| new.sku.clone()));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Published {
        if self.skus.iter().any(|new| sheet.shelf.level(&new.sku).is_some()) {
            return Published::Before;
        }
        for new in &self.skus {
            sheet.shelf.open(&new.sku);
            sheet.prices.insert(new.sku.clone(), new.price);
        }
        sheet.new.products.push(self.clone());
        Published::Now
    }
}
