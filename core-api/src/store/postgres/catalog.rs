//! Products, SKUs, prices and categories in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;
use uuid::Uuid;

use crate::catalog::{Assortment, Changes, NewCategory, NewProduct};
use crate::ids::{CategoryId, Id};
use crate::store::StoreError;
use crate::store::rows::catalog::{ListingRow, listings};
use crate::worksheet::{Wanted, Worksheet};

/// Locked, so that of two who edit one version the second finds another.
pub(super) const LISTINGS: &str = "
    SELECT p.id, p.version, p.category_id, k.sku
      FROM product AS p
      LEFT JOIN sku AS k ON k.product_id = p.id
     WHERE p.id = ANY ($1)
       AND p.deleted_at IS NULL
     ORDER BY p.id, k.sku
       FOR NO KEY UPDATE OF p";

pub(super) const CATEGORY_SIZES: &str = "
    SELECT c.id,
           (SELECT count(*) FROM product WHERE category_id = c.id AND deleted_at IS NULL)
      FROM category AS c
     WHERE c.id = ANY ($1)
     ORDER BY c.id
       FOR NO KEY UPDATE OF c";

pub(super) const TAKEN_CATEGORY_NAMES: &str =
    "SELECT name_folded FROM category WHERE name_folded = ANY ($1)";

pub(super) const INSERT_CATEGORIES: &str = "
    INSERT INTO category (id, name, name_folded, created_at)
    SELECT *, $4::bigint FROM unnest($1::uuid[], $2::text[], $3::text[])";

pub(super) const INSERT_PRODUCTS: &str = "
    INSERT INTO product (id, name, description, category_id, name_folded, created_at)
    SELECT *, $6::bigint FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::text[])";

pub(super) const INSERT_SKUS: &str = "
    INSERT INTO sku (sku, product_id, price_minor, currency)
    SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[])";

pub(super) const SET_VERSION: &str = "UPDATE product SET version = $2 WHERE id = $1";
pub(super) const SET_NAME: &str = "UPDATE product SET name = $2, name_folded = $3 WHERE id = $1";
pub(super) const SET_DESCRIPTION: &str = "UPDATE product SET description = $2 WHERE id = $1";
pub(super) const SET_CATEGORY: &str = "UPDATE product SET category_id = $2 WHERE id = $1";
pub(super) const SET_PRICE: &str = "UPDATE sku SET price_minor = $2 WHERE sku = $1";
pub(super) const WITHDRAW: &str = "UPDATE product SET deleted_at = $2 WHERE id = $1";

/// Only products that are off sale are still in a category that is closed.
pub(super) const EMPTY_CATEGORY: &str =
    "UPDATE product SET category_id = NULL WHERE category_id = $1 AND deleted_at IS NOT NULL";
pub(super) const DELETE_CATEGORY: &str = "DELETE FROM category WHERE id = $1";

pub(super) async fn load(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Assortment, StoreError> {
    let mut found = BTreeMap::new();
    if !wanted.products.is_empty() {
        let ids: Vec<_> = wanted.products.iter().map(|id| id.uuid()).collect();
        let rows: Vec<ListingRow> =
            sqlx::query_as(LISTINGS).bind(ids).fetch_all(&mut *connection).await?;
        found = listings(rows)?;
    }
    let mut sizes = BTreeMap::new();
    if !wanted.categories.is_empty() {
        let ids: Vec<_> = wanted.categories.iter().map(|id| id.uuid()).collect();
        let rows: Vec<(Uuid, i64)> =
            sqlx::query_as(CATEGORY_SIZES).bind(ids).fetch_all(&mut *connection).await?;
        let size =
            |(id, products): (Uuid, i64)| (CategoryId::from_uuid(id), products.unsigned_abs());
        sizes = rows.into_iter().map(size).collect();
    }
    let mut names = BTreeSet::new();
    if !wanted.category_names.is_empty() {
        let folded: Vec<_> = wanted.category_names.iter().map(String::as_str).collect();
        let rows = sqlx::query_scalar(TAKEN_CATEGORY_NAMES).bind(folded);
        names = rows.fetch_all(connection).await?.into_iter().collect();
    }
    Ok(Assortment::loaded(found, sizes, names))
}

pub(super) async fn save(
    connection: &mut PgConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let (changes, now) = (sheet.catalog.changes(), sheet.now.micros());
    save_categories(connection, &changes.categories, now).await?;
    save_products(connection, &changes.products, now).await?;
    save_edits(connection, changes, now).await?;
    save_skus(connection, changes).await?;
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

async fn save_categories(
    connection: &mut PgConnection,
    new: &[NewCategory],
    now: i64,
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = new.iter().map(|category| category.id.uuid()).collect();
    let names: Vec<_> = new.iter().map(|category| category.name.as_str()).collect();
    let folded: Vec<_> = new.iter().map(|category| category.name.folded()).collect();
    let insert = sqlx::query(INSERT_CATEGORIES).bind(ids).bind(names).bind(folded).bind(now);
    insert.execute(connection).await?;
    Ok(())
}

async fn save_products(
    connection: &mut PgConnection,
    new: &[NewProduct],
    now: i64,
) -> Result<(), StoreError> {
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = new.iter().map(|product| product.id.uuid()).collect();
    let names: Vec<_> = new.iter().map(|product| product.name.as_str()).collect();
    let texts: Vec<_> = new.iter().map(|product| product.description.as_str()).collect();
    let categories: Vec<Option<Uuid>> =
        new.iter().map(|product| product.category.map(Id::uuid)).collect();
    let folded: Vec<_> = new.iter().map(|product| product.name.folded()).collect();
    let insert = sqlx::query(INSERT_PRODUCTS).bind(ids).bind(names).bind(texts);
    insert.bind(categories).bind(folded).bind(now).execute(connection).await?;
    Ok(())
}

async fn save_skus(connection: &mut PgConnection, changes: &Changes) -> Result<(), StoreError> {
    let published = changes
        .products
        .iter()
        .flat_map(|product| product.offers.iter().map(|(sku, price)| (product.id, sku, price)));
    let added = changes.skus.iter().map(|(product, sku, price)| (*product, sku, *price));
    let new: Vec<_> = published.chain(added).collect();
    if new.is_empty() {
        return Ok(());
    }
    let skus: Vec<_> = new.iter().map(|(_, sku, _)| sku.as_str()).collect();
    let products: Vec<_> = new.iter().map(|(product, ..)| product.uuid()).collect();
    let prices: Vec<_> = new.iter().map(|(.., price)| price.minor).collect();
    let currencies: Vec<_> = new.iter().map(|(.., price)| price.currency.to_string()).collect();
    let insert = sqlx::query(INSERT_SKUS).bind(skus).bind(products).bind(prices);
    insert.bind(currencies).execute(connection).await?;
    Ok(())
}

async fn save_edits(
    connection: &mut PgConnection,
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
