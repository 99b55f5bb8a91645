//! Promises about messages: who is written to, what, and what happens when nobody takes them.

use std::fs;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hyper::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::json;
use stockade_settings::{MailSettings, MailTls};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::accounts::register;
use crate::call::Call;
use crate::factors::Someone;
use crate::world::World;

/// The next message in the world's folder that is not among those seen.
pub(crate) async fn next_message(world: &World, seen: &mut Vec<String>) -> String {
    let folder = world.settings.mail.folder.clone().unwrap();
    loop {
        let mut names: Vec<_> = fs::read_dir(&folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".eml") && !seen.contains(name))
            .collect();
        names.sort();
        if let Some(name) = names.first() {
            seen.push(name.clone());
            return fs::read_to_string(folder.join(name)).unwrap();
        }
        tokio::task::yield_now().await;
    }
}

/// The token behind the `#` of a message's link.
pub(crate) fn token(message: &str) -> String {
    // Long lines are folded by `=` (RFC 2045, 6.7).
    let message = message.replace("=\r\n", "");
    let (_, link) = message.split_once('#').unwrap();
    link.chars().take_while(|c| !c.is_whitespace()).collect()
}

fn verify(world: &World, token: &str) -> Call {
    world.call("POST", "/api/auth/email/verify").json(&json!({"token": token}))
}

