//! The one connection that writes.
//!
//! Transactions are begun and ended by hand: the connection belongs to the writer's task, so
//! no dropped future can leave one open.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::{Connection, SqliteConnection};

use super::{
    CHECKPOINT, account_book, accounts, audit, carts, catalog, idempotency, images, inventory,
    jobs, orders, payments, privacy, sessions,
};
use crate::clock::Timestamp;
use crate::payments::EVENT_LIFE;
use crate::reach::Reach;
use crate::store::{StoreError, WriteStore};
use crate::vault::Vault;
use crate::worksheet::{Loaded, Wanted, Worksheet};

/// A deferred transaction that reads first fails under contention without waiting.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// As long as readers usually take; nobody else writes meanwhile.
const WAIT_SHORTLY: &str = "PRAGMA busy_timeout = 200";

/// As [`BUSY_TIMEOUT`](super::BUSY_TIMEOUT).
const WAIT: &str = "PRAGMA busy_timeout = 10000";

#[derive(Debug)]
pub(super) struct SqliteWriter {
    connection: SqliteConnection,
    vault: Arc<Vault>,
    /// Whether the write-ahead log may hold what was erased since.
    erases: bool,
}

impl SqliteWriter {
    pub(super) fn new(connection: SqliteConnection, vault: Arc<Vault>) -> Self {
        Self { connection, vault, erases: false }
    }

    /// Empties the write-ahead log, which keeps pages as they were before an erasure. Whoever
    /// reads just now keeps it from that; then the next commit tries again.
    async fn scrub(&mut self) -> Result<(), StoreError> {
        self.run(WAIT_SHORTLY).await?;
        let emptied: Result<(i64, i64, i64), _> =
            sqlx::query_as(CHECKPOINT).fetch_one(&mut self.connection).await;
        self.run(WAIT).await?;
        let (busy, _, _) = emptied?;
        self.erases = busy != 0;
        Ok(())
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
        let (connection, vault) = (&mut self.connection, &*self.vault);
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
        let album = images::load(connection, &wanted.albums).await?;
        let names = accounts::load_names(connection, vault, wanted).await?;
        let accounts = account_book::load(connection, vault, &wanted.accounts, now).await?;
        let sessions = sessions::load(connection, wanted).await?;
        let mail = account_book::load_mail(connection, vault, wanted.mail, now).await?;
        let links = accounts::load_links(connection, &wanted.links, now).await?;
        let checkpoint = audit::load_basis(connection, wanted.checkpoint).await?;
        let ties_of = privacy::load_ties(connection, &wanted.ties_of).await?;
        let consents = privacy::load_consents(connection, &wanted.consents).await?;
        let old_keys = privacy::load_keys(connection, wanted).await?;
        Ok(Loaded {
            claims,
            shelf,
            prices,
            catalog,
            album,
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
            checkpoint,
            ties_of,
            consents,
            old_keys,
        })
    }

    async fn save(&mut self, sheet: &Worksheet) -> Result<(), StoreError> {
        let (connection, vault) = (&mut self.connection, &*self.vault);
        // What is known of an account is written whole; what is added to it comes after.
        account_book::save(connection, vault, &sheet.accounts).await?;
        accounts::save(connection, vault, sheet).await?;
        sessions::save(connection, sheet).await?;
        account_book::save_additions(connection, vault, sheet).await?;
        account_book::save_mail(connection, vault, sheet).await?;
        catalog::save(connection, sheet).await?;
        images::save(connection, sheet).await?;
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
        privacy::save(connection, sheet).await?;
        self.erases |= !sheet.new.erased.is_empty();
        audit::save_checkpoint(connection, sheet.new.checkpoint.as_ref()).await?;
        if !sheet.trail.acts().is_empty() {
            // Read each time: whoever makes accounts at the command line writes to the chain, too.
            let head = audit::head(connection, audit::CHAIN).await?;
            audit::save(connection, head, &sheet.trail, sheet.now).await?;
        }
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        self.run(COMMIT).await?;
        if self.erases
            && let Err(error) = self.scrub().await
        {
            tracing::warn!(error = ?error, "what was erased is still in the write-ahead log");
        }
        Ok(())
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
