//! The database of these tests: PostgreSQL, a database of its own for each world.

use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use sqlx::{Connection as _, PgConnection};
use stockade_core_api::migrate;
use stockade_settings::store::{PostgresUrl, StoreSettings, StoreUrl};
use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};
use tokio::runtime::Runtime;

/// A connection past the core.
pub(crate) type Connection = PgConnection;

/// Takes off what keeps somebody from breaking things.
pub(crate) const LOOSEN: &str = "SET session_replication_role = replica;
    ALTER TABLE stock DROP CONSTRAINT stock_reserved_is_on_hand;
    ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_does_what_it_says;
    ALTER TABLE stock_movement DISABLE TRIGGER stock_movement_is_not_changed;
    ALTER TABLE payment DROP CONSTRAINT payment_gives_back_what_it_took;";

/// Bytes as a token's hash has.
pub(crate) const FRESH_HASH: &str = "sha256(gen_random_uuid()::text::bytea)";

/// What can be broken in this database alone.
pub(crate) const BREAKS: &[&str] = &[
    "ALTER TABLE order_line DISABLE TRIGGER ALL",
    "DROP TRIGGER stock_movement_is_not_changed ON stock_movement;
     CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS
     'BEGIN RETURN NULL; END'",
    "CREATE INDEX mine ON stock (on_hand); ALTER TABLE stock ADD CONSTRAINT mine CHECK (reserved < 9);
     CREATE TRIGGER mine AFTER UPDATE ON stock EXECUTE FUNCTION refuse_change();
     ALTER TABLE stock DISABLE TRIGGER mine",
];

/// Settings of a new database, with its tables, for the program's role.
pub(crate) fn store(_: &Path) -> StoreSettings {
    let name = Cluster::shared().create_database(template());
    at(&Cluster::shared().url(PROGRAM, &name))
}

/// Settings that name a database.
pub(crate) fn at(url: &str) -> StoreSettings {
    StoreSettings { url: Some(url.parse().unwrap()), ..StoreSettings::default() }
}

/// How PostgreSQL is reached by this URL.
pub(crate) fn postgres(url: &str) -> PostgresUrl {
    let Ok(StoreUrl::Postgres(url)) = url.parse() else { unreachable!("{url}") };
    url
}

/// An empty database has got its tables once; the others are copies of it.
fn template() -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        let name = Cluster::shared().create_database("template0");
        let owner = postgres(&Cluster::shared().url(OWNER, &name));
        let making = thread::spawn(move || {
            Runtime::new().unwrap().block_on(migrate(&owner, None, PROGRAM)).unwrap();
        });
        making.join().unwrap();
        name
    })
}

/// The database itself, past the core, as whoever may do everything.
pub(crate) async fn connect(settings: &StoreSettings) -> Connection {
    let Some(StoreUrl::Postgres(url)) = &settings.url else { unreachable!("{settings:?}") };
    let superuser = Cluster::shared().url("postgres", &url.database);
    PgConnection::connect(&superuser).await.unwrap()
}

/// Holds what every order needs, so that the writers wait until the connection is closed.
pub(crate) async fn hold_writes(settings: &StoreSettings) -> Connection {
    let mut lock = connect(settings).await;
    for statement in ["BEGIN", "SELECT 1 FROM stock ORDER BY sku FOR UPDATE"] {
        sqlx::query(statement).execute(&mut lock).await.unwrap();
    }
    lock
}

/// A server leaves nothing with the core.
pub(crate) fn check_at_rest(_: &StoreSettings) {}

/// Who may read what is tested in `roles.rs`.
pub(crate) fn check_is_private(_: &StoreSettings) {}

/// From here on, no row can be added to the audit trail.
pub(crate) async fn close_audit(settings: &StoreSettings) {
    let closed = "REVOKE INSERT ON audit FROM stockade";
    sqlx::query(closed).execute(&mut connect(settings).await).await.unwrap();
}

/// What keeps the audit trail from being changed.
pub(crate) const AUDIT_GUARDS: [&str; 2] = [
    "ALTER TABLE audit DISABLE TRIGGER audit_is_not_changed",
    "ALTER TABLE audit_checkpoint DISABLE TRIGGER audit_checkpoint_is_not_changed",
];
