//! The store on PostgreSQL: a few connections write, each one of a writer's own; a pool reads.
//!
//! Several cores may share one database. What keeps them from harm is in the database alone:
//! row locks, taken in one global order, and unique constraints. Statements over many rows take
//! each column as an array, so each statement has one text and is prepared once.
//!
//! The core's own role reads and writes rows and can do nothing else; [`owner`] makes the tables
//! and grants it that.

mod account_book;
mod accounts;
mod audit;
mod carts;
mod catalog;
mod compound;
mod connect;
mod idempotency;
mod images;
mod inventory;
mod jobs;
mod keys;
mod orders;
mod privacy;
mod sessions;
mod unsealed;
mod write;

pub(super) mod owner;
mod payments;
pub(super) mod verify;

use std::sync::Arc;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use stockade_settings::store::{PostgresUrl, Writers};
use zeroize::Zeroizing;

pub(super) use self::connect::Login;
pub(super) use self::images::known as known_images;
use self::write::PostgresWriter;
use super::reads::reads;
use super::{OpenError, Opened, SchemaError, Store};
use crate::vault::Vault;

pub(super) static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How long whoever reads waits for a connection.
const READER_WAIT_MAX: Duration = Duration::from_secs(5);

const APPLIED: &str = "SELECT version, checksum, success FROM _sqlx_migrations ORDER BY version";

/// What is read from a PostgreSQL database.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    readers: PgPool,
    vault: Arc<Vault>,
}

/// How the database is reached, and by how many.
#[derive(Debug)]
pub(super) struct PostgresSetup<'a> {
    pub(super) url: &'a PostgresUrl,
    pub(super) password: Option<Zeroizing<String>>,
    pub(super) writers: Writers,
    pub(super) readers_max: u32,
    pub(super) vault: &'a Arc<Vault>,
}

impl PostgresStore {
    /// Opens a database whose tables are up to date.
    pub(super) async fn open(setup: PostgresSetup<'_>) -> Result<Opened, OpenError> {
        let login = Login::new(setup.url, setup.password.as_ref());
        let mut first = login.connect().await?;
        check_schema(&mut first).await?;
        keys::check(&mut first, setup.vault).await?;
        unsealed::seal_everything(&mut first, setup.vault).await?;
        first.close().await?;
        let vault = || Arc::clone(setup.vault);
        let mut writers = Vec::new();
        for _ in 0..setup.writers.count() {
            writers.push(PostgresWriter::open(login.clone(), vault()).await?);
        }
        let readers = PgPoolOptions::new()
            .max_connections(setup.readers_max)
            .acquire_timeout(READER_WAIT_MAX)
            .connect_lazy_with(login.for_reading());
        Ok(Opened { store: Box::new(Self { readers, vault: vault() }), writers })
    }

    /// Opens a database whose tables are up to date to read what is not sealed.
    pub(super) async fn open_to_read(
        url: &PostgresUrl,
        password: Option<Zeroizing<String>>,
    ) -> Result<Box<dyn Store>, OpenError> {
        let login = Login::new(url, password.as_ref()).unhurried();
        let mut first = login.connect().await?;
        check_schema(&mut first).await?;
        first.close().await?;
        let readers = PgPoolOptions::new().max_connections(1).acquire_timeout(READER_WAIT_MAX);
        let readers = readers.connect_lazy_with(login.for_reading());
        Ok(Box::new(Self { readers, vault: Arc::new(Vault::blind()) }))
    }
}

/// Refuses tables that are older or newer than this program.
pub(super) async fn check_schema(connection: &mut PgConnection) -> Result<(), OpenError> {
    let applied = sqlx::query_as::<_, (i64, Vec<u8>, bool)>(APPLIED).fetch_all(connection).await;
    let applied = match applied {
        Ok(applied) => applied,
        // There is no such table, or this role may not read it.
        Err(sqlx::Error::Database(error)) if error.code().is_some_and(|code| code == "42P01") => {
            return Err(SchemaError::None.into());
        }
        Err(error) => return Err(error.into()),
    };
    let ours: Vec<_> =
        MIGRATIONS.iter().map(|one| (one.version, one.checksum.to_vec(), true)).collect();
    let newest = |versions: &[(i64, Vec<u8>, bool)]| versions.last().map_or(0, |one| one.0);
    let (there, here) = (newest(&applied), newest(&ours));
    if there > here {
        return Err(SchemaError::Newer { there, here }.into());
    }
    if applied == ours {
        return Ok(());
    }
    let fits = ours.starts_with(&applied);
    Err(if fits { SchemaError::Older { there, here } } else { SchemaError::Other }.into())
}

reads!(PostgresStore);
