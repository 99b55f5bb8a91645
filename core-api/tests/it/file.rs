//! What holds of a database that is a file.

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use stockade_core_api::verify;
use stockade_settings::store::StoreUrl;

use crate::factors::{Someone, challenge, enrol};
use crate::start::refusal;
use crate::world::{World, settings};

#[tokio::test]
async fn a_database_that_cannot_be_opened_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store.url = Some(StoreUrl::Sqlite(folder.path().join("missing/core.db")));
    let message = refusal(&settings).await;
    assert!(message.starts_with("core.store.url `sqlite:"), "{message}");
    assert!(!settings.socket.unwrap().exists());
}

#[tokio::test]
async fn nothing_in_the_database_makes_a_code() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, codes) = enrol(&world, &ann).await;
    challenge(&world, "ann").await;
    let world = world.restart().await;
    let Some(StoreUrl::Sqlite(file)) = &world.settings.store.url else { unreachable!() };
    let bytes = std::fs::read(file).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"ann@example.org"), "the file is read where it lies");
    assert!(!holds(secret.as_bytes()));
    assert!(codes.iter().all(|code| !holds(code.as_bytes())));
    assert!(codes.iter().all(|code| !holds(code.replace('-', "").as_bytes())));
}

#[tokio::test]
async fn revocations_are_added_to_and_never_changed() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    ann.call(&world, "POST", "/api/auth/logout").send().await;
    let update = sqlx::query("UPDATE revocation SET seq = 9");
    let error = update.execute(&mut world.database().await).await.unwrap_err().to_string();
    assert!(error.contains("append-only"), "{error}");
}

#[tokio::test]
async fn what_no_statement_mends_comes_back_from_a_backup() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (shop, backup) = (folder.path().join("shop.db"), folder.path().join("backup.db"));
    let copy = format!("VACUUM INTO '{}'", backup.display());
    sqlx::query(AssertSqlSafe(copy)).execute(&mut world.database().await).await.unwrap();
    std::fs::copy(&backup, &shop).unwrap();
    let url = StoreUrl::Sqlite(shop.clone());

    let mut database = SqliteConnection::connect(&url.to_string()).await.unwrap();
    sqlx::query("DROP TABLE reservation").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let report = verify(&url, None).await.unwrap();
    let table = report.broken.iter().find(|one| one.subject == "table `reservation`").unwrap();
    assert!(table.repair.is_none() && table.advice.contains("backup"), "{table:?}");

    std::fs::copy(&backup, &shop).unwrap();
    let report = verify(&url, None).await.unwrap();
    assert!(report.is_intact(), "{report}");
}
