//! What `stockade init` writes is served: in front of a service that knows nothing of Stockade.

use std::fs;
use std::path::{Path, PathBuf};

use stockade_test_support::deadline::{eventually, eventually_yes};
use stockade_test_support::{
    Client, Door, Process, Protocol, Recorder, TestIssuer, built, edge_addresses,
};

/// Runs `stockade init` for a service, in an empty folder.
async fn init(folder: &Path, service: &Recorder) {
    let upstream = format!("http://{}", service.address());
    let arguments = ["init", "edge", "--upstream", &upstream];
    let mut made = Process::spawn(&built::program("stockade"), arguments, folder);
    assert!(made.end().await.success(), "{}", made.stderr());
}

/// Replaces the one place where `from` stands.
fn edit(text: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{from}");
    text.replace(from, to)
}

/// An edge over what `init` wrote, changed as a user would: other ports, a log for machines, and
/// somebody whose tokens are believed.
async fn serve(folder: &Path, issuer: &TestIssuer) -> (Process, Client) {
    let edge = folder.join("edge");
    fs::write(edge.join("keys.json"), issuer.key_set().to_string()).unwrap();
    let claims = issuer.claims("", &[]);
    let settings = fs::read_to_string(edge.join("stockade.toml")).unwrap();
    let settings = edit(&settings, "127.0.0.1:8443", "127.0.0.1:0");
    let settings = edit(&settings, "127.0.0.1:9901", "127.0.0.1:0");
    let settings = format!(
        "{settings}\n[log]\nformat = \"json\"\n[[edge.issuers]]\nissuer = {}\naudience = {}\n\
         jwks_file = \"keys.json\"\n",
        claims["iss"], claims["aud"],
    );
    fs::write(edge.join("stockade.toml"), settings).unwrap();
    let arguments = ["--config", "edge/stockade.toml", "--policies", "edge/policies"];
    let arguments = arguments.map(PathBuf::from);
    let mut process = Process::spawn(&built::program("stockade-proxy"), arguments, folder);
    let (address, ops) = eventually("the edge's addresses", || {
        assert!(process.ended().is_none(), "the edge ended:\n{}", process.stderr());
        edge_addresses(&process.stderr())
    })
    .await;
    let probe = format!("http://{ops}/readyz");
    eventually_yes("an edge that is ready", || async {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["health", probe.as_str()];
        let mut asked = Process::spawn(&built::program("stockade"), arguments, folder.path());
        asked.end().await.success()
    })
    .await;
    let door = Door::new(address, &edge.join(".stockade/ca.pem"));
    (process, Client::new(door, Protocol::Http1))
}

#[tokio::test]
async fn a_fresh_start_protects_a_service() {
    let (folder, issuer) = (tempfile::tempdir().unwrap(), TestIssuer::default());
    let service = Recorder::start().await;
    init(folder.path(), &service).await;
    let (mut edge, visitor) = serve(folder.path(), &issuer).await;
    let user = visitor.clone().with_token(&issuer.token("ursula", &["user"]));
    let admin = visitor.clone().with_token(&issuer.token("ada", &["admin"]));

    assert_eq!(visitor.get("/").send().await.status, 200);
    assert_eq!(visitor.get("/pages/42").send().await.status, 200);
    assert_eq!(service.take().len(), 2);
    visitor.post("/pages").send().await.refused(401, "token_missing");
    visitor.get("/admin").send().await.refused(401, "token_missing");
    user.get("/admin/users").send().await.refused(403, "permission_denied");
    assert!(service.take().is_empty());

    let page = user.post("/pages").body("text/plain", "hello");
    assert_eq!(page.send().await.status, 200);
    assert_eq!(admin.at("127.0.0.1").get("/admin/users").send().await.status, 200);
    assert_eq!(service.take().len(), 2);
    assert!(edge.terminate().await.success());
}

#[tokio::test]
async fn the_admin_area_is_closed_to_other_networks() {
    let (folder, issuer) = (tempfile::tempdir().unwrap(), TestIssuer::default());
    let service = Recorder::start().await;
    init(folder.path(), &service).await;
    let routes = folder.path().join("edge/policies/routes.toml");
    let text = fs::read_to_string(&routes).unwrap();
    let text = edit(&text, r#"["127.0.0.1/32", "::1/128"]"#, r#"["192.0.2.0/24"]"#);
    fs::write(&routes, text).unwrap();
    let (_edge, visitor) = serve(folder.path(), &issuer).await;
    let admin = visitor.with_token(&issuer.token("ada", &["admin"]));
    admin.get("/admin").send().await.refused(403, "network_not_allowed");
    assert!(service.take().is_empty());
}
