//! What holds of a database that is a file.

use stockade_settings::store::StoreUrl;

use crate::start::refusal;
use crate::world::settings;

#[tokio::test]
async fn a_database_that_cannot_be_opened_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.store.url = Some(StoreUrl::Sqlite(folder.path().join("missing/core.db")));
    let message = refusal(&settings).await;
    assert!(message.starts_with("core.store.url `sqlite:"), "{message}");
    assert!(!settings.socket.unwrap().exists());
}
