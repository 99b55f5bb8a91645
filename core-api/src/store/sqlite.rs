//! The store on SQLite: one connection writes, a few others read (write-ahead log).
//!
//! `synchronous = FULL`: what was acknowledged is on disk. Statements over many rows take
//! them as one JSON parameter, so each statement has one text and is prepared once.

mod accounts;
mod carts;
mod catalog;
mod idempotency;
mod inventory;
mod jobs;
mod orders;
mod payments;
mod sessions;
mod verify;
mod write;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

pub(crate) use self::verify::check_everything;
use self::write::SqliteWriter;
use super::{Slice, Store, StoreError, WriteStore};
use crate::accounts::{Account, Credentials, LinkOwner, TokenHash};
use crate::cart::ShownLine;
use crate::catalog::{Category, Product};
use crate::clock::Timestamp;
use crate::ids::{AccountId, CategoryId, Id, JobId, MovementId, OrderId, ProductId};
use crate::inventory::{Entry, StockLevel};
use crate::orders::{Order, OrderEvent};
use crate::outbox::Job;
use crate::payments::{EVENT_LIFE, Statement};
use crate::reach::Reach;
use crate::sku::Sku;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a connection waits for a lock that another process holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read.
const READERS_MAX: u32 = 4;

const PING: &str = "SELECT 1";

const ANYTHING_DUE: &str = "
    SELECT EXISTS (SELECT 1 FROM reservation WHERE state = 'pending' AND expires_at <= $1)
        OR EXISTS (SELECT 1 FROM idempotency_key WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM session WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM password_link WHERE expires_at <= $1)
        OR EXISTS (SELECT 1 FROM provider_event WHERE received_at <= $2)";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("it cannot be made or written: {0}")]
    Make(#[from] io::Error),
    #[error("it cannot be opened: {0}")]
    Connect(#[from] sqlx::Error),
    #[error("its tables cannot be brought up to date: {0}")]
    Migrate(#[from] MigrateError),
}

/// What is read from a SQLite database.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    pub(crate) async fn open(file: &Path) -> Result<(Self, Box<dyn WriteStore>), OpenError> {
        make(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let mut writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        migrate(&mut writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options.read_only(true))
            .await?;
        Ok((Self { readers }, Box::new(SqliteWriter::new(writer))))
    }
}

/// An empty database, its owner's alone; SQLite gives its log the same mode.
fn make(file: &Path) -> Result<(), OpenError> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    Ok(())
}

async fn migrate(writer: &mut SqliteConnection) -> Result<(), OpenError> {
    MIGRATIONS.run(&mut *writer).await?;
    writer.clear_cached_statements().await?;
    Ok(())
}

#[async_trait]
impl Store for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query(PING).execute(&self.readers).await?;
        Ok(())
    }

    async fn anything_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        let due = sqlx::query_scalar(ANYTHING_DUE);
        let due = due.bind(now.micros()).bind(now.minus(EVENT_LIFE).micros());
        Ok(due.fetch_one(&self.readers).await?)
    }

    async fn credentials(&self, username: &str) -> Result<Option<Credentials>, StoreError> {
        accounts::credentials(&self.readers, username).await
    }

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        accounts::account(&self.readers, id).await
    }

    async fn knows_refresh_token(&self, token: TokenHash) -> Result<bool, StoreError> {
        sessions::knows_token(&self.readers, token).await
    }

    async fn link_owner(
        &self,
        link: TokenHash,
        now: Timestamp,
    ) -> Result<Option<LinkOwner>, StoreError> {
        accounts::link_owner(&self.readers, link, now).await
    }

    async fn products(
        &self,
        category: Option<CategoryId>,
        slice: &Slice<ProductId>,
    ) -> Result<Vec<Product>, StoreError> {
        catalog::products(&self.readers, category, slice).await
    }

    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError> {
        catalog::product(&self.readers, id).await
    }

    async fn categories(&self, slice: &Slice<CategoryId>) -> Result<Vec<Category>, StoreError> {
        catalog::categories(&self.readers, slice).await
    }

    async fn stock(&self, slice: &Slice<Sku>) -> Result<BTreeMap<Sku, StockLevel>, StoreError> {
        inventory::stock(&self.readers, slice).await
    }

    async fn has_moved(&self, sku: &Sku) -> Result<bool, StoreError> {
        inventory::has_moved(&self.readers, sku).await
    }

    async fn is_stocked(&self, sku: &Sku) -> Result<bool, StoreError> {
        inventory::is_stocked(&self.readers, sku).await
    }

    async fn movements(
        &self,
        sku: &Sku,
        slice: &Slice<MovementId>,
    ) -> Result<Vec<Entry>, StoreError> {
        inventory::movements(&self.readers, sku, slice).await
    }

    async fn orders(&self, reach: Reach, slice: &Slice<OrderId>) -> Result<Vec<Order>, StoreError> {
        orders::list(&self.readers, reach, slice).await
    }

    async fn order(&self, reach: Reach, id: OrderId) -> Result<Option<Order>, StoreError> {
        orders::find(&self.readers, reach, id).await
    }

    async fn order_events(&self, id: OrderId) -> Result<Vec<OrderEvent>, StoreError> {
        orders::events(&self.readers, id).await
    }

    async fn payments(&self, order: OrderId) -> Result<Vec<Statement>, StoreError> {
        payments::of_order(&self.readers, order).await
    }

    async fn cart(&self, account: AccountId) -> Result<Vec<ShownLine>, StoreError> {
        carts::shown(&self.readers, account).await
    }

    async fn any_job_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        jobs::any_due(&self.readers, now).await
    }

    async fn dead_jobs(&self, slice: &Slice<JobId>) -> Result<Vec<Job>, StoreError> {
        jobs::dead(&self.readers, slice).await
    }

    async fn close(&self) {
        self.readers.close().await;
    }
}

/// Rows as one parameter, which `json_each` takes apart again.
fn rows(rows: impl Iterator<Item = impl Serialize>) -> Result<String, StoreError> {
    let rows: Vec<_> = rows.collect();
    serde_json::to_string(&rows).map_err(|_| StoreError::Unreadable("row"))
}

/// An id inside [`rows`]; SQL reads it back with `unhex`.
fn hex(id: impl Id) -> String {
    id.uuid().simple().to_string()
}

/// Bytes inside [`rows`]; SQL reads them back with `unhex`.
fn hex_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sku(text: &str) -> Result<Sku, StoreError> {
    Sku::parse(text).map_err(|_| StoreError::Unreadable("sku"))
}

#[cfg(test)]
mod tests;
