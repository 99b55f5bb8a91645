//! What holds of a database that is a file.

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
