//! Products, SKUs, prices and categories.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;
use uuid::Uuid;

use super::sku;
use crate::catalog::{Listing, Offer, Product};
use crate::ids::{CategoryId, Id, ProductId};
use crate::inventory::StockLevel;
use crate::money::{Currency, Money};
use crate::store::StoreError;
use crate::version::Version;

/// Products on sale that are selected by this, with what is offered of them.
macro_rules! products_where {
    ($selected:literal) => {
        concat!(
            "SELECT p.id, p.version, p.name, p.description, p.category_id,
                    k.sku, k.price_minor, k.currency, s.on_hand, s.reserved
               FROM (SELECT id, version, name, description, category_id
                       FROM product
                      WHERE deleted_at IS NULL AND ",
            $selected,
            ") AS p
               LEFT JOIN sku AS k ON k.product_id = p.id
               LEFT JOIN stock AS s ON s.sku = k.sku
              ORDER BY p.id, k.sku"
        )
    };
}

pub(in crate::store) const PRODUCTS: &str = products_where!("id > $1 ORDER BY id LIMIT $2");
pub(in crate::store) const PRODUCTS_IN: &str =
    products_where!("id > $1 AND category_id = $3 ORDER BY id LIMIT $2");
pub(in crate::store) const PRODUCT: &str = products_where!("id = $1");

pub(in crate::store) const CATEGORIES: &str = "
    SELECT id, name
      FROM category
     WHERE id > $1
     ORDER BY id
     LIMIT $2";

/// One SKU together with its product; a product without SKUs has one row without.
#[derive(Debug, FromRow)]
pub(in crate::store) struct OfferRow {
    id: Uuid,
    version: i64,
    name: String,
    description: String,
    category_id: Option<Uuid>,
    sku: Option<String>,
    price_minor: Option<i64>,
    currency: Option<String>,
    on_hand: Option<i64>,
    reserved: Option<i64>,
}

/// Rows of one product follow one another.
pub(in crate::store) fn gather(rows: Vec<OfferRow>) -> Result<Vec<Product>, StoreError> {
    let mut products: Vec<Product> = Vec::new();
    for mut row in rows {
        let id = ProductId::from_uuid(row.id);
        let offer = offer(&mut row)?;
        match products.last_mut() {
            Some(last) if last.id == id => last.offers.extend(offer),
            _ => products.push(Product {
                id,
                version: Version(row.version),
                name: row.name,
                description: row.description,
                category: row.category_id.map(CategoryId::from_uuid),
                offers: offer.into_iter().collect(),
            }),
        }
    }
    Ok(products)
}

fn offer(row: &mut OfferRow) -> Result<Option<Offer>, StoreError> {
    let Some(text) = row.sku.take() else { return Ok(None) };
    let (Some(price_minor), Some(currency)) = (row.price_minor, row.currency.take()) else {
        return Err(StoreError::Unreadable("price"));
    };
    let (Some(on_hand), Some(reserved)) = (row.on_hand, row.reserved) else {
        return Err(StoreError::Unreadable("stock"));
    };
    Ok(Some(Offer {
        sku: sku(&text)?,
        price: money(price_minor, currency)?,
        stock: StockLevel { on_hand, reserved },
    }))
}

pub(in crate::store) fn money(minor: i64, currency: String) -> Result<Money, StoreError> {
    let currency = Currency::try_from(currency).map_err(|_| StoreError::Unreadable("currency"))?;
    Ok(Money { minor, currency })
}

/// One SKU of a product on sale; a product without SKUs has one row without.
#[derive(Debug, FromRow)]
pub(in crate::store) struct ListingRow {
    id: Uuid,
    version: i64,
    category_id: Option<Uuid>,
    sku: Option<String>,
}

pub(in crate::store) fn listings(
    rows: Vec<ListingRow>,
) -> Result<BTreeMap<ProductId, Listing>, StoreError> {
    let mut listings: BTreeMap<ProductId, Listing> = BTreeMap::new();
    for row in rows {
        let listing = listings.entry(ProductId::from_uuid(row.id)).or_insert_with(|| Listing {
            version: Version(row.version),
            category: row.category_id.map(CategoryId::from_uuid),
            skus: BTreeSet::new(),
        });
        listing.skus.extend(row.sku.map(|text| sku(&text)).transpose()?);
    }
    Ok(listings)
}
