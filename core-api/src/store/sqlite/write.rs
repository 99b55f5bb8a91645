//! The one connection that writes.
//!
//! Transactions are begun and ended by hand: the connection belongs to the writer's task, so
//! no dropped future can leave one open.

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};

use super::{
    account_book, accounts, carts, catalog, idempotency, inventory, jobs, orders, payments,
    sessions,
};
use crate::clock::Timestamp;
use crate::payments::EVENT_LIFE;
use crate::reach::Reach;
use crate::store::{StoreError, WriteStore};
use crate::worksheet::{Loaded, Wanted, Worksheet};

/// A deferred transaction that reads first fails under contention without waiting.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

#[derive(Debug)]
pub(super) struct SqliteWriter {
    connection: SqliteConnection,
}

impl SqliteWriter {
    pub(super) fn new(connection: SqliteConnection) -> Self {
        Self { connection }
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement).execute(&mut self.connection).await?;
        Ok(())
    }
}

#[async_trait]
impl WriteStore for SqliteWriter {
    async fn begin(&mut self) -> Result<(), StoreError> {
        self.run(BEGIN).await
    }

    async fn load(&mut self, wanted: &Wanted, now: Timestamp) -> Result<Loaded, StoreError> {
        let connection = &mut self.connection;
        let claims = idempotency::load(connection, &wanted.claims, now).await?;
        let outbox = jobs::load(connection, wanted, now).await?;
        let payments = payments::load(connection, wanted, &outbox).await?;
        let mut wanted_orders = wanted.orders.clone();
        wanted_orders.extend(payments.orders().map(|order| (order, Reach::Any)));
        let orders = orders::load(connection, &wanted_orders).await?;
        let carts = carts::load(connection, &wanted.carts).await?;
        let mut skus = wanted.skus.clone();
        skus.extend(orders.skus());
        skus.extend(carts.skus());
        let mut due = inventory::load_due(connection, &skus, now).await?;
        if wanted.sweep {
            due.append(&mut inventory::load_all_due(connection, now).await?);
        }
        skus.extend(due.values().map(|hold| hold.sku.clone()));
        let (shelf, prices) = inventory::load_shelf(connection, &skus).await?;
        let catalog = catalog::load(connection, wanted).await?;
        let names = accounts::load_names(connection, wanted).await?;
        let accounts = account_book::load(connection, &wanted.accounts, now).await?;
        let sessions = sessions::load(connection, wanted).await?;
        let mail = account_book::load_mail(connection, wanted.mail, now).await?;
        let links = accounts::load_links(connection, &wanted.links, now).await?;
        Ok(Loaded {
            claims,
            shelf,
            prices,
            catalog,
            orders,
            payments,
            outbox,
            carts,
            due,
            names,
            accounts,
            sessions,
            links,
            mail,
        })
    }

    async fn save(&mut self, sheet: &Worksheet) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        // What is known of an account is written whole; what is added to it comes after.
        account_book::save(connection, &sheet.accounts).await?;
        accounts::save(connection, sheet).await?;
        sessions::save(connection, sheet).await?;
        account_book::save_additions(connection, sheet).await?;
        account_book::save_mail(connection, sheet).await?;
        catalog::save(connection, sheet).await?;
        orders::save(connection, sheet).await?;
        inventory::save(connection, sheet).await?;
        payments::save(connection, sheet).await?;
        jobs::save(connection, sheet).await?;
        carts::save(connection, sheet).await?;
        idempotency::save(connection, sheet).await?;
        if sheet.sweep {
            idempotency::remove_expired(connection, sheet.now).await?;
            sessions::remove_expired(connection, sheet.now).await?;
            accounts::remove_expired_links(connection, sheet.now).await?;
            let old = sheet.now.minus(EVENT_LIFE);
            payments::remove_old_events(connection, old).await?;
            account_book::remove_expired(connection, sheet.now).await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.run(COMMIT).await
    }

    async fn rollback(&mut self) {
        // SQLite may have rolled back by itself; then there is nothing left to forget.
        if let Err(error) = self.run(ROLLBACK).await {
            tracing::debug!(error = ?error, "nothing to roll back");
        }
    }

    async fn close(mut self: Box<Self>) {
        if let Err(error) = self.run(CHECKPOINT).await {
            tracing::warn!(error = ?error, "could not move the write-ahead log into the database");
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "could not close the database");
        }
    }
}
