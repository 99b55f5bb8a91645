//! What was acknowledged stays, however the core ends.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use http_body_util::BodyExt as _;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::Connection as _;
use stockade_core_api::{Clock, Core, verify, verify_images};
use stockade_settings::CoreSettings;
use stockade_test_support::form;
use tokio::net::UnixStream;
use tokio::task::JoinSet;

use crate::backend::check_is_private;
use crate::call::call;
use crate::world::{PRINT, Stock, World, settings, someone};

#[tokio::test]
async fn a_restart_keeps_everything() {
    let world = World::start().await;
    let ann = someone();
    let call = world.order(ann, PRINT, 4);
    let order = call.send().await;
    order.created();

    let world = world.restart().await;

    check_is_private(&world.settings.store);
    let path = format!("/api/orders/{}", order.text("id"));
    assert_eq!(world.by(ann, "GET", path).send().await.body["total_minor"], 48_000);
    assert_eq!(world.stock(PRINT).await, Stock { on_hand: 10, reserved: 4 });
    assert_eq!(call.send().await.header("idempotency-replayed"), Some("true"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_finished_before_the_core_ends() {
    let world = World::start().await;
    let lock = world.hold_writes().await;
    let order = world.order(someone(), PRINT, 1);
    let begun = order.begin().await;

    world.stop();
    let finished = tokio::spawn({
        let order = order.clone();
        async move { order.finish(begun).await }
    });
    lock.close().await.unwrap();

    let answer = finished.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    let world = world.restart().await;
    assert_eq!(world.stock(PRINT).await.reserved, 1);
}

#[tokio::test]
async fn a_core_that_is_dropped_keeps_what_it_acknowledged() {
    let world = World::start().await;
    let ann = someone();
    for _ in 0..5 {
        world.order(ann, "MUG-BLUE", 1).send().await.created();
    }
    let world = world.crash().await;
    let list = world.by(ann, "GET", "/api/orders").send().await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 5);
    assert_eq!(world.stock("MUG-BLUE").await.reserved, 5);
}

/// The program itself, on the settings of `folder`.
fn spawn(folder: &Path, settings: &CoreSettings) -> Child {
    let url = settings.store.url.as_ref().unwrap();
    let file = folder.join("stockade.toml");
    let text = format!(
        r#"
        [core]
        socket = "core.sock"
        ops_listen = "127.0.0.1:0"
        assertion_secret_file = "assertion"
        signing_key_file = "signing.pem"
        password_pepper_file = "pepper"
        data_key_file = "data-key"
        index_key_file = "index-key"
        erasure_journal_file = "erasures.jsonl"
        audit_key_file = "audit-key.pem"
        audit_checkpoints_file = "audit-checkpoints.jsonl"
        images = {{ folder = "images", link_keys_file = "image-link-keys" }}
        mail = {{ folder = "mail" }}

        [core.store]
        url = "{url}"
    "#
    );
    fs::write(&file, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_stockade-core-api"))
        .arg("--config")
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Until the program listens on its socket.
async fn listening(process: &mut Child, socket: &Path) {
    while UnixStream::connect(socket).await.is_err() {
        assert_eq!(process.try_wait().unwrap(), None, "the program ended");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_asked_to_end_finishes_what_was_begun() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let socket = settings.socket.as_deref().unwrap();
    let core = Core::start(&settings, Clock::system()).await.unwrap();
    core.seed_demo(&[]).await.unwrap();
    drop(core);

    let mut process = spawn(folder.path(), &settings);
    listening(&mut process, socket).await;
    let order = call(socket, &Clock::system(), "POST", "/api/orders")
        .by(&someone().to_string())
        .key("k")
        .json(&serde_json::json!({"lines": [{"sku": PRINT, "quantity": 1}]}));
    let begun = order.begin().await;
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    // Whoever comes now finds no socket any more.
    while socket.exists() {
        tokio::task::yield_now().await;
    }

    let answer = order.finish(begun).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    let ended = tokio::task::spawn_blocking(move || process.wait()).await.unwrap().unwrap();
    assert!(ended.success(), "{ended}");
    let report = verify(settings.store.url.as_ref().unwrap(), None).await.unwrap();
    assert!(report.is_intact(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_keeps_what_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let socket = settings.socket.as_deref().unwrap();
    let core = Core::start(&settings, Clock::system()).await.unwrap();
    core.seed_demo(&[]).await.unwrap();
    drop(core);

    let mut process = spawn(folder.path(), &settings);
    listening(&mut process, socket).await;
    let ann = someone();
    let order = |key: usize| {
        call(socket, &Clock::system(), "POST", "/api/orders")
            .by(&ann.to_string())
            .key(&format!("k{key}"))
            .json(&serde_json::json!({"lines": [{"sku": "MUG-BLUE", "quantity": 1}]}))
    };
    for key in 0..20 {
        order(key).send().await.created();
    }
    process.kill().unwrap();
    process.wait().unwrap();

    // The dead process left its socket behind; the next one takes it over.
    let mode = fs::metadata(socket).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let mut process = spawn(folder.path(), &settings);
    listening(&mut process, socket).await;
    for key in 0..20 {
        assert_eq!(order(key).send().await.header("idempotency-replayed"), Some("true"));
    }
    let list = call(socket, &Clock::system(), "GET", "/api/orders?limit=100").send().await;
    assert_eq!(list.body["items"].as_array().unwrap().len(), 20);
    process.kill().unwrap();
    process.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_amid_uploads_shows_what_it_acknowledged_and_leaks_nothing() {
    const UPLOADS: u8 = 10;
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let socket = settings.socket.as_deref().unwrap();
    let core = Core::start(&settings, Clock::system()).await.unwrap();
    drop(core);
    let ask = |method, path: &str| call(socket, &Clock::system(), method, path);
    let mut acknowledged = Vec::new();
    for kill in 1..=UPLOADS {
        let mut process = spawn(folder.path(), &settings);
        listening(&mut process, socket).await;
        let product = serde_json::json!({"name": "Vase", "description": ""});
        let product = ask("POST", "/api/products").json(&product).send().await;
        let path = format!("{}/images", product.header("location").unwrap());
        let mut uploads = JoinSet::new();
        for size in 1..=UPLOADS {
            let picture = image::GrayImage::new(u32::from(size) * 9, 9);
            let mut bytes = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
            let body = form::image("image/png", bytes.get_ref());
            let call = ask("POST", &path).bytes(form::MEDIA_TYPE, body);
            let mut sender = call.connect().await;
            uploads.spawn(async move {
                let answer = sender.send_request(call.request()).await.ok()?;
                let is_made = answer.status().as_u16() == 201;
                let bytes = answer.into_body().collect().await.ok()?.to_bytes();
                is_made.then(|| serde_json::from_slice::<serde_json::Value>(&bytes).unwrap())
            });
        }
        // Each time one more is through.
        for _ in 1..kill {
            acknowledged.extend(uploads.join_next().await.unwrap().unwrap());
        }
        process.kill().unwrap();
        process.wait().unwrap();
        acknowledged.extend(uploads.join_all().await.into_iter().flatten());
        let url = settings.store.url.as_ref().unwrap();
        let report = verify_images(url, None, &settings.images).await.unwrap();
        assert!(report.is_intact(), "{report}");
    }
    let mut process = spawn(folder.path(), &settings);
    listening(&mut process, socket).await;
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    for image in &acknowledged {
        for url in ["url", "thumbnail_url"] {
            let shown = ask("GET", image[url].as_str().unwrap()).send().await;
            assert_eq!(shown.status.as_u16(), 200, "{image}");
        }
    }
    process.kill().unwrap();
    process.wait().unwrap();
}
