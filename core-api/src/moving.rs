//! What is done to databases from the command line: tables are made, a shop is moved.

use std::path::Path;

use stockade_settings::store::{PostgresUrl, StoreUrl};

use crate::store::{self, OpenError, TransferError};
use crate::verify::Report;

/// Why the tables are not up to date.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct MigrateError(#[from] MigrateCause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum MigrateCause {
    #[error("`{url}`: {why}")]
    Database { url: PostgresUrl, why: OpenError },
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CopyError(#[from] CopyCause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum CopyCause {
    #[error("a shop is copied from `sqlite:...` to `postgres://...`, not from `{from}` to `{to}`")]
    Direction { from: StoreUrl, to: StoreUrl },
    #[error(transparent)]
    Password(OpenError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

/// A shop that was copied and proven.
#[derive(Debug)]
pub struct Copied {
    /// Each table, and how many rows it has on both sides.
    pub tables: Vec<(&'static str, i64)>,
    /// The rules that hold in the copy.
    pub report: Report,
}

/// Makes PostgreSQL's tables as their owner, or brings them up to date, and grants the role
/// `program` what a core needs and nothing more. Returns the version the tables are at.
///
/// # Errors
/// [`MigrateError`] when the database cannot be reached as this owner, or holds other tables.
pub async fn migrate(
    owner: &PostgresUrl,
    password_file: Option<&Path>,
    program: &str,
) -> Result<i64, MigrateError> {
    let failed = |why| MigrateCause::Database { url: owner.clone(), why };
    let password = password_file.map(store::read_password).transpose().map_err(failed)?;
    Ok(store::migrate(owner, password, program).await.map_err(failed)?)
}

/// Copies a shop from SQLite into an empty PostgreSQL, and commits when the copy is proven to be
/// whole and without contradiction. Whoever writes to the source meanwhile waits.
///
/// # Errors
/// [`CopyError`]; nothing was changed.
pub async fn copy(
    from: &StoreUrl,
    to: &StoreUrl,
    password_file: Option<&Path>,
) -> Result<Copied, CopyError> {
    let (StoreUrl::Sqlite(file), StoreUrl::Postgres(target)) = (from, to) else {
        return Err(CopyCause::Direction { from: from.clone(), to: to.clone() }.into());
    };
    let password = password_file.map(store::read_password).transpose();
    let password = password.map_err(CopyCause::Password)?;
    let moved = store::transfer(file, target, password).await.map_err(CopyCause::from)?;
    Ok(Copied { tables: moved.0, report: moved.1 })
}
