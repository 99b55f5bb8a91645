//! What holds of a database that is a file.

use std::fs;
use std::path::{Path, PathBuf};

use hyper::StatusCode;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use stockade_core_api::{PrivacyAdmin, verify};
use stockade_settings::store::StoreUrl;

use crate::accounts::{login, register};
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
async fn who_looks_after_peoples_data_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let Some(StoreUrl::Sqlite(file)) = &settings.store.url else { unreachable!() };
    let refused = async || {
        let error = PrivacyAdmin::open(&settings).await.err().unwrap().to_string();
        assert!(error.contains("there is no database"), "{error}");
        assert!(PrivacyAdmin::retention(&settings).await.is_err());
    };
    refused().await;
    assert!(!file.exists());
    fs::write(file, "").unwrap();
    refused().await;
    assert!(fs::read(file).unwrap().is_empty());
}

#[tokio::test]
async fn nothing_in_the_database_makes_a_code() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let (secret, codes) = enrol(&world, &ann).await;
    challenge(&world, "ann").await;
    let world = world.restart().await;
    let Some(StoreUrl::Sqlite(file)) = &world.settings.store.url else { unreachable!() };
    let bytes = fs::read(file).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"LAMP-BLACK"), "the file is read where it lies");
    assert!(!holds(b"ann@example.org"));
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

fn file(world: &World) -> PathBuf {
    let Some(StoreUrl::Sqlite(file)) = &world.settings.store.url else { unreachable!() };
    file.clone()
}

/// Whether the database, or what lies beside it, holds these bytes anywhere.
fn is_on_disk(file: &Path, needle: &[u8]) -> bool {
    ["", "-wal", "-shm"].iter().any(|suffix| {
        let bytes = fs::read(format!("{}{suffix}", file.display())).unwrap_or_default();
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}

#[tokio::test]
async fn nothing_of_an_erased_account_is_left_on_the_disk() {
    let world = World::start().await;
    // Enough that pages are split and merged.
    let mut others = Vec::new();
    for number in 0..40 {
        let name = format!("other{number}");
        register(&world, &name, &format!("{name}@example.org")).send().await.created();
        others.push(name);
    }
    let ann = Someone::new(&world, "ann").await;
    let name = json!({"name": "Ann Example Person"});
    let change = ann.call(&world, "PATCH", "/api/me").header("if-match", "*").json(&name);
    assert_eq!(change.send().await.status, StatusCode::OK);
    let (secret, _) = enrol(&world, &ann).await;
    let mut database = world.database().await;
    let ours = "SELECT k.wrapped, a.email, a.username, a.full_name, a.email_digest, t.secret
                  FROM account AS a
                  JOIN data_key AS k ON k.account_id = a.id
                  JOIN totp AS t ON t.account_id = a.id
                 WHERE a.id = $1";
    let row = sqlx::query(ours).bind(ann.id).fetch_one(&mut database).await.unwrap();
    let columns: Vec<Vec<u8>> = (0..6).map(|at| sqlx::Row::get(&row, at)).collect();
    drop(row);
    // Whoever reads keeps the log from being emptied.
    sqlx::Connection::close(database).await.unwrap();
    let file = file(&world);
    assert!(columns.iter().all(|column| is_on_disk(&file, column)), "they are there before");

    let plain = |secret: &str| secret.as_bytes().to_vec();
    let erased = ann.call(&world, "DELETE", "/api/me").send().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");
    let texts = [
        plain("ann@example.org"),
        plain("Ann Example Person"),
        plain(&secret),
        plain("other7@example.org"),
    ];
    for needle in columns.iter().chain(&texts) {
        assert!(!is_on_disk(&file, needle), "{needle:?} is still there");
    }
    assert_eq!(login(&world, "other7").send().await.status, StatusCode::OK);
    world.intact().await;
}

#[tokio::test]
async fn a_backup_does_not_bring_back_who_was_erased() {
    let world = World::start().await;
    let (ann, bob) = (Someone::new(&world, "ann").await, Someone::new(&world, "bob").await);
    let world = world.restart().await;
    // An order makes it harder: it is open in the backup.
    world.order(ann.id, "MUG-BLUE", 1).send().await.created();
    let world = world.restart().await;
    let backup = file(&world).with_file_name("backup.db");
    fs::copy(file(&world), &backup).unwrap();
    let orders = world.by(ann.id, "GET", "/api/orders").send().await;
    let order = orders.body["items"][0]["id"].as_str().unwrap().to_owned();
    world.cancel(ann.id, &order).send().await;
    let erased = ann.call(&world, "DELETE", "/api/me").send().await;
    assert_eq!(erased.status, StatusCode::OK, "{erased:?}");

    let world = world.restart_after(|file| fs::copy(&backup, file).map(|_| ()).unwrap()).await;
    ann.call(&world, "GET", "/api/me").send().await.refused(404, "not_found");
    login(&world, "ann").send().await.refused(400, "invalid_grant");
    assert_eq!(login(&world, "bob").send().await.status, StatusCode::OK);
    assert!(bob.call(&world, "GET", "/api/me").send().await.body["email"].is_string());
    world.intact().await;

    // From the command line, the same; and the other way round, a journal that was lost.
    let world = world
        .restart_after(|file| {
            let journal = file.with_file_name("erasures.jsonl");
            fs::write(journal, "").unwrap();
        })
        .await;
    let journal = world.settings.erasure_journal_file.clone().unwrap();
    assert!(fs::read_to_string(&journal).unwrap().contains(&ann.id.to_string()));
    let mut admin = PrivacyAdmin::open(&world.settings).await.unwrap();
    let replayed = admin.replay_erasures().await.unwrap();
    assert_eq!((replayed.erased, replayed.noted), (0, 0));
}

#[tokio::test]
async fn what_no_statement_mends_comes_back_from_a_backup() {
    let world = World::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (shop, backup) = (folder.path().join("shop.db"), folder.path().join("backup.db"));
    let copy = format!("VACUUM INTO '{}'", backup.display());
    sqlx::query(AssertSqlSafe(copy)).execute(&mut world.database().await).await.unwrap();
    fs::copy(&backup, &shop).unwrap();
    let url = StoreUrl::Sqlite(shop.clone());

    let mut database = SqliteConnection::connect(&url.to_string()).await.unwrap();
    sqlx::query("DROP TABLE reservation").execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let report = verify(&url, None).await.unwrap();
    let table = report.broken.iter().find(|one| one.subject == "table `reservation`").unwrap();
    assert!(table.repair.is_none() && table.advice.contains("backup"), "{table:?}");

    fs::copy(&backup, &shop).unwrap();
    let report = verify(&url, None).await.unwrap();
    assert!(report.is_intact(), "{report}");
}
