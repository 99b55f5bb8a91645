//! The store on SQLite: one connection writes, a few others read (write-ahead log).
//!
//! `synchronous = FULL`: what was acknowledged is on disk. Statements over many rows take
//! them as one JSON parameter, so each statement has one text and is prepared once.

mod account_book;
mod accounts;
mod audit;
mod carts;
mod catalog;
mod idempotency;
mod images;
mod inventory;
mod jobs;
mod keys;
mod orders;
mod payments;
mod privacy;
mod sessions;
mod unsealed;
pub(super) mod verify;
mod write;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

pub(super) use self::images::known as known_images;
use self::write::SqliteWriter;
use super::reads::reads;
use super::rows::{hex, listed as rows};
use super::{OpenError, Opened, SchemaError, Store, WriteStore};
use crate::vault::Vault;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a connection waits for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether nothing in the clear was ever in this file: 1 once it was written anew after sealing.
const WIPED: &str = "PRAGMA user_version";
const MARK_WIPED: &str = "PRAGMA user_version = 1";

/// Writes the file anew: what was deleted before `secure_delete` goes with the old one.
const VACUUM: &str = "VACUUM";

/// Moves the write-ahead log into the file, and leaves it empty; says first whether somebody who
/// reads kept it from that.
const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// Connections that read.
const READERS_MAX: u32 = 4;

/// What is read from a SQLite database.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    readers: SqlitePool,
    vault: Arc<Vault>,
}

impl SqliteStore {
    /// Opens the database, makes it where there is none, and brings it up to date.
    pub(crate) async fn open(file: &Path, vault: &Arc<Vault>) -> Result<Opened, OpenError> {
        make(file)?;
        let options = SqliteConnectOptions::new()
            .filename(file)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT)
            // What is deleted is overwritten, also in tables that go with a migration.
            .pragma("secure_delete", "ON");
        let mut writer = options
            .clone()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .connect()
            .await?;
        migrate(&mut writer).await?;
        keys::check(&mut writer, vault).await?;
        seal(&mut writer, vault).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .connect_with(options.read_only(true))
            .await?;
        let writer = SqliteWriter::new(writer, Arc::clone(vault));
        let writers: Vec<Box<dyn WriteStore>> = vec![Box::new(writer)];
        let vault = Arc::clone(vault);
        Ok(Opened { store: Box::new(Self { readers, vault }), writers })
    }

    /// Opens a database of this version to read what is not sealed; it may be in use.
    pub(super) async fn open_to_read(file: &Path) -> Result<Box<dyn Store>, OpenError> {
        let options = SqliteConnectOptions::new().filename(file).pragma("query_only", "ON");
        let mut first = options.clone().busy_timeout(BUSY_TIMEOUT).connect().await?;
        if !verify::is_current(&mut first).await {
            return Err(SchemaError::OtherVersion.into());
        }
        first.close().await?;
        let readers = SqlitePoolOptions::new().max_connections(1);
        let readers = readers.connect_with(options.busy_timeout(BUSY_TIMEOUT)).await?;
        Ok(Box::new(Self { readers, vault: Arc::new(Vault::blind()) }))
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

/// Seals what an earlier version wrote in the clear, and leaves no trace of it in the file.
async fn seal(writer: &mut SqliteConnection, vault: &Vault) -> Result<(), OpenError> {
    unsealed::seal_everything(writer, vault).await?;
    // Not what this run sealed: whoever sealed before it may have been killed here.
    let wiped: i64 = sqlx::query_scalar(WIPED).fetch_one(&mut *writer).await?;
    if wiped > 0 {
        return Ok(());
    }
    sqlx::query(VACUUM).execute(&mut *writer).await?;
    let (busy, _, _): (i64, i64, i64) = sqlx::query_as(CHECKPOINT).fetch_one(&mut *writer).await?;
    if busy > 0 {
        tracing::warn!("somebody reads the database: its log is emptied at the next start");
        return Ok(());
    }
    sqlx::query(MARK_WIPED).execute(writer).await?;
    Ok(())
}

reads!(SqliteStore);

/// Bytes inside [`rows`]; SQL reads them back with `unhex`.
fn hex_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