#[tokio::test]
async fn whoever_registers_proves_their_address_by_a_link() {
    let world = World::start().await;
    let ann = Someone::new(&world, "ann").await;
    let mut seen = Vec::new();
    let message = next_message(&world, &mut seen).await;
    assert!(message.contains("To: ann@example.org\r\n"), "{message}");
    assert!(message.contains("From: Stockade <shop@localhost>\r\n"), "{message}");
    assert!(message.contains("https://localhost:8443/verify-email#"), "{message}");
    let me = async || ann.call(&world, "GET", "/api/me").send().await;
    assert_eq!(me().await.body["email_verified"], false);

    // Another link, while the first is good.
    let again = ann.call(&world, "POST", "/api/me/email/verification");
    assert_eq!(again.send().await.status, StatusCode::ACCEPTED);
    let other = next_message(&world, &mut seen).await;
    verify(&world, "made up").send().await.refused(400, "link_invalid");
    let proved = verify(&world, &token(&message)).send().await;
    assert_eq!(proved.status, StatusCode::NO_CONTENT, "{proved:?}");
    assert_eq!(me().await.body["email_verified"], true);
    for spent in [&message, &other] {
        verify(&world, &token(spent)).send().await.refused(400, "link_invalid");
    }
    let metrics = world.metrics().await;
    assert!(metrics.contains(r#"mails_total{outcome="sent"}"#), "{metrics}");
}

#[tokio::test]
async fn a_link_to_prove_an_address_is_good_for_a_day() {
    let world = World::start().await;
    Someone::new(&world, "ann").await;
    let message = next_message(&world, &mut Vec::new()).await;
    world.clock.advance(Duration::from_secs(24 * 60 * 60));
    verify(&world, &token(&message)).send().await.refused(400, "link_invalid");
}

#[tokio::test]
async fn what_waits_to_be_sent_is_sealed() {
    let world = World::start_with(|settings| {
        // A file where the folder should be: nothing can be written.
        settings.mail.folder = Some(settings.data_key_file.clone().unwrap());
    });
    let world = world.await;
    register(&world, "ann", "ann@example.org").send().await.created();
    let mut database = world.database().await;
    let mut attempts = 0;
    while attempts == 0 {
        tokio::task::yield_now().await;
        attempts = sqlx::query_scalar::<_, i64>("SELECT attempts FROM mail")
            .fetch_one(&mut database)
            .await
            .unwrap();
    }
    let message: Vec<u8> =
        sqlx::query_scalar("SELECT message FROM mail").fetch_one(&mut database).await.unwrap();
    assert!(!message.windows(13).any(|window| window == b"/verify-email"));
    let metrics = world.metrics().await;
    assert!(metrics.contains(r#"mails_total{outcome="given_up"} 0"#), "{metrics}");
}

/// A mail server that takes whatever it is given, and hands it on.
async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, taken: &mpsc::Sender<String>) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 here\r\n").await.unwrap();
    let mut said = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return;
        }
        said.push_str(&line);
        let answer: &[u8] = match line.get(..4).unwrap_or_default() {
            "EHLO" => b"250-here\r\n250 AUTH PLAIN\r\n",
            "AUTH" => b"235 welcome\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await.unwrap();
                while !said.ends_with("\r\n.\r\n") {
                    assert_ne!(stream.read_line(&mut said).await.unwrap(), 0);
                }
                taken.send(said.clone()).await.unwrap();
                b"250 taken\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        stream.write_all(answer).await.unwrap();
    }
}

/// A world that writes by a mail server.
async fn world_by(port: u16, change: impl FnOnce(&mut MailSettings)) -> World {
    World::start_with(|settings| {
        let mail = &mut settings.mail;
        mail.host = Some("localhost".to_owned());
        mail.port = NonZeroU16::new(port);
        change(mail);
    })
    .await
}

#[tokio::test]
async fn a_server_that_was_away_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let world = world_by(port, |mail| mail.tls = MailTls::None).await;
    register(&world, "ann", "ann@example.org").send().await.created();
    while !world.metrics().await.contains(r#"mails_total{outcome="failed"} 1"#) {
        tokio::task::yield_now().await;
    }

    let (taken, mut messages) = mpsc::channel(1);
    let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
    tokio::spawn(async move {
        loop {
            serve(listener.accept().await.unwrap().0, &taken).await;
        }
    });
    // The next attempt is due.
    world.clock.advance(Duration::from_secs(60));
    let said = messages.recv().await.unwrap();
    assert!(said.contains("MAIL FROM:<shop@localhost>"), "{said}");
    assert!(said.contains("RCPT TO:<ann@example.org>"), "{said}");
    assert_eq!(token(said.split_once("DATA").unwrap().1).len(), 43);
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_alone() {
    let folder = tempfile::tempdir().unwrap();
    let acceptor = acceptor(&folder.path().join("ca.pem"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (taken, mut messages) = mpsc::channel(1);
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // Whoever does not believe the certificate hangs up.
            let Ok(stream) = acceptor.accept(stream).await else { continue };
            serve(stream, &taken).await;
        }
    });
    let stranger = world_by(port, |_| {}).await;
    register(&stranger, "ann", "ann@example.org").send().await.created();
    while !stranger.metrics().await.contains(r#"mails_total{outcome="failed"} 1"#) {
        tokio::task::yield_now().await;
    }
    assert!(messages.try_recv().is_err());

    let password = folder.path().join("password");
    fs::write(&password, "let me in").unwrap();
    fs::set_permissions(&password, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let world = world_by(port, |mail| {
        mail.ca_file = Some(folder.path().join("ca.pem"));
        mail.username = Some("shop".to_owned());
        mail.password_file = Some(password);
    });
    let world = world.await;
    register(&world, "ann", "ann@example.org").send().await.created();
    let said = messages.recv().await.unwrap();
    // `\0shop\0let me in`.
    assert!(said.contains("AUTH PLAIN AHNob3AAbGV0IG1lIGlu"), "{said}");
}

/// A server for `localhost`, and the authority that vouches for it.
fn acceptor(authority_file: &Path) -> TlsAcceptor {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    fs::write(authority_file, params.self_signed(&authority_key).unwrap().pem()).unwrap();
    let authority = Issuer::new(params, authority_key);
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn settings_that_would_send_in_the_clear_or_by_halves_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let settings = crate::world::settings(folder.path());
    let refusal = async |change: &dyn Fn(&mut MailSettings)| {
        let mut settings = settings.clone();
        settings.mail.host = Some("mail.example".to_owned());
        change(&mut settings.mail);
        let clock = stockade_core_api::Clock::system();
        stockade_core_api::Core::start(&settings, clock).await.unwrap_err().to_string()
    };
    let clear = refusal(&|mail| mail.tls = MailTls::None).await;
    assert_eq!(clear, "core.mail.tls is \"none\", but `mail.example` is not on this machine");
    let half = refusal(&|mail| mail.username = Some("shop".to_owned())).await;
    assert_eq!(half, "core.mail.username and core.mail.password_file belong together");
    let from = refusal(&|mail| mail.from = "nobody".to_owned()).await;
    assert_eq!(from, "core.mail.from `nobody` is not a mailbox such as `Shop <shop@example.org>`");
}
