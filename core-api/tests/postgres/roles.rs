//! The program's role can do what a core does, and nothing else.

use sqlx::{Connection as _, PgConnection};
use stockade_settings::store::StoreUrl;
use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};

use crate::world::{PRINT, World, someone};

async fn as_program(world: &World) -> PgConnection {
    let Some(StoreUrl::Postgres(url)) = &world.settings.store.url else { unreachable!() };
    assert_eq!(url.user, PROGRAM);
    PgConnection::connect(&Cluster::shared().url(PROGRAM, &url.database)).await.unwrap()
}

#[tokio::test]
async fn history_cannot_be_changed_and_tables_cannot_be_made() {
    let world = World::start().await;
    world.order(someone(), PRINT, 1).send().await.created();
    let mut program = as_program(&world).await;
    for statement in [
        "UPDATE stock_movement SET quantity = 1",
        "DELETE FROM stock_movement",
        "TRUNCATE stock_movement",
        "UPDATE order_line SET quantity = 1",
        "DELETE FROM order_line",
        "DELETE FROM orders",
        "UPDATE orders SET total_minor = 1",
        "UPDATE reservation SET quantity = 1",
        "DELETE FROM reservation",
        "DELETE FROM stock",
        "UPDATE stock SET sku = 'X'",
        "UPDATE account SET id = gen_random_uuid()",
        "UPDATE account SET demo = false",
        "UPDATE data_key SET account_id = gen_random_uuid()",
        "UPDATE consent SET given = true",
        "TRUNCATE consent",
        "UPDATE erasure SET erased_at = 0",
        "DELETE FROM erasure",
        "UPDATE revocation SET not_before = 0",
        "DELETE FROM revocation",
        "TRUNCATE revocation",
        "UPDATE audit SET actor = 'core'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "UPDATE audit_checkpoint SET line = ''",
        "DELETE FROM audit_checkpoint",
        "ALTER TABLE audit DISABLE TRIGGER audit_is_not_changed",
        "UPDATE _sqlx_migrations SET version = 9",
        "CREATE TABLE mine (id int)",
        "DROP TABLE stock",
        "ALTER TABLE stock DROP CONSTRAINT stock_reserved_is_on_hand",
        "ALTER TABLE stock_movement DISABLE TRIGGER stock_movement_is_not_changed",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET ROLE stockade_owner",
    ] {
        let error = sqlx::query(statement).execute(&mut program).await.unwrap_err();
        let code = error.as_database_error().and_then(|error| error.code());
        assert_eq!(code.as_deref(), Some("42501"), "{statement}: {error}");
    }
    world.intact().await;
}

#[tokio::test]
async fn a_role_that_was_granted_nothing_reads_nothing() {
    let world = World::start().await;
    let Some(StoreUrl::Postgres(url)) = &world.settings.store.url else { unreachable!() };
    let cluster = Cluster::shared();
    cluster.sql("postgres", "CREATE ROLE stranger LOGIN");
    let stranger = cluster.url("stranger", &url.database);
    let mut stranger = PgConnection::connect(&stranger).await.unwrap();
    let error = sqlx::query("SELECT 1 FROM account").execute(&mut stranger).await.unwrap_err();
    assert!(error.to_string().contains("permission denied"), "{error}");
}

#[tokio::test]
async fn the_owner_cannot_change_history_by_mistake() {
    let world = World::start().await;
    let Some(StoreUrl::Postgres(url)) = &world.settings.store.url else { unreachable!() };
    let owner = Cluster::shared().url(OWNER, &url.database);
    let mut owner = PgConnection::connect(&owner).await.unwrap();
    for statement in [
        "UPDATE stock_movement SET quantity = 1",
        "DELETE FROM stock_movement",
        "TRUNCATE stock_movement",
        "UPDATE audit SET actor = 'core'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "TRUNCATE audit_checkpoint",
    ] {
        let error = sqlx::query(statement).execute(&mut owner).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{statement}: {error}");
    }
}
