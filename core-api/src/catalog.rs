//! Products, the SKUs sold of them, and their prices.

mod publish;

pub(crate) use publish::{NewProduct, NewSku, PublishError, publish};

use crate::app::App;
use crate::ids::ProductId;
use crate::inventory::StockLevel;
use crate::money::Money;
use crate::sku::Sku;
use crate::store::{Slice, StoreError};

/// What is shown of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: ProductId,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) offers: Vec<Offer>,
}

/// One SKU of a product, with its price and its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) sku: Sku,
    pub(crate) price: Money,
    pub(crate) stock: StockLevel,
}

/// Products, oldest first.
pub(crate) async fn list(app: &App, slice: &Slice<ProductId>) -> Result<Vec<Product>, StoreError> {
    app.store.products(slice).await
}

/// One product.
pub(crate) async fn find(app: &App, id: ProductId) -> Result<Option<Product>, StoreError> {
    app.store.product(id).await
}
