//! A server that cannot be had is one clear line at the start; one that goes away is waited for.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;

use hyper::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use stockade_core_api::{Clock, Core};
use stockade_settings::CoreSettings;
use stockade_settings::store::{StoreSettings, StoreUrl};
use stockade_test_support::postgres::{Cluster, OWNER, PASSWORD, PROGRAM};
use tempfile::TempDir;

use crate::backend::{at, postgres};
use crate::start::refusal;
use crate::world::{PRINT, World, settings, someone};

/// Settings of a core for this database, with the password in a file.
fn network(folder: &TempDir, url: &str, password: &str) -> CoreSettings {
    let file = folder.path().join("password");
    fs::write(&file, format!("{password}\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let store = StoreSettings { password_file: Some(file), ..at(url) };
    CoreSettings { store, ..settings(folder.path()) }
}

/// The database of other settings.
fn database(settings: &CoreSettings) -> String {
    let Some(StoreUrl::Postgres(url)) = &settings.store.url else { unreachable!() };
    url.database.clone()
}

#[tokio::test]
async fn a_password_is_asked_for_over_the_network() {
    let folder = tempfile::tempdir().unwrap();
    let name = database(&settings(folder.path()));
    let url = Cluster::shared().network_url(PROGRAM, &name);

    let said = refusal(&network(&folder, &url, "a guess")).await;
    assert!(said.starts_with(&format!("core.store.url `{url}`: ")), "{said}");
    assert!(said.contains("the user or the password is wrong"), "{said}");
    assert!(!said.contains("guess") && !said.contains('\n'), "{said}");
    let without = CoreSettings { store: at(&url), ..settings(folder.path()) };
    let said = refusal(&without).await;
    assert!(said.contains("the user or the password is wrong"), "{said}");

    let right = network(&folder, &url, PASSWORD);
    drop(Core::start(&right, Clock::system()).await.unwrap());
    let file = right.store.password_file.as_ref().unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
    let said = refusal(&right).await;
    assert!(said.contains("core.store.password_file: ") && said.contains("chmod 600"), "{said}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens on a port that was just given back.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let url = format!("postgres://stockade@{free}/shop");
    let said = refusal(&network(&folder, &url, PASSWORD)).await;
    assert!(said.contains(&format!("`{url}`: ")) && said.contains("nobody answers"), "{said}");
    let socket = "postgres:///shop?host=/nowhere&user=stockade";
    let said = refusal(&CoreSettings { store: at(socket), ..settings(folder.path()) }).await;
    assert!(said.contains("nobody answers there"), "{said}");

    let missing = Cluster::shared().url(PROGRAM, "missing");
    let said = refusal(&CoreSettings { store: at(&missing), ..settings(folder.path()) }).await;
    assert!(said.contains("database \"missing\" does not exist"), "{said}");
    let empty = Cluster::shared().create_database("template0");
    let empty = Cluster::shared().url(PROGRAM, &empty);
    let said = refusal(&CoreSettings { store: at(&empty), ..settings(folder.path()) }).await;
    assert!(said.contains("run `stockade migrate` as their owner"), "{said}");
}

/// A cluster that speaks TLS, with a certificate for `localhost`, and its authority's file.
fn with_tls(folder: &TempDir) -> (Cluster, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let server = server.signed_by(&key, &authority).unwrap();
    let cluster = Cluster::start(&[("fsync", "off")]);
    cluster.write("server.crt", &server.pem());
    cluster.write("server.key", &key.serialize_pem());
    cluster.sql("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.sql("postgres", "SELECT pg_reload_conf()");
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority.pem()).unwrap();
    (cluster, file.display().to_string())
}

#[tokio::test]
async fn a_server_proves_who_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (cluster, authority) = with_tls(&folder);
    let name = cluster.create_database("template0");
    stockade_core_api::migrate(&postgres(&cluster.url(OWNER, &name)), None, PROGRAM).await.unwrap();
    let at_host = |host: &str, authority: &str| {
        let url = cluster.network_url(PROGRAM, &name).replace("127.0.0.1", host);
        format!("{url}?sslmode=verify-full&sslrootcert={authority}")
    };

    let trusted = network(&folder, &at_host("localhost", &authority), PASSWORD);
    drop(Core::start(&trusted, Clock::system()).await.unwrap());

    // The certificate is of another name.
    let said = refusal(&network(&folder, &at_host("127.0.0.1", &authority), PASSWORD)).await;
    assert!(said.contains("no TLS that can be trusted"), "{said}");
    // Nobody who is trusted vouches for it.
    let other = folder.path().join("other.pem");
    let stranger = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(&other, stranger.cert.pem()).unwrap();
    let url = at_host("localhost", &other.display().to_string());
    let said = refusal(&network(&folder, &url, PASSWORD)).await;
    assert!(said.contains("no TLS that can be trusted"), "{said}");
    // A server without TLS is not taken for one with.
    let plain =
        Cluster::shared().network_url(PROGRAM, "postgres").replace("127.0.0.1", "localhost");
    let plain = format!("{plain}?sslmode=verify-full&sslrootcert={authority}");
    let said = refusal(&network(&folder, &plain, PASSWORD)).await;
    assert!(said.contains("server does not support TLS"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_back_is_used_again() {
    let cluster = Cluster::start(&[("fsync", "off")]);
    let name = cluster.create_database("template0");
    stockade_core_api::migrate(&postgres(&cluster.url(OWNER, &name)), None, PROGRAM).await.unwrap();
    let url = cluster.url(PROGRAM, &name);
    let world = World::start_with(|settings| settings.store = at(&url)).await;
    world.order(someone(), PRINT, 1).send().await.created();
    let order = world.order(someone(), PRINT, 1);

    cluster.crash();
    let refused = order.send().await;
    refused.refused(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let unread = world.call("GET", "/api/inventory?limit=100").send().await;
    unread.refused(503, "busy");
    assert_eq!(unread.header("retry-after"), Some("1"));
    cluster.run();

    // The same key, until it is known what became of it.
    let mut answer = order.send().await;
    while answer.status == StatusCode::SERVICE_UNAVAILABLE {
        answer = order.send().await;
    }
    answer.created();
    // Connections that read were lost, too; the pool finds out when it uses them.
    while world.call("GET", "/api/inventory?limit=100").send().await.status != StatusCode::OK {}
    assert_eq!(world.stock(PRINT).await.reserved, 2);
    world.intact().await;
}
