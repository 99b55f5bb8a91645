//! Products, the SKUs sold of them, their prices, and the categories they are found in.
//!
//! | operation | file |
//! |---|---|
//! | publish a product | `catalog/publish.rs` |
//! | edit or withdraw one | `catalog/edit.rs` |
//! | offer another SKU, change a price | `catalog/offer.rs` |
//! | open and close a category | `catalog/category.rs` |
//!
//! Every change of a product raises its version, and an edit says which version it was made
//! on. A product that is withdrawn is no longer found and none of its SKUs is sold; orders and
//! the ledger keep speaking of them, and a SKU is never given to another product.

mod assortment;
mod category;
mod edit;
mod filter;
mod name;
mod offer;
mod publish;

pub(crate) use assortment::{Assortment, Changes, Listing};
pub(crate) use category::{
    Category, CloseCategory, CloseError, NewCategory, OpenError, categories, close, open,
};
pub(crate) use edit::{EditError, EditProduct, WithdrawProduct, edit, withdraw};
pub(crate) use filter::{Filter, OfferFilter, SEARCH_CHARS_MAX};
pub(crate) use name::{
    CATEGORY_NAME_CHARS_MAX, CategoryName, DESCRIPTION_CHARS_MAX, Description, PRODUCT_NAME_CHARS,
    ProductName, TextError,
};
pub(crate) use offer::{OfferError, OfferSku, SetPrice, offer, set_price};
pub(crate) use publish::{NewProduct, NotOffers, Offers, PublishError, SKUS_MAX, publish};

use crate::app::App;
use crate::ids::{CategoryId, ProductId};
use crate::images::Image;
use crate::inventory::StockLevel;
use crate::money::Money;
use crate::sku::Sku;
use crate::store::{Slice, StoreError};
use crate::version::Version;

/// What is shown of a product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) id: ProductId,
    pub(crate) version: Version,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) category: Option<CategoryId>,
    pub(crate) offers: Vec<Offer>,
    pub(crate) images: Vec<Image>,
}

/// One SKU of a product, with its price and its stock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) sku: Sku,
    pub(crate) price: Money,
    pub(crate) stock: StockLevel,
}

/// Products that the filter lets through, oldest first.
pub(crate) async fn list(
    app: &App,
    filter: &Filter,
    slice: &Slice<ProductId>,
) -> Result<Vec<Product>, StoreError> {
    app.store.products(filter, slice).await
}

/// One product.
pub(crate) async fn find(app: &App, id: ProductId) -> Result<Option<Product>, StoreError> {
    app.store.product(id).await
}
