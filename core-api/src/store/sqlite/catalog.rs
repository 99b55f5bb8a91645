//! Products, SKUs and prices in SQLite.

use sqlx::{FromRow, SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::catalog::{NewProduct, Offer, Product};
use crate::ids::{Id, ProductId};
use crate::inventory::StockLevel;
use crate::money::{Currency, Money};
use crate::store::{Slice, StoreError};
use crate::worksheet::Worksheet;

const PRODUCTS: &str = "
    SELECT p.id, p.name, p.description,
           k.sku, k.price_minor, k.currency, s.on_hand, s.reserved
      FROM (SELECT id, name, description
              FROM product
             WHERE id > $1
             ORDER BY id
             LIMIT $2) AS p
      JOIN sku AS k ON k.product_id = p.id
      JOIN stock AS s ON s.sku = k.sku
     ORDER BY p.id, k.sku";

const PRODUCT: &str = "
    SELECT p.id, p.name, p.description,
           k.sku, k.price_minor, k.currency, s.on_hand, s.reserved
      FROM product AS p
      JOIN sku AS k ON k.product_id = p.id
      JOIN stock AS s ON s.sku = k.sku
     WHERE p.id = $1
     ORDER BY k.sku";

const INSERT_PRODUCT: &str = "
    INSERT INTO product (id, name, description, created_at)
    VALUES ($1, $2, $3, $4)";

const INSERT_SKU: &str = "
    INSERT INTO sku (sku, product_id, price_minor, currency)
    VALUES ($1, $2, $3, $4)";

/// One SKU together with its product.
#[derive(Debug, FromRow)]
struct OfferRow {
    id: Uuid,
    name: String,
    description: String,
    sku: String,
    price_minor: i64,
    currency: String,
    on_hand: i64,
    reserved: i64,
}

pub(super) async fn products(
    readers: &SqlitePool,
    slice: &Slice<ProductId>,
) -> Result<Vec<Product>, StoreError> {
    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
    let found = sqlx::query_as(PRODUCTS).bind(after).bind(slice.limit).fetch_all(readers).await?;
    gather(found)
}

pub(super) async fn product(
    readers: &SqlitePool,
    id: ProductId,
) -> Result<Option<Product>, StoreError> {
    let found = sqlx::query_as(PRODUCT).bind(id.uuid()).fetch_all(readers).await?;
    Ok(gather(found)?.pop())
}

/// Rows of one product follow one another.
fn gather(rows: Vec<OfferRow>) -> Result<Vec<Product>, StoreError> {
    let mut products: Vec<Product> = Vec::new();
    for row in rows {
        let id = ProductId::from_uuid(row.id);
        let offer = Offer {
            sku: super::sku(&row.sku)?,
            price: money(row.price_minor, row.currency)?,
            stock: StockLevel { on_hand: row.on_hand, reserved: row.reserved },
        };
        match products.last_mut() {
            Some(last) if last.id == id => last.offers.push(offer),
            _ => products.push(Product {
                id,
                name: row.name,
                description: row.description,
                offers: vec![offer],
            }),
        }
    }
    Ok(products)
}

pub(super) fn money(minor: i64, currency: String) -> Result<Money, StoreError> {
    let currency = Currency::try_from(currency).map_err(|_| StoreError::Unreadable("currency"))?;
    Ok(Money { minor, currency })
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    for product in &sheet.new.products {
        sqlx::query(INSERT_PRODUCT)
            .bind(product.id.uuid())
            .bind(&product.name)
            .bind(&product.description)
            .bind(sheet.now.micros())
            .execute(&mut *connection)
            .await?;
        save_skus(connection, product).await?;
    }
    Ok(())
}

async fn save_skus(
    connection: &mut SqliteConnection,
    product: &NewProduct,
) -> Result<(), StoreError> {
    for new in &product.skus {
        sqlx::query(INSERT_SKU)
            .bind(new.sku.as_str())
            .bind(product.id.uuid())
            .bind(new.price.minor)
            .bind(new.price.currency.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
