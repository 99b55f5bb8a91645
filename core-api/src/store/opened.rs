//! Opening: a URL becomes a store with its writers, or one clear line says why not.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use stockade_settings::secret::{self, SecretError};
use stockade_settings::store::{PostgresUrl, StoreSettings, StoreUrl};
use zeroize::Zeroizing;

use super::postgres::{PostgresSetup, PostgresStore, owner};
use super::rows::keys::OtherKeys;
use super::rows::unsealed::UnsealedError;
use super::sqlite::SqliteStore;
use super::{Store, StoreError, WriteStore};
use crate::vault::Vault;

/// A store, and those who write to it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Box<dyn Store>,
    /// One for each transaction there can be at once.
    pub(crate) writers: Vec<Box<dyn WriteStore>>,
}

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("it cannot be made or written: {0}")]
    Make(#[from] io::Error),
    #[error("it cannot be opened: {}", reason(.0))]
    Connect(#[from] sqlx::Error),
    #[error("it did not answer within {0:?}")]
    Slow(Duration),
    #[error("its tables cannot be brought up to date: {0}")]
    Migrate(#[from] MigrateError),
    #[error(
        "more writers share it than its audit trail has chains for; stop one, or let each have fewer"
    )]
    NoChain,
    #[error(transparent)]
    Keys(#[from] OtherKeys),
    #[error("what earlier versions wrote in the clear cannot be sealed: {0}")]
    Seal(#[from] UnsealedError),
    #[error("`{0}` owns the tables: the program needs a role of its own, which cannot change them")]
    OneRole(String),
    #[error("there is no role `{0}` for the program; make it first")]
    NoRole(String),
    #[error(transparent)]
    Schema(#[from] SchemaError),
    #[error("core.store.password_file: {0}")]
    Password(#[from] SecretError),
    #[error("core.store.password_file: the password is not UTF-8")]
    PasswordText,
}

/// Why tables are not those of this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SchemaError {
    #[error("it has no tables yet, or not for this user; run `stockade migrate` as their owner")]
    None,
    #[error(
        "its tables are at version {there} and this program needs {here}; run `stockade migrate`"
    )]
    Older { there: i64, here: i64 },
    #[error(
        "its tables are at version {there}, newer than this program, which knows {here}; run a \
         newer one"
    )]
    Newer { there: i64, here: i64 },
    #[error("its tables were made by another program or changed since")]
    Other,
    #[error("it was written by another version of this program; start the core once")]
    OtherVersion,
}

impl OpenError {
    /// As a writer says it.
    pub(super) fn lost(self) -> StoreError {
        match self {
            Self::Connect(error) => StoreError::from(error),
            _ => StoreError::Lost(None),
        }
    }
}

/// What PostgreSQL or the network said, in words that lead somewhere.
fn reason(error: &sqlx::Error) -> String {
    match error {
        // What rustls says comes as a mistake in the data.
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            format!("no TLS that can be trusted: {error}")
        }
        sqlx::Error::Io(error) => format!("nobody answers there ({error})"),
        sqlx::Error::Tls(error) => format!("no TLS that can be trusted: {error}"),
        sqlx::Error::Database(refusal) => match refusal.code().as_deref() {
            Some("28P01" | "28000") => {
                format!("the user or the password is wrong ({})", refusal.message())
            }
            _ => refusal.message().to_owned(),
        },
        other => other.to_string(),
    }
}

/// Opens the database of these settings. SQLite is made where there is none, and brought up to
/// date; PostgreSQL's tables are its owner's to make.
pub(crate) async fn open(
    url: &StoreUrl,
    settings: &StoreSettings,
    vault: &Arc<Vault>,
) -> Result<Opened, OpenError> {
    match url {
        StoreUrl::Sqlite(file) => SqliteStore::open(file, vault).await,
        StoreUrl::Postgres(url) => {
            let password = settings.password_file.as_deref().map(read_password).transpose()?;
            let (writers, readers_max) = (settings.writers, settings.readers_max.get());
            let setup = PostgresSetup { url, password, writers, readers_max, vault };
            PostgresStore::open(setup).await
        }
    }
}

/// Opens a database to read it, as it is; nothing is made or brought up to date.
pub(crate) async fn open_to_read(
    url: &StoreUrl,
    password: Option<Zeroizing<String>>,
) -> Result<Box<dyn Store>, OpenError> {
    match url {
        StoreUrl::Sqlite(file) => SqliteStore::open_to_read(file).await,
        StoreUrl::Postgres(url) => PostgresStore::open_to_read(url, password).await,
    }
}

/// Makes or brings up to date the tables of a PostgreSQL database, as their owner, and grants
/// the program's role what it needs.
pub(crate) async fn migrate(
    owner: &PostgresUrl,
    password: Option<Zeroizing<String>>,
    program: &str,
) -> Result<i64, OpenError> {
    owner::migrate(owner, password, program).await
}

/// A password from its file.
pub(crate) fn read_password(file: &Path) -> Result<Zeroizing<String>, OpenError> {
    let bytes = Zeroizing::new(secret::read(file)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| OpenError::PasswordText)?;
    Ok(Zeroizing::new(text.to_owned()))
}
