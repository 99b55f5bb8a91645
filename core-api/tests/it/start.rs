//! A core starts whole, or says in one line why not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use hyper::StatusCode;
use stockade_core_api::{Clock, Core};

use stockade_settings::store::StoreSettings;
use stockade_settings::{CoreSettings, ImageSettings, MailSettings};

use crate::world::{World, secret, settings, signing_key};

#[tokio::test]
async fn a_core_that_serves_is_ready() {
    let world = World::start().await;
    assert_eq!(world.ops("/readyz").await.0, StatusCode::OK);
    let ready = world.call("GET", "/internal/readyz").by("edge").send().await;
    assert_eq!(ready.body["status"], "ready");
}

pub(crate) async fn refusal(settings: &CoreSettings) -> String {
    Core::start(settings, Clock::system()).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_missing_setting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let all = settings(folder.path());
    let cases = [
        ("socket", CoreSettings { socket: None, ..all.clone() }),
        ("store.url", CoreSettings { store: StoreSettings::default(), ..all.clone() }),
        ("assertion_secret_file", CoreSettings { assertion_secret_file: None, ..all.clone() }),
        ("signing_key_file", CoreSettings { signing_key_file: None, ..all.clone() }),
        ("password_pepper_file", CoreSettings { password_pepper_file: None, ..all.clone() }),
        ("data_key_file", CoreSettings { data_key_file: None, ..all.clone() }),
        ("index_key_file", CoreSettings { index_key_file: None, ..all.clone() }),
        ("erasure_journal_file", CoreSettings { erasure_journal_file: None, ..all.clone() }),
        ("audit_key_file", CoreSettings { audit_key_file: None, ..all.clone() }),
        ("audit_checkpoints_file", CoreSettings { audit_checkpoints_file: None, ..all.clone() }),
        (
            "images.link_keys_file",
            CoreSettings {
                images: ImageSettings { link_keys_file: None, ..all.images.clone() },
                ..all.clone()
            },
        ),
        ("mail.host", CoreSettings { mail: MailSettings::default(), ..all.clone() }),
        (
            "images.folder",
            CoreSettings {
                images: ImageSettings { folder: None, ..all.images.clone() },
                ..all.clone()
            },
        ),
    ];
    for (name, settings) in cases {
        let expected = format!("core.{name} is not set in stockade.toml");
        assert_eq!(refusal(&settings).await, expected);
    }
}

#[tokio::test]
async fn money_is_not_asked_for_where_nobody_would_be_believed_about_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.payments.secret_key_file = secret(folder.path(), "stripe-key", "sk_test_0123456789");
    let message = refusal(&settings).await;
    assert_eq!(
        message,
        "core.payments.secret_key_file is set and core.payments.webhook_secret_files names no \
         file: no payment could ever be taken"
    );
}

#[tokio::test]
async fn a_secret_that_will_not_do_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let file = |name: &str| folder.path().join(name);

    fs::write(file("audit-key.pem"), signing_key()).unwrap();
    let message = refusal(&settings).await;
    assert!(message.starts_with("core.audit_key_file: `"), "{message}");
    assert!(message.contains("openssl genpkey -algorithm ed25519"), "{message}");

    fs::write(file("signing.pem"), "not a key").unwrap();
    let message = refusal(&settings).await;
    assert!(message.starts_with("core.signing_key_file: `"), "{message}");
    assert!(message.contains("openssl genpkey"), "{message}");

    fs::write(file("pepper"), "short").unwrap();
    let message = refusal(&settings).await;
    assert!(message.contains("the pepper has 5 bytes; at least 32 are needed"), "{message}");

    fs::set_permissions(file("assertion"), fs::Permissions::from_mode(0o644)).unwrap();
    let message = refusal(&settings).await;
    assert!(message.starts_with("core.assertion_secret_file: "), "{message}");
    assert!(message.contains("chmod 600"), "{message}");
    assert!(!file("core.sock").exists());
}

#[tokio::test]
async fn a_socket_that_is_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let first = Core::start(&settings, Clock::system()).await.unwrap();
    let message = refusal(&settings).await;
    assert!(message.contains("a running process answers there; stop it first"), "{message}");
    assert!(first.socket().exists());
    drop(first);

    let socket = settings.socket.as_deref().unwrap();
    fs::write(socket, "a file").unwrap();
    let message = refusal(&settings).await;
    assert!(message.contains("something else than a socket"), "{message}");
    assert!(socket.exists());
}
