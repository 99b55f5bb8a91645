//! The store on SQLite: one connection writes, a few others read (write-ahead log).
//!
//! `synchronous = FULL`: what was acknowledged is on disk. Statements over many rows take
//! them as one JSON parameter, so each statement has one text and is prepared once.

mod account_book;
mod accounts;
mod carts;
mod catalog;
mod idempotency;
mod inventory;
mod jobs;
mod orders;
mod payments;
mod sessions;
pub(super) mod verify;
mod write;

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection};

use self::write::SqliteWriter;
use super::reads::reads;
use super::rows::{hex, listed as rows};
use super::{OpenError, Opened, WriteStore};

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a connection waits for a lock that another process holds.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections that read.
const READERS_MAX: u32 = 4;

/// What is read from a SQLite database.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database, makes it where there is none, and brings its tables up to date.
    pub(crate) async fn open(file: &Path) -> Result<Opened, OpenError> {
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
        let writers: Vec<Box<dyn WriteStore>> = vec![Box::new(SqliteWriter::new(writer))];
        Ok(Opened { store: Box::new(Self { readers }), writers })
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

reads!(SqliteStore);

/// Bytes inside [`rows`]; SQL reads them back with `unhex`.
fn hex_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
