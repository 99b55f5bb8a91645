//! Products, SKUs, prices and categories in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{hex, rows};
use crate::catalog::{Assortment, Changes, Listing, NewCategory, NewProduct};
use crate::ids::{CategoryId, Id, ProductId};
use crate::money::Money;
use crate::sku::Sku;
use crate::store::StoreError;
use crate::store::rows::catalog::{ListingRow, listings};
use crate::worksheet::{Wanted, Worksheet};

const LISTINGS: &str = "
    SELECT p.id, p.version, p.category_id, k.sku
      FROM json_each($1) AS w
     CROSS JOIN product AS p
      LEFT JOIN sku AS k ON k.product_id = p.id
     WHERE p.id = unhex(w.value)
       AND p.deleted_at IS NULL
     ORDER BY p.id, k.sku";

const CATEGORY_SIZES: &str = "
    SELECT c.id,
           (SELECT count(*) FROM product WHERE category_id = c.id AND deleted_at IS NULL)
      FROM json_each($1) AS w
     CROSS JOIN category AS c
     WHERE c.id = unhex(w.value)";

const TAKEN_CATEGORY_NAMES: &str = "
    SELECT name_folded
      FROM category
     WHERE name_folded IN (SELECT value FROM json_each($1))";

const INSERT_CATEGORIES: &str = "
    INSERT INTO category (id, name, name_folded, created_at)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, $2
      FROM json_each($1)";

const INSERT_PRODUCTS: &str = "
    INSERT INTO product (id, name, description, category_id, name_folded, created_at)
    SELECT unhex(value ->> 0), value ->> 1, value ->> 2, unhex(value ->> 3), value ->> 4, $2
      FROM json_each($1)";

const INSERT_SKUS: &str = "
    INSERT INTO sku (sku, product_id, price_minor, currency)
    SELECT value ->> 0, unhex(value ->> 1), value ->> 2, value ->> 3
      FROM json_each($1)";

const SET_VERSION: &str = "UPDATE product SET version = $2 WHERE id = $1";
const SET_NAME: &str = "UPDATE product SET name = $2, name_folded = $3 WHERE id = $1";
const SET_DESCRIPTION: &str = "UPDATE product SET description = $2 WHERE id = $1";
const SET_CATEGORY: &str = "UPDATE product SET category_id = $2 WHERE id = $1";
const SET_PRICE: &str = "UPDATE sku SET price_minor = $2 WHERE sku = $1";
const WITHDRAW: &str = "UPDATE product SET deleted_at = $2 WHERE id = $1";

/// Only products that are off sale are still in a category that is closed.
const EMPTY_CATEGORY: &str = "UPDATE product SET category_id = NULL WHERE category_id = $1";
const DELETE_CATEGORY: &str = "DELETE FROM category WHERE id = $1";

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
) -> Result<Assortment, StoreError> {
    let listings = load_listings(connection, &wanted.products).await?;
    let mut sizes = BTreeMap::new();
    if !wanted.categories.is_empty() {
        let ids = rows(wanted.categories.iter().map(|id| hex(*id)))?;
        let found: Vec<(Uuid, u32)> =
            sqlx::query_as(CATEGORY_SIZES).bind(ids).fetch_all(&mut *connection).await?;
        let size = |(id, products)| (CategoryId::from_uuid(id), u64::from(products));
        sizes = found.into_iter().map(size).collect();
    }
    let mut names = BTreeSet::new();
    if !wanted.category_names.is_empty() {
        let found = sqlx::query_scalar(TAKEN_CATEGORY_NAMES);
        let found = found.bind(rows(wanted.category_names.iter())?);
        names = found.fetch_all(connection).await?.into_iter().collect();
    }
    Ok(Assortment::loaded(listings, sizes, names))
}

async fn load_listings(
    connection: &mut SqliteConnection,
    ids: &BTreeSet<ProductId>,
) -> Result<BTreeMap<ProductId, Listing>, StoreError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids = rows(ids.iter().map(|id| hex(*id)))?;
    let found: Vec<ListingRow> = sqlx::query_as(LISTINGS).bind(ids).fetch_all(connection).await?;
    listings(found)
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let (changes, now) = (sheet.catalog.changes(), sheet.now.micros());
    if !changes.categories.is_empty() {
        let categories = rows(changes.categories.iter().map(category_row))?;
        let insert = sqlx::query(INSERT_CATEGORIES).bind(categories).bind(now);
        insert.execute(&mut *connection).await?;
    }
    if !changes.products.is_empty() {
        let products = rows(changes.products.iter().map(product_row))?;
        let insert = sqlx::query(INSERT_PRODUCTS).bind(products).bind(now);
        insert.execute(&mut *connection).await?;
    }
    save_edits(connection, changes, now).await?;
    let skus = sku_rows(changes);
    if !skus.is_empty() {
        sqlx::query(INSERT_SKUS).bind(rows(skus.into_iter())?).execute(&mut *connection).await?;
    }
    for (sku, price) in &changes.prices {
        let set = sqlx::query(SET_PRICE).bind(sku.as_str()).bind(price.minor);
        set.execute(&mut *connection).await?;
    }
    for category in &changes.closed {
        for statement in [EMPTY_CATEGORY, DELETE_CATEGORY] {
            sqlx::query(statement).bind(category.uuid()).execute(&mut *connection).await?;
        }
    }
    Ok(())
}

fn category_row(category: &NewCategory) -> impl Serialize {
    (hex(category.id), category.name.clone(), category.name.folded())
}

fn product_row(product: &NewProduct) -> impl Serialize {
    let (name, description) = (product.name.clone(), product.description.clone());
    let folded = product.name.folded();
    (hex(product.id), name, description, product.category.map(hex), folded)
}

fn sku_rows(changes: &Changes) -> Vec<impl Serialize> {
    let row = |product: ProductId, sku: &Sku, price: Money| {
        (sku.clone(), hex(product), price.minor, price.currency)
    };
    let mut skus = Vec::new();
    for product in &changes.products {
        skus.extend(product.offers.iter().map(|(sku, price)| row(product.id, sku, price)));
    }
    skus.extend(changes.skus.iter().map(|(product, sku, price)| row(*product, sku, *price)));
    skus
}

async fn save_edits(
    connection: &mut SqliteConnection,
    changes: &Changes,
    now: i64,
) -> Result<(), StoreError> {
    for (id, name) in &changes.names {
        let set = sqlx::query(SET_NAME).bind(id.uuid()).bind(name.as_str());
        set.bind(name.folded()).execute(&mut *connection).await?;
    }
    for (id, description) in &changes.descriptions {
        let set = sqlx::query(SET_DESCRIPTION).bind(id.uuid()).bind(description.as_str());
        set.execute(&mut *connection).await?;
    }
    for (id, category) in &changes.moved {
        let set = sqlx::query(SET_CATEGORY).bind(id.uuid()).bind(category.map(Id::uuid));
        set.execute(&mut *connection).await?;
    }
    for (id, version) in &changes.touched {
        let set = sqlx::query(SET_VERSION).bind(id.uuid()).bind(version.0);
        set.execute(&mut *connection).await?;
    }
    for id in &changes.withdrawn {
        let set = sqlx::query(WITHDRAW).bind(id.uuid()).bind(now);
        set.execute(&mut *connection).await?;
    }
    Ok(())
}
