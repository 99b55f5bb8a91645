//! Publish a product: its SKUs are sold from now on, with nothing on hand yet.

use std::collections::BTreeMap;

use super::{Description, ProductName};
use crate::app::App;
use crate::audit::Action;
use crate::ids::{CategoryId, ProductId};
use crate::money::Money;
use crate::sku::Sku;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Most SKUs of one product.
pub(crate) const SKUS_MAX: usize = 100;

/// Why a product was not published.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PublishError {
    #[error("sku `{0}` is or was sold already")]
    SkuTaken(Sku),
    #[error("there is no category `{0}`")]
    UnknownCategory(CategoryId),
    #[error("could not publish")]
    Write(#[from] WriteError),
}

/// A product to be sold.
#[derive(Debug, Clone)]
pub(crate) struct NewProduct {
    pub(crate) id: ProductId,
    pub(crate) name: ProductName,
    pub(crate) description: Description,
    pub(crate) category: Option<CategoryId>,
    pub(crate) offers: Offers,
}

/// At most [`SKUS_MAX`] SKUs, each once, with their prices.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offers(BTreeMap<Sku, Money>);

/// Why SKUs cannot be offered together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotOffers {
    #[error("`skus` holds at most {SKUS_MAX} skus")]
    TooMany,
    #[error("`skus` names sku `{0}` twice")]
    Twice(Sku),
}

impl Offers {
    pub(crate) fn collect(offers: impl Iterator<Item = (Sku, Money)>) -> Result<Self, NotOffers> {
        let mut collected = BTreeMap::new();
        for (sku, price) in offers {
            if collected.len() >= SKUS_MAX {
                return Err(NotOffers::TooMany);
            }
            if collected.insert(sku.clone(), price).is_some() {
                return Err(NotOffers::Twice(sku));
            }
        }
        Ok(Self(collected))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Sku, Money)> {
        self.0.iter().map(|(sku, price)| (sku, *price))
    }
}

/// Publishes a product, unless one of its SKUs was ever sold.
pub(crate) async fn publish(app: &App, product: NewProduct) -> Result<(), PublishError> {
    app.writer.submit(product).await?
}

impl Write for NewProduct {
    type Answer = Result<(), PublishError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.skus.extend(self.offers.0.keys().cloned());
        wanted.categories.extend(self.category);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        if let Some(sku) = self.offers.0.keys().find(|sku| sheet.shelf.level(sku).is_some()) {
            return Err(PublishError::SkuTaken(sku.clone()));
        }
        if let Some(category) = self.category.filter(|id| !sheet.catalog.has_category(*id)) {
            return Err(PublishError::UnknownCategory(category));
        }
        for (sku, price) in self.offers.iter() {
            sheet.shelf.open(sku);
            sheet.prices.insert(sku.clone(), price);
        }
        sheet.catalog.publish(self.clone());
        sheet.audit(Action::ProductPublished, self.id);
        Ok(())
    }
}
