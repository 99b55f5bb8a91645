//! A banned address gets nothing, from the moment the command returns until its time is up.

use serde_json::json;
use stockade_test_support::{EdgeSetup, Protocol, Setup, Stockade};

/// An address of this machine that is not the operator's.
const GUEST: &str = "127.0.0.2";

#[tokio::test]
async fn a_ban_is_in_force_when_the_command_returns_and_on_open_connections() {
    let stockade = Stockade::start().await;
    let guest = stockade.visitor().at(GUEST);
    let mut open = guest.connect().await.unwrap();
    let first = guest.get("/api/products").send_on(&mut open).await.unwrap();
    assert_eq!(first.status, 200);

    let said = stockade.command(&["ban", GUEST, "--for", "1h"]).await;
    assert_eq!((said.code, said.out.contains(GUEST)), (Some(0), true), "{said:?}");

    let id = guest.get("/api/products").send_on(&mut open).await.unwrap().refused(403, "banned");
    let record = stockade.record(&id).await;
    assert_eq!((&record["step"], &record["client"]), (&json!("ban"), &json!(GUEST)));
    for protocol in Protocol::BOTH {
        let guest = guest.clone().over(protocol);
        guest.get("/nothing/here").send().await.refused(403, "banned");
    }
    assert_eq!(stockade.visitor().get("/api/products").send().await.status, 200);
    let listed = stockade.command(&["bans"]).await;
    assert!(listed.out.starts_with("127.0.0.2/32  until "), "{listed:?}");

    assert_eq!(stockade.command(&["unban", GUEST]).await.code, Some(0));
    assert_eq!(guest.get("/api/products").send().await.status, 200);
    assert_eq!(stockade.command(&["bans"]).await.out, "nobody is banned\n");
    assert_eq!(stockade.command(&["unban", GUEST]).await.code, Some(1));
}

#[tokio::test]
async fn a_ban_of_a_network_survives_a_restart() {
    let mut stockade = Stockade::start().await;
    assert_eq!(stockade.command(&["ban", "127.0.0.2/31", "--for", "2h"]).await.code, Some(0));

    stockade.terminate().await;
    stockade.start_again().await;

    let guest = stockade.visitor().at("127.0.0.3");
    guest.get("/api/products").send().await.refused(403, "banned");
    assert_eq!(stockade.visitor().get("/api/products").send().await.status, 200);
}

#[tokio::test]
async fn some_are_never_banned_and_nonsense_is_refused() {
    let config = "[edge]\nnever_ban = [\"127.0.0.1/32\"]\ntrusted_proxies = [\"10.0.0.0/8\"]\n";
    let stockade = Setup::default().config(config).start().await;
    let refused = [
        ("127.0.0.1", "never banned"),
        ("127.0.0.0/8", "never banned"),
        ("0.0.0.0/0", "never banned"),
        ("10.1.2.3", "never banned"),
        ("192.0.2.1/24", "did you mean 192.0.2.0/24?"),
        ("example.org", "neither an address nor a network"),
    ];
    for (network, why) in refused {
        let said = stockade.command(&["ban", network]).await;
        assert_eq!(said.code, Some(1), "{network}: {said:?}");
        assert!(said.error.contains(why), "{network}: {said:?}");
    }
    assert_eq!(stockade.command(&["ban", GUEST, "--for", "0s"]).await.code, Some(1));
    assert_eq!(stockade.command(&["bans"]).await.out, "nobody is banned\n");
}

/// Who is behind a trusted proxy is banned alone.
#[tokio::test]
async fn a_ban_is_of_the_client_and_not_of_its_proxy() {
    let proxies = "trusted_proxies = [\"127.0.0.1/32\"]";
    let edge = EdgeSetup::default().edge(proxies).start().await;
    let client = |address| edge.visitor().get("/").header("x-forwarded-for", address).send();
    assert_eq!(edge.command(&["ban", "198.51.100.7"]).await.code, Some(0));

    client("198.51.100.7").await.refused(403, "banned");
    assert_eq!(client("198.51.100.8").await.status, 200);
    assert_eq!(edge.visitor().get("/").send().await.status, 200);
}
