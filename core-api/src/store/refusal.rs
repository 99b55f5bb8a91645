//! What a database said when something failed, without the rows: databases like to quote what they
//! refuse, whole rows with addresses and hashes in them, and errors end in the log.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// A failure as the log may tell it. It has no source: what is behind it is not told.
#[derive(Clone)]
pub(crate) struct Refusal(Arc<sqlx::Error>);

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            sqlx::Error::Database(refused) => refusal(&**refused, f),
            // What is read is rows, too.
            sqlx::Error::ColumnDecode { index, .. } => {
                write!(f, "column {index} holds nothing fit")
            }
            sqlx::Error::Decode(_) => f.write_str("a column holds nothing fit"),
            sqlx::Error::Encode(_) => f.write_str("a value does not fit"),
            other => other.fmt(f),
        }
    }
}

/// PostgreSQL's words may quote values; its codes and the names of what refused do not. SQLite's
/// words are names alone.
fn refusal(refused: &dyn DatabaseError, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Some(refused) = refused.try_downcast_ref::<PgDatabaseError>() else {
        return f.write_str(refused.message());
    };
    write!(f, "SQLSTATE {}", refused.code())?;
    for (what, name) in [
        ("table", refused.table()),
        ("column", refused.column()),
        ("constraint", refused.constraint()),
    ] {
        if let Some(name) = name {
            write!(f, ", {what} `{name}`")?;
        }
    }
    Ok(())
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}

impl Error for Refusal {}
