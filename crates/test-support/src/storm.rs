//! Reloads under load: two policies take turns while connections send without pause.
//!
//! Every answer must be one that one of the two policies gives, and every decision record must
//! name the policy whose answer it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use crate::client::{Client, Protocol};
use crate::deadline::{eventually, soon};
use crate::edge_alone::{EdgeAlone, EdgeSetup, PolicyFolder};
use crate::swap::Swap;

/// Connections that send, half of them over HTTP/2.
const CONNECTIONS: usize = 8;

/// Reloads before memory is first looked at: by then everything that is kept has been made.
const WARM_UP: usize = 20;

/// Answers of each connection that are looked up in the records one by one.
const LOOKED_UP_MAX: usize = 500;

const ROUTES: &str = r#"
[resources]
things = { actions = ["see"] }
[routes]
thing = { match = "GET /thing", needs = "things.see", auth = "none" }
"#;

/// What a storm did.
#[derive(Debug, Clone)]
pub struct Calm {
    /// Reloads that put the other bundle in force.
    pub reloads: usize,
    /// Requests that were answered, by status.
    pub answers: BTreeMap<u16, usize>,
    /// Memory of the edge's process that is no file's, in KiB: after the warm-up and at the end.
    pub memory_kib: (u64, u64),
}

/// Lets two policies take turns `reloads` times, and says what came of it.
///
/// # Panics
/// When a request is dropped, an answer is neither policy's, a record names the wrong bundle, or a
/// record is missing.
pub async fn reload_under_load(reloads: usize) -> Calm {
    let open = PolicyFolder::with(ROUTES, "p, anonymous, things, see, any, allow\n");
    let shut = PolicyFolder::with(ROUTES, "p, staff, things, see, any, allow\n");
    let swap = Swap::new("policies", &open);
    let edge = EdgeSetup::default().policies(PolicyFolder::at(swap.link())).start().await;
    let mut bundles = BTreeMap::from([(200, in_force(&edge).await)]);

    let stop = Arc::new(AtomicBool::new(false));
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|number| {
            let protocol = Protocol::BOTH[number % 2];
            tokio::spawn(send(Client::new(edge.door(), protocol), stop.clone()))
        })
        .collect();
    let mut warm = 0;
    for turn in 0..WARM_UP + reloads {
        if turn == WARM_UP {
            warm = memory_kib(edge.process_id());
        }
        swap.to(if turn % 2 == 0 { &shut } else { &open });
        let reload = json!({"command": "policy_reload", "dry_run": false});
        let answer = ask(&edge.control(), &reload).await;
        assert_eq!(answer["answer"], json!("policy_change"), "{answer}");
        if turn == 0 {
            bundles.insert(403, in_force(&edge).await);
        }
        edge.recorder().take();
    }
    let memory_kib = (warm, memory_kib(edge.process_id()));
    stop.store(true, Ordering::Relaxed);
    let mut answers = BTreeMap::new();
    let mut looked_up = BTreeMap::new();
    for sender in senders {
        let sent = soon("the end of a sender", sender).await.unwrap();
        for (status, count) in sent.answers {
            *answers.entry(status).or_default() += count;
        }
        looked_up.extend(sent.looked_up);
    }
    check_records(&edge.access_log(), &bundles, &answers, looked_up).await;
    Calm { reloads, answers, memory_kib }
}

async fn in_force(edge: &EdgeAlone) -> String {
    let answer = ask(&edge.control(), &json!({"command": "policy_status"})).await;
    answer["status"]["in_force"]["hash"].as_str().unwrap().to_owned()
}

#[derive(Debug, Default)]
struct Sent {
    answers: BTreeMap<u16, usize>,
    /// Decision ids with their statuses.
    looked_up: BTreeMap<String, u16>,
}

/// One request after the other on one connection, none of which may fail.
async fn send(client: Client, stop: Arc<AtomicBool>) -> Sent {
    let mut connection = client.connect().await.unwrap();
    let mut sent = Sent::default();
    while !stop.load(Ordering::Relaxed) {
        let answer = client.get("/thing").send_on(&mut connection).await.unwrap();
        let id = answer.header("request-id").unwrap().to_owned();
        match answer.status {
            200 => assert_eq!(&*answer.body, b"ok\n"),
            _ => drop(answer.refused(403, "permission_denied")),
        }
        *sent.answers.entry(answer.status).or_default() += 1;
        if sent.looked_up.len() < LOOKED_UP_MAX {
            sent.looked_up.insert(id, answer.status);
        }
    }
    sent
}

/// Every record names the bundle whose answer it was; every answer has its record.
async fn check_records(
    log: &Path,
    bundles: &BTreeMap<u16, String>,
    answers: &BTreeMap<u16, usize>,
    mut looked_up: BTreeMap<String, u16>,
) {
    let expected: usize = answers.values().sum();
    eventually(format!("{expected} records"), || {
        let lines = BufReader::new(fs::File::open(log).ok()?).lines().count();
        (lines == expected).then_some(())
    })
    .await;
    let mut pairs = BTreeSet::new();
    for line in BufReader::new(fs::File::open(log).unwrap()).lines() {
        let record: Value = serde_json::from_str(&line.unwrap()).unwrap();
        let status = u16::try_from(record["status"].as_u64().unwrap()).unwrap();
        pairs.insert((status, record["bundle"].as_str().unwrap().to_owned()));
        if let Some(answered) = looked_up.remove(record["decision_id"].as_str().unwrap()) {
            assert_eq!(answered, status, "{record}");
        }
    }
    assert_eq!(looked_up, BTreeMap::new(), "answers without a record");
    let bundles: BTreeSet<_> = bundles.clone().into_iter().collect();
    assert_eq!(pairs, bundles, "every answer is that of the bundle it names");
}

/// What a process holds that is no file's.
fn memory_kib(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

/// One line to the edge, and one back.
async fn ask(control: &Path, command: &Value) -> Value {
    let exchange = async {
        let mut stream = UnixStream::connect(control).await.unwrap();
        stream.write_all(format!("{command}\n").as_bytes()).await.unwrap();
        let mut line = String::new();
        tokio::io::BufReader::new(stream).read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    };
    soon(format!("the answer to {command}"), exchange).await
}
