//! A start leaves a working system or one clear line; a stop loses nothing that was promised.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use stockade_test_support::deadline::eventually_yes;
use stockade_test_support::{
    EdgeAlone, FailedStart, Protocol, RawH2, RawTls, Setup, Stockade, built,
};
use tempfile::TempDir;

use crate::orders::{order, stock};

#[tokio::test]
async fn a_second_start_finds_what_the_first_one_left() {
    let mut stockade = Setup::default().blank().start().await;
    let (accounts, authority) = (stockade.accounts(), fs::read(stockade.authority()).unwrap());
    let (_, username, password) = accounts[0].clone();
    let token = stockade.visitor().log_in(&username, &password).await;
    let customer = stockade.visitor().with_token(&token);
    let placed = order(&customer, "MUG-BLUE", 2, "key-1").send().await;
    assert_eq!(placed.status, 201, "{placed:?}");

    assert_eq!(stockade.terminate().await.code(), Some(0), "{}", stockade.process().stderr());
    stockade.start_again().await;

    assert_eq!(stockade.accounts(), accounts);
    assert_eq!(fs::read(stockade.authority()).unwrap(), authority);
    stockade.visitor().log_in(&username, &password).await;
    // Keys last, so tokens do; the address does not, so the client is new.
    let customer = stockade.visitor().with_token(&token);
    let orders = customer.get("/api/orders").send().await.json();
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
    assert_eq!(orders["items"][0]["id"], placed.json()["id"]);
    let replayed = order(&customer, "MUG-BLUE", 2, "key-1").send().await;
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_kill() {
    let mut stockade = Stockade::start().await;
    let customer = stockade.member("customer");
    let mut placed = Vec::new();
    for number in 0..10 {
        let answer = order(&customer, "MUG-BLUE", 1, &format!("key-{number}")).send().await;
        assert_eq!(answer.status, 201);
        placed.push(answer.json()["id"].clone());
    }

    stockade.process().kill();
    assert!(stockade.data().join("core.sock").exists(), "nobody tidied up");
    stockade.start_again().await;

    let customer = stockade.member("customer");
    for id in &placed {
        let path = format!("/api/orders/{}", id.as_str().unwrap());
        assert_eq!(customer.get(&path).send().await.status, 200);
    }
    assert_eq!(stock(&stockade, "MUG-BLUE").await, (500, 10));
}

#[tokio::test]
async fn sigterm_ends_it_in_good_order() {
    let mut stockade = Stockade::start().await;
    let (data, door) = (stockade.data(), stockade.door());
    assert_eq!(stockade.probe(stockade.ops(), "/readyz").await.0, 200);
    assert_eq!(stockade.probe(stockade.core_ops(), "/readyz").await.0, 200);

    assert_eq!(stockade.terminate().await.code(), Some(0), "{}", stockade.process().stderr());

    assert!(!data.join("ready.json").exists());
    assert!(!data.join("core.sock").exists());
    assert!(door.reach(None).await.is_err());
    let log = stockade.process().stderr();
    assert!(!log.contains("ERROR") && !log.contains("panicked"), "{log}");
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_end() {
    let mut stockade = Stockade::start().await;
    let mut raw = RawTls::http1(&stockade.door()).await;
    begin_order(&mut raw, &stockade.session("customer").token).await;

    stockade.process().ask_to_stop();
    // It has begun to stop: nobody new is let in.
    let closed = || async { stockade.door().reach(None).await.is_err() };
    eventually_yes("a closed door", closed).await;
    raw.send(ORDER).await;

    assert_eq!(raw.response().await.status, 201);
    raw.read_to_end().await;
    let status = stockade.process().end().await;
    assert_eq!(status.code(), Some(0), "{}", stockade.process().stderr());
    stockade.start_again().await;
    assert_eq!(stock(&stockade, "MUG-BLUE").await, (500, 1));
}

#[tokio::test]
async fn a_stream_in_flight_is_answered_before_the_end() {
    let mut edge = EdgeAlone::start().await;
    let door = edge.door();
    let mut h2 = RawH2::connect(&door).await;
    let head: [(&[u8], &[u8]); 5] = [
        (b":method", b"POST"),
        (b":scheme", b"https"),
        (b":authority", b"localhost"),
        (b":path", b"/"),
        (b"content-type", b"text/plain"),
    ];
    // A second one that is answered tells that the first one has begun.
    let stream = h2.open(&head).await;
    let second = h2.open_and_end(&head).await;
    assert_eq!(h2.end_of(second).await.status, Some(200));

    edge.process().ask_to_stop();
    eventually_yes("a closed door", || async { door.reach(None).await.is_err() }).await;
    h2.last_data(stream, b"the rest").await;

    let end = h2.end_of(stream).await;
    assert_eq!((end.status, end.complete), (Some(200), true), "{end:?}");
    while h2.frame().await.is_some() {}
    assert_eq!(edge.process().end().await.code(), Some(0));
    assert_eq!(edge.recorder().requests().last().unwrap().body, b"the rest");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let mut stockade = Stockade::start().await;
    let mut held = Vec::new();
    for protocol in Protocol::BOTH {
        let client = stockade.visitor().over(protocol);
        let mut connection = client.connect().await.unwrap();
        let answer = client.get("/api/products").send_on(&mut connection).await;
        assert_eq!(answer.unwrap().status, 200);
        held.push(connection);
    }

    let asked = tokio::time::Instant::now();
    assert_eq!(stockade.terminate().await.code(), Some(0));

    // The drain's time is twenty seconds, which nobody needs here.
    assert!(asked.elapsed().as_secs() < 10, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn sigterm_during_the_start_ends_it_in_good_order() {
    // A blank start takes seconds, most of them to make the demo's accounts.
    for file in ["lock", "demo.json", "stockade.db"] {
        let mut stockade = Setup::default().blank().begin().await;
        let path = stockade.data().join(file);
        eventually_yes(file, || async { path.exists() }).await;

        let status = stockade.terminate().await;

        assert_eq!(status.code(), Some(0), "{file}: {status} {}", stockade.process().stderr());
        assert!(!stockade.data().join("ready.json").exists(), "{file}");
        assert!(!stockade.data().join("core.sock").exists(), "{file}");
        // What is there is whole: the next start goes on with it.
        stockade.start_again().await;
        let (_, username, password) = stockade.accounts().swap_remove(0);
        stockade.visitor().log_in(&username, &password).await;
    }
}

#[tokio::test]
async fn a_port_that_is_taken_stops_the_start() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--listen", "--ops-listen", "--core-ops-listen", "--payments-listen"] {
        let failed = Setup::default().listen(flag, &address).fail().await;
        gave_up(&failed, &[&address, "in use"]);
    }
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_made_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "in the way").unwrap();
    for path in [file.clone(), file.join("below")] {
        let failed = Setup::default().data_dir(&path).fail().await;
        gave_up(&failed, &["data folder", &path.display().to_string(), "--data-dir"]);
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "in the way");
}

#[tokio::test]
async fn a_data_folder_in_use_stops_the_start() {
    let running = Stockade::start().await;

    let failed = Setup::default().data_dir(running.data()).fail().await;

    assert_eq!(failed.code(), Some(1));
    let told = failed.stderr();
    assert!(told.contains("in use by another `stockade up`"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    // The one that was there first is not disturbed.
    assert!(running.data().join("ready.json").exists());
    assert_eq!(running.visitor().get("/api/products").send().await.status, 200);
}

#[tokio::test]
async fn a_broken_policy_stops_the_start_and_is_told_with_its_place() {
    let broken = [
        ("policy.csv", "own,    allow", "own,    alow"),
        ("roles.csv", "g,   staff,", "h,   staff,"),
        ("routes.toml", "auth = \"required\",", "auth = \"requird\","),
    ];
    for (name, right, wrong) in broken {
        let policies = changed_policies(name, right, wrong);
        let line = line_of(&policies.path().join(name), wrong);

        let failed = Setup::default().policies(policies.path()).fail().await;

        let place = format!("{}:{line}:", policies.path().join(name).display());
        assert_eq!(failed.code(), Some(1));
        let told = failed.stderr();
        assert!(told.starts_with(&format!("stockade: {place}")), "no `{place}`:\n{told}");
        left_nothing(&failed);
    }
}

#[tokio::test]
async fn a_policy_that_others_may_write_stops_the_start() {
    let policies = changed_policies("policy.csv", "", "");
    let path = policies.path().join("policy.csv");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();

    let failed = Setup::default().policies(policies.path()).fail().await;

    gave_up(&failed, &["policy.csv", "P002"]);
}

#[tokio::test]
async fn no_policies_stop_the_start() {
    let failed = Setup::default().policies("/nowhere/policies").fail().await;

    gave_up(&failed, &["/nowhere/policies"]);
}

#[tokio::test]
async fn a_broken_setting_stops_the_start_and_is_told_with_its_place() {
    let broken = [
        ("[edge]\n\nlisen = \"127.0.0.1:1\"\n", ["settings.toml:3:1: ", "lisen"]),
        ("[edge]\nlisten = \"here\"\n", ["settings.toml:2:10: ", "address"]),
        ("[edge.connections]\nmax = 0\n", ["settings.toml:2:7: ", "0"]),
        ("[edge.conections]\nmax = 5\n", ["settings.toml:1:7: ", "conections"]),
        ("[edge\n", ["settings.toml:1:6: ", ""]),
    ];
    for (text, expected) in broken {
        let failed = Setup::default().config(text).fail().await;
        gave_up(&failed, &expected);
    }
}

#[tokio::test]
async fn a_public_address_stops_the_start() {
    for flag in ["--listen", "--ops-listen", "--core-ops-listen", "--payments-listen"] {
        let failed = Setup::default().listen(flag, "0.0.0.0:0").fail().await;
        gave_up(&failed, &["0.0.0.0:0", "loopback"]);
    }
}

/// It ended with 1 after one line that says all this, and left nothing.
#[track_caller]
fn gave_up(failed: &FailedStart, told: &[&str]) {
    assert_eq!(failed.code(), Some(1));
    let said = failed.stderr();
    // The log may have said before that payments go to a mock.
    let lines: Vec<_> = said.lines().filter(|line| !line.contains(" WARN ")).collect();
    let [line] = lines.as_slice() else { unreachable!("it says why in one line: {said}") };
    assert!(line.starts_with("stockade: "), "{line}");
    for part in told {
        assert!(line.contains(part), "no `{part}` in {line}");
    }
    left_nothing(failed);
}

/// Nothing listens once a process is gone; what it made in its folder could remain.
#[track_caller]
fn left_nothing(failed: &FailedStart) {
    assert!(!failed.data().join("ready.json").exists());
    assert!(!failed.data().join("core.sock").exists());
}

pub(crate) const ORDER: &str = r#"{"lines":[{"sku":"MUG-BLUE","quantity":1}]}"#;

/// Sends the head of an order; that the core asks for the rest tells that it is in flight.
pub(crate) async fn begin_order(raw: &mut RawTls, token: &str) {
    raw.send(format!(
        "POST /api/orders HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
         Idempotency-Key: k\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        ORDER.len()
    ))
    .await;
    assert_eq!(raw.response().await.status, 100);
}

/// The shipped policies with one change.
fn changed_policies(name: &str, right: &str, wrong: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["model.conf", "roles.csv", "policy.csv", "routes.toml"] {
        let mut text = fs::read_to_string(built::policies().join(file)).unwrap();
        if file == name {
            assert!(text.contains(right), "{name} lacks `{right}`");
            text = text.replacen(right, wrong, 1);
        }
        let path = folder.path().join(file);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    folder
}

/// Where a text stands in a file, from 1.
fn line_of(path: &Path, text: &str) -> usize {
    let file = fs::read_to_string(path).unwrap();
    file.lines().position(|line| line.contains(text)).unwrap() + 1
}
