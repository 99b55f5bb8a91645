//! Tables are made by their owner alone, and a core knows those it can work with.

use sqlx::Row as _;
use stockade_core_api::{migrate, verify};
use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};

use crate::backend::{connect, postgres};
use crate::start::refusal;
use crate::world::{World, settings};

async fn refused_after(statement: &'static str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let mut database = connect(&settings.store).await;
    sqlx::query(statement).execute(&mut database).await.unwrap();
    let verified = verify(settings.store.url.as_ref().unwrap(), None).await;
    let said = refusal(&settings).await;
    assert!(verified.unwrap_err().to_string().contains("its tables"), "{said}");
    said
}

#[tokio::test]
async fn tables_of_another_version_are_left_alone() {
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum,
                                               execution_time)
                 VALUES (999, 'later', true, '', 0)";
    let said = refused_after(newer).await;
    assert!(said.contains("at version 999, newer than this program"), "{said}");
    let said = refused_after("DELETE FROM _sqlx_migrations").await;
    assert!(said.contains("run `stockade migrate`"), "{said}");
    let said = refused_after("UPDATE _sqlx_migrations SET checksum = ''").await;
    assert!(said.contains("made by another program or changed since"), "{said}");
}

#[tokio::test]
async fn migrating_twice_changes_nothing_and_newer_tables_are_not_touched() {
    let world = World::start().await;
    let mut database = world.database().await;
    let name: String =
        sqlx::query("SELECT current_database()").fetch_one(&mut database).await.unwrap().get(0);
    let owner = postgres(&Cluster::shared().url(OWNER, &name));
    let version = migrate(&owner, None, PROGRAM).await.unwrap();
    world.intact().await;

    let newer = "UPDATE _sqlx_migrations SET version = 999
                  WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
    sqlx::query(newer).execute(&mut database).await.unwrap();
    let error = migrate(&owner, None, PROGRAM).await.unwrap_err().to_string();
    assert!(error.contains(&format!("which knows {version}")), "{error}");
    let error = migrate(&owner, None, OWNER).await.unwrap_err().to_string();
    assert!(error.contains("needs a role of its own"), "{error}");
    let program = postgres(&Cluster::shared().url(PROGRAM, "postgres"));
    assert!(migrate(&program, None, "other").await.is_err());
}
