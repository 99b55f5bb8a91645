//! A shop is copied from SQLite whole and proven, or not at all.

use std::path::Path;

use sqlx::{Connection as _, SqliteConnection};
use stockade_core_api::{Clock, Core, TrailPlace, copy, verify, verify_images, verify_trail};
use stockade_settings::CoreSettings;
use stockade_settings::store::{StoreSettings, StoreUrl};
use stockade_test_support::form;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::backend::{self, connect};
use crate::call::call;
use crate::world::{PRINT, World, settings, someone};

/// A shop in SQLite with an order and its account, whose core has ended.
async fn shop(folder: &TempDir) -> (CoreSettings, serde_json::Value) {
    let url = StoreUrl::Sqlite(folder.path().join("core.db"));
    let store = StoreSettings { url: Some(url), ..StoreSettings::default() };
    let settings = CoreSettings { store, ..settings(folder.path()) };
    let core = Core::start(&settings, Clock::system()).await.unwrap();
    let account = stockade_core_api::DemoAccount {
        username: "ann".to_owned(),
        password: "correct horse battery staple".to_owned(),
        role: "staff".to_owned(),
        totp_secret: Some("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP".to_owned()),
    };
    core.seed_demo(&[account]).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(core.serve(stopped));
    let socket = settings.socket.as_deref().unwrap();
    let order = call(socket, &Clock::system(), "POST", "/api/orders")
        .by(&someone().to_string())
        .key("k")
        .json(&serde_json::json!({"lines": [{"sku": PRINT, "quantity": 3}]}));
    let placed = order.send().await;
    placed.created();
    let upload =
        call(socket, &Clock::system(), "POST", format!("{}/images", product(socket).await))
            .bytes(form::MEDIA_TYPE, form::image("image/png", &picture()));
    upload.send().await.created();
    stop.send_replace(true);
    serving.await.unwrap().unwrap();
    (settings, placed.body)
}

/// The first product, as its path.
async fn product(socket: &Path) -> String {
    let list = call(socket, &Clock::system(), "GET", "/api/products?limit=1").send().await;
    format!("/api/products/{}", list.body["items"][0]["id"].as_str().unwrap())
}

fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::GrayImage::new(9, 9).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[tokio::test]
async fn a_shop_goes_on_in_postgres_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (old, order) = shop(&folder).await;
    let new = backend::store(folder.path());
    let (from, to) = (old.store.url.as_ref().unwrap(), new.url.as_ref().unwrap());

    let copied = copy(from, to, None).await.unwrap();

    assert!(copied.report.is_intact(), "{}", copied.report);
    let rows = |table: &str| copied.tables.iter().find(|one| one.0 == table).unwrap().1;
    assert_eq!((rows("orders"), rows("account"), rows("idempotency_key")), (1, 1, 1));
    assert_eq!((rows("totp"), rows("product_image"), rows("image_removal")), (1, 1, 0));
    assert!(verify_images(to, None, &old.images).await.unwrap().is_intact());
    assert!(rows("stock") > 5 && rows("stock_movement") > 6, "{copied:?}");
    assert!(verify(to, None).await.unwrap().is_intact());

    let settings = CoreSettings { store: new.clone(), ..old.clone() };
    let core = Core::start(&settings, Clock::system()).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let serving = tokio::spawn(core.serve(stopped));
    let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
    let socket = settings.socket.as_deref().unwrap();
    let again = call(socket, &Clock::system(), "GET", path).send().await;
    assert_eq!(again.body["lines"], order["lines"]);
    assert_eq!(again.body["expires_at"], order["expires_at"]);
    let product = call(socket, &Clock::system(), "GET", product(socket).await).send().await;
    let image = product.body["images"][0]["url"].as_str().unwrap();
    let shown = call(socket, &Clock::system(), "GET", image).send().await;
    assert_eq!(shown.header("content-type"), Some("image/png"));
    stop.send_replace(true);
    serving.await.unwrap().unwrap();

    // The audit trail goes on where it was, and what was told before still fits.
    let place = TrailPlace {
        url: to,
        password_file: None,
        key_file: settings.audit_key_file.as_deref().unwrap(),
        checkpoints_file: settings.audit_checkpoints_file.as_deref().unwrap(),
    };
    let trail = verify_trail(place).await.unwrap();
    assert!(trail.is_intact() && trail.told >= 1 && trail.rows > 10, "{trail}");

    let error = copy(from, to, None).await.unwrap_err().to_string();
    assert!(error.contains("is not empty; nothing was changed"), "{error}");
}

#[tokio::test]
async fn a_shop_that_contradicts_itself_is_not_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (old, _) = shop(&folder).await;
    let file = format!("sqlite:{}", folder.path().join("core.db").display());
    let mut source = SqliteConnection::connect(&file).await.unwrap();
    let wrong = "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'PRINT-10'";
    sqlx::query(wrong).execute(&mut source).await.unwrap();
    source.close().await.unwrap();
    let new = backend::store(folder.path());
    let (from, to) = (old.store.url.as_ref().unwrap(), new.url.as_ref().unwrap());

    let error = copy(from, to, None).await.unwrap_err().to_string();

    assert!(error.contains("BROKEN  the movements of a sku sum to what is on hand"), "{error}");
    let count = "SELECT count(*) FROM account";
    let mut target = connect(&new).await;
    let accounts: i64 = sqlx::query_scalar(count).fetch_one(&mut target).await.unwrap();
    assert_eq!(accounts, 0);
    let error = copy(to, from, None).await.unwrap_err().to_string();
    assert!(error.starts_with("a shop is copied from `sqlite:...` to `postgres://...`"), "{error}");
}

#[tokio::test]
async fn verify_finds_what_was_written_past_the_core() {
    let world = World::start().await;
    world.order(someone(), PRINT, 3).send().await.created();
    world.intact().await;
    let mut database = world.database().await;
    for statement in [
        "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'PRINT-10'",
        "UPDATE orders SET state = 'cancelled'",
        "ALTER TABLE stock DROP CONSTRAINT stock_reserved_is_on_hand",
        "DROP TRIGGER stock_movement_is_not_changed ON stock_movement",
        "ALTER TABLE sku DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DELETE FROM product",
        "ALTER TABLE category RENAME TO categories",
    ] {
        sqlx::query(statement).execute(&mut database).await.unwrap();
    }
    let report = verify(world.settings.store.url.as_ref().unwrap(), None).await.unwrap();
    let text = report.to_string();
    for broken in [
        "sku `PRINT-10`: 11 on hand, movements sum to 10",
        "is pending, its order is cancelled",
        "constraint `stock_reserved_is_on_hand`: is missing",
        "trigger `stock_movement_is_not_changed`: is missing",
        "table `sku`: refers to a row of `product`",
        "its references are not checked",
        "cannot be checked: ",
    ] {
        assert!(text.contains(broken), "{broken}: {text}");
    }
}
