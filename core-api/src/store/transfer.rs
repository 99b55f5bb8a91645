//! Moving a shop from SQLite to PostgreSQL: whole and proven, or not at all.
//!
//! Nobody writes to the source meanwhile: its write lock is held. The target is empty before, and
//! is filled in one transaction that is committed when every table has as many rows as its source
//! and no rule is broken.

mod table;

use std::path::Path;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use stockade_settings::store::PostgresUrl;
use zeroize::Zeroizing;

pub(super) use self::table::TABLES;
use super::postgres::{Login, check_schema, verify};
use super::sqlite;
use super::{OpenError, StoreError};
use crate::verify::Report;

const LOCK: &str = "BEGIN IMMEDIATE";

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransferError {
    #[error("the source cannot be opened: {0}")]
    Source(#[source] OpenError),
    #[error("the source was written by another version of this program; start the core once")]
    OtherVersion,
    #[error("the target: {0}")]
    Target(#[source] OpenError),
    #[error("the target's table `{0}` is not empty; nothing was changed")]
    NotEmpty(&'static str),
    #[error("of table `{table}` {from} rows were read and {to} are there; nothing was changed")]
    Count { table: &'static str, from: i64, to: i64 },
    #[error("what was copied contradicts itself; nothing was changed\n{0}")]
    Broken(Box<Report>),
    #[error("could not copy; nothing was changed")]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for TransferError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// A table, and how many of its rows were moved.
pub(crate) type Moved = (&'static str, i64);

/// Moves every row of a SQLite shop into an empty PostgreSQL one.
pub(crate) async fn transfer(
    from: &Path,
    to: &PostgresUrl,
    password: Option<Zeroizing<String>>,
) -> Result<(Vec<Moved>, Report), TransferError> {
    let mut source = open_source(from).await?;
    let login = Login::new(to, password.as_ref()).unhurried();
    let mut target = login.connect().await.map_err(TransferError::Target)?;
    check_schema(&mut target).await.map_err(TransferError::Target)?;

    let mut writing = target.begin().await?;
    let moved = fill(&mut source, &mut writing).await?;
    let report = verify::check(&mut writing).await?;
    if !report.is_intact() {
        return Err(TransferError::Broken(Box::new(report)));
    }
    writing.commit().await?;
    Ok((moved, report))
}

async fn open_source(file: &Path) -> Result<SqliteConnection, TransferError> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(sqlite::BUSY_TIMEOUT);
    let connected = options.connect().await.map_err(OpenError::Connect);
    let mut source = connected.map_err(TransferError::Source)?;
    sqlx::query(LOCK).execute(&mut source).await?;
    if sqlite::verify::is_current(&mut source).await {
        Ok(source)
    } else {
        Err(TransferError::OtherVersion)
    }
}

async fn fill(
    source: &mut SqliteConnection,
    target: &mut PgConnection,
) -> Result<Vec<Moved>, TransferError> {
    for table in &TABLES {
        let there: i64 = sqlx::query_scalar(table.count).fetch_one(&mut *target).await?;
        if there > 0 {
            return Err(TransferError::NotEmpty(table.name));
        }
    }
    let mut moved = Vec::new();
    for table in &TABLES {
        table.copy(source, target).await?;
        let from: i64 = sqlx::query_scalar(table.count).fetch_one(&mut *source).await?;
        let to: i64 = sqlx::query_scalar(table.count).fetch_one(&mut *target).await?;
        if from != to {
            return Err(TransferError::Count { table: table.name, from, to });
        }
        moved.push((table.name, to));
    }
    Ok(moved)
}
