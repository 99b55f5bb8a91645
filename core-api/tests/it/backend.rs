//! The database of these tests: SQLite, in the world's folder.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use sqlx::{Connection as _, SqliteConnection};
use stockade_settings::store::{StoreSettings, StoreUrl};

/// A connection past the core.
pub(crate) type Connection = SqliteConnection;

/// Takes off what keeps somebody from breaking things.
pub(crate) const LOOSEN: &str = "PRAGMA foreign_keys = OFF;
    PRAGMA ignore_check_constraints = ON;
    DROP TRIGGER stock_movement_is_not_updated;
    DROP TRIGGER stock_movement_is_not_deleted;
    DROP TRIGGER order_event_is_not_deleted;";

/// Bytes as a token's hash has.
pub(crate) const FRESH_HASH: &str = "randomblob(32)";

/// What can be broken in this database alone.
pub(crate) const BREAKS: &[&str] = &[];

/// Settings of a new database.
pub(crate) fn store(folder: &Path) -> StoreSettings {
    StoreSettings {
        url: Some(StoreUrl::Sqlite(folder.join("core.db"))),
        ..StoreSettings::default()
    }
}

/// The database itself, past the core.
pub(crate) async fn connect(settings: &StoreSettings) -> Connection {
    let url = format!("sqlite:{}", file(settings).display());
    SqliteConnection::connect(&url).await.unwrap()
}

/// Holds what every order needs, so that the writer waits until the connection is closed.
pub(crate) async fn hold_writes(settings: &StoreSettings) -> Connection {
    let mut lock = connect(settings).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();
    lock
}

/// How a core leaves its database when it ends.
pub(crate) fn check_at_rest(settings: &StoreSettings) {
    let log = file(settings).with_extension("db-wal");
    assert!(!log.exists(), "the log is folded into the database");
}

/// What is in the database is nobody else's business.
pub(crate) fn check_is_private(settings: &StoreSettings) {
    for suffix in ["", "-wal", "-shm"] {
        let file = format!("{}{suffix}", file(settings).display());
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

/// From here on, no row can be added to the audit trail.
pub(crate) async fn close_audit(settings: &StoreSettings) {
    let closed = "CREATE TRIGGER audit_is_closed BEFORE INSERT ON audit
                  BEGIN SELECT RAISE(ABORT, 'closed'); END";
    sqlx::query(closed).execute(&mut connect(settings).await).await.unwrap();
}

/// What keeps the audit trail from being changed.
pub(crate) const AUDIT_GUARDS: [&str; 4] = [
    "DROP TRIGGER IF EXISTS audit_is_not_updated",
    "DROP TRIGGER IF EXISTS audit_is_not_deleted",
    "DROP TRIGGER IF EXISTS audit_checkpoint_is_not_updated",
    "DROP TRIGGER IF EXISTS audit_checkpoint_is_not_deleted",
];

fn file(settings: &StoreSettings) -> PathBuf {
    let Some(StoreUrl::Sqlite(file)) = &settings.url else { unreachable!("{settings:?}") };
    file.clone()
}
