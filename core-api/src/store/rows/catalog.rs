//! Products, SKUs, prices and categories.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::FromRow;
use uuid::Uuid;

use super::images::{ImageRow, image};
use super::sku;
use crate::catalog::{Listing, Offer, Product};
use crate::ids::{CategoryId, Id, ProductId};
use crate::images::Image;
use crate::inventory::StockLevel;
use crate::money::{Currency, Money};
use crate::store::StoreError;
use crate::version::Version;

/// Products on sale that are selected by this, with what is offered of them and their images.
macro_rules! products_where {
    ($selected:literal) => {
        concat!(
            "WITH p AS (
                 SELECT id, version, name, description, category_id
                   FROM product
                  WHERE deleted_at IS NULL AND ",
            $selected,
            ")
             SELECT p.id AS id, p.version, p.name, p.description, p.category_id,
                    k.sku AS sku, k.price_minor, k.currency, s.on_hand, s.reserved,
                    NULL AS image_id, NULL AS key, NULL AS media_type, NULL AS width,
                    NULL AS height, NULL AS thumbnail_width, NULL AS thumbnail_height,
                    NULL AS alt
               FROM p
               LEFT JOIN sku AS k ON k.product_id = p.id
               LEFT JOIN stock AS s ON s.sku = k.sku
              UNION ALL
             SELECT p.id, p.version, p.name, p.description, p.category_id,
                    NULL, NULL, NULL, NULL, NULL,
                    i.id, i.key, i.media_type, i.width,
                    i.height, i.thumbnail_width, i.thumbnail_height,
                    i.alt
               FROM p
               JOIN product_image AS i ON i.product_id = p.id
              ORDER BY id, image_id, sku"
        )
    };
}

pub(in crate::store) const PRODUCTS: &str = products_where!("id > $1 ORDER BY id LIMIT $2");
pub(in crate::store) const PRODUCTS_IN: &str =
    products_where!("id > $1 AND category_id = $3 ORDER BY id LIMIT $2");
/// $5 says whether what is offered matters: one SKU that fits makes a product fit.
pub(in crate::store) const PRODUCTS_LIKE: &str = products_where!(
    "id > $1
                    AND (category_id = $3 OR $3 IS NULL)
                    AND (name_folded LIKE $4 ESCAPE '!' OR $4 IS NULL)
                    AND ($5 = 0 OR EXISTS (
                        SELECT 1
                          FROM sku AS f
                          JOIN stock AS g ON g.sku = f.sku
                         WHERE f.product_id = product.id
                           AND f.price_minor BETWEEN $6 AND $7
                           AND (f.currency = $8 OR $8 IS NULL)
                           AND g.on_hand - g.reserved >= $9))
                  ORDER BY id
                  LIMIT $2"
);
pub(in crate::store) const PRODUCT: &str = products_where!("id = $1");

pub(in crate::store) const CATEGORIES: &str = "
    SELECT id, name
      FROM category
     WHERE id > $1
     ORDER BY id
     LIMIT $2";

/// A pattern for what holds these words, which are folded.
pub(in crate::store) fn like(words: &str) -> String {
    let mut pattern = String::from("%");
    for letter in words.chars() {
        if matches!(letter, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(letter);
    }
    pattern.push('%');
    pattern
}

/// One SKU or one image together with its product; a product without SKUs has one row without.
#[derive(Debug, FromRow)]
pub(in crate::store) struct ProductRow {
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
    image_id: Option<Uuid>,
    key: Option<Vec<u8>>,
    media_type: Option<String>,
    width: Option<i64>,
    height: Option<i64>,
    thumbnail_width: Option<i64>,
    thumbnail_height: Option<i64>,
    alt: Option<String>,
}

/// Rows of one product follow one another.
pub(in crate::store) fn gather(rows: Vec<ProductRow>) -> Result<Vec<Product>, StoreError> {
    let mut products: Vec<Product> = Vec::new();
    for mut row in rows {
        let id = ProductId::from_uuid(row.id);
        let (offer, image) = (offer(&mut row)?, shown(&mut row)?);
        match products.last_mut() {
            Some(last) if last.id == id => {
                last.offers.extend(offer);
                last.images.extend(image);
            }
            _ => products.push(Product {
                id,
                version: Version(row.version),
                name: row.name,
                description: row.description,
                category: row.category_id.map(CategoryId::from_uuid),
                offers: offer.into_iter().collect(),
                images: image.into_iter().collect(),
            }),
        }
    }
    Ok(products)
}

fn offer(row: &mut ProductRow) -> Result<Option<Offer>, StoreError> {
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

fn shown(row: &mut ProductRow) -> Result<Option<Image>, StoreError> {
    let Some(id) = row.image_id else { return Ok(None) };
    let mut whole = || {
        Some(ImageRow {
            id,
            key: row.key.take()?,
            media_type: row.media_type.take()?,
            width: row.width?,
            height: row.height?,
            thumbnail_width: row.thumbnail_width?,
            thumbnail_height: row.thumbnail_height?,
            alt: row.alt.take()?,
        })
    };
    whole().map(image).transpose()?.ok_or(StoreError::Unreadable("image")).map(Some)
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
