//! Edit a product, or withdraw it: only the version that was looked at.

use super::{Description, ProductName};
use crate::app::App;
use crate::audit::Action;
use crate::ids::{CategoryId, ProductId};
use crate::version::{Expected, Version};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why a product was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EditError {
    #[error("there is no such product")]
    NotFound,
    #[error("the product is at version {0:?}")]
    Stale(Version),
    #[error("there is no category `{0}`")]
    UnknownCategory(CategoryId),
    #[error("could not change the product")]
    Write(#[from] WriteError),
}

/// A change of a product; what is `None` stays.
#[derive(Debug, Clone)]
pub(crate) struct EditProduct {
    pub(crate) id: ProductId,
    pub(crate) expected: Expected,
    pub(crate) name: Option<ProductName>,
    pub(crate) description: Option<Description>,
    /// `Some(None)` takes it out of its category.
    pub(crate) category: Option<Option<CategoryId>>,
}

/// A product to be taken off sale for good.
#[derive(Debug, Clone)]
pub(crate) struct WithdrawProduct {
    pub(crate) id: ProductId,
    pub(crate) expected: Expected,
}

/// Changes a product.
pub(crate) async fn edit(app: &App, change: EditProduct) -> Result<(), EditError> {
    app.writer.submit(change).await?
}

/// Takes a product off sale.
pub(crate) async fn withdraw(app: &App, product: WithdrawProduct) -> Result<(), EditError> {
    app.writer.submit(product).await?
}

impl Write for EditProduct {
    type Answer = Result<(), EditError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.products.insert(self.id);
        wanted.categories.extend(self.category.flatten());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        look_at(sheet, self.id, &self.expected)?;
        let catalog = &mut sheet.catalog;
        if let Some(category) = self.category.flatten().filter(|id| !catalog.has_category(*id)) {
            return Err(EditError::UnknownCategory(category));
        }
        if let Some(name) = &self.name {
            catalog.rename(self.id, name.clone());
        }
        if let Some(description) = &self.description {
            catalog.describe(self.id, description.clone());
        }
        if let Some(category) = self.category {
            catalog.move_to(self.id, category);
        }
        catalog.touch(self.id);
        sheet.audit(Action::ProductEdited, self.id);
        Ok(())
    }
}

impl Write for WithdrawProduct {
    type Answer = Result<(), EditError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.products.insert(self.id);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        look_at(sheet, self.id, &self.expected)?;
        for sku in sheet.catalog.withdraw(self.id) {
            // From here on, neighbours in the batch find it unknown too.
            sheet.prices.remove(&sku);
        }
        sheet.audit(Action::ProductWithdrawn, self.id);
        Ok(())
    }
}

fn look_at(sheet: &Worksheet, id: ProductId, expected: &Expected) -> Result<(), EditError> {
    let version = sheet.catalog.listing(id).ok_or(EditError::NotFound)?.version;
    if expected.fits(version) { Ok(()) } else { Err(EditError::Stale(version)) }
}
