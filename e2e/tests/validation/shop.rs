//! The whole system with limits that do not get in the way, and those who ask it, each on one
//! connection for as long as it lasts.

use std::collections::BTreeMap;
use std::{env, fs};

use serde_json::Value;
use stockade_test_support::{Answer, PolicyFolder, RawTls, Setup, Stockade, built};

use crate::asked::{Asked, asked};
use crate::contract::Contract;

/// A SKU of the demo.
pub(crate) const LAMP: &str = "LAMP-BLACK";

/// What an answer can only know from the inside, besides where the data and other such files are.
const INSIDE: &[&str] = &[
    "sqlx",
    "sqlite",
    "SQLite",
    "SQLITE",
    "panicked",
    "backtrace",
    "thread '",
    ".rs:",
    "SELECT ",
    "INSERT ",
    "UNIQUE constraint",
    "/home/",
    "stockade_core_api",
    "core.sock",
];

/// A running system.
#[derive(Debug)]
pub(crate) struct Shop {
    pub(crate) stockade: Stockade,
    contract: Contract,
    /// The interface's description, as it is served.
    pub(crate) document: Value,
    _policies: PolicyFolder,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        Self::open_with("[edge.connections]\nhead_timeout_ms = 2000\nbody_timeout_ms = 2000").await
    }

    /// With settings of its own.
    pub(crate) async fn open_with(config: &str) -> Self {
        let policies = without_limits();
        let stockade = Setup::default().policies(policies.path()).config(config).start().await;
        let document = stockade.visitor().get("/api/openapi.json").send().await.json();
        Self { contract: Contract::read(&document), document, stockade, _policies: policies }
    }

    /// Somebody who asks.
    pub(crate) fn guest(&self) -> Guest<'_> {
        Guest { shop: self, connection: None }
    }

    /// Most memory that it has ever used, in KiB.
    pub(crate) fn peak_kib(&mut self) -> u64 {
        let path = format!("/proc/{}/status", self.stockade.process().id());
        let status = fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

/// The shipped policy, with the largest quota that there is.
fn without_limits() -> PolicyFolder {
    let shipped = |name: &str| fs::read_to_string(built::policies().join(name)).unwrap();
    let lines = shipped("routes.toml");
    let lines = lines.lines().map(|line| match line.split_once("quota = ") {
        Some((before, after)) if !line.starts_with('#') => {
            let rest = after.trim_start_matches(|digit: char| digit.is_ascii_digit());
            format!("{before}quota = 1000000{rest}\n")
        }
        _ => format!("{line}\n"),
    });
    PolicyFolder::with(&lines.collect::<String>(), &shipped("policy.csv"))
}

/// Somebody who asks one thing after another.
#[derive(Debug)]
pub(crate) struct Guest<'s> {
    shop: &'s Shop,
    connection: Option<RawTls>,
}

impl Guest<'_> {
    /// As the demo's account with this role.
    pub(crate) async fn ask_as(&mut self, role: &str, asked: Asked) -> Result<Answer, String> {
        let token = format!("Bearer {}", self.shop.stockade.session(role).token);
        self.ask(asked.field("Authorization", token)).await
    }

    /// The answer, unless something is wrong with it that is wrong for everybody.
    pub(crate) async fn ask(&mut self, asked: Asked) -> Result<Answer, String> {
        let answer = self.exchange(&asked).await;
        match self.fault(&asked, &answer) {
            None => Ok(answer),
            Some(fault) => {
                let body = String::from_utf8_lossy(&answer.body);
                let Asked { method, target, .. } = &asked;
                Err(format!("{fault}: {} {body} to {method} {target}", answer.status))
            }
        }
    }

    async fn exchange(&mut self, asked: &Asked) -> Answer {
        let door = self.shop.stockade.door();
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => RawTls::http1(&door).await,
        };
        // An edge that has heard enough may close before it has heard all.
        drop(connection.try_send(&asked.bytes(&door.host())).await);
        let answer = match asked.method.as_str() {
            "HEAD" => connection.response_head().await,
            _ => connection.response().await,
        };
        // Where the length is somebody's own idea, what is left over would be the next request.
        if answer.header("connection") != Some("close") && !asked.has("Content-Length") {
            self.connection = Some(connection);
        }
        answer
    }

    fn fault(&self, asked: &Asked, answer: &Answer) -> Option<String> {
        if answer.status >= 500 {
            return Some("a fault of ours".to_owned());
        }
        let body = String::from_utf8_lossy(&answer.body);
        let leaks = |words: &&str| body.contains(words) && !asked.says(words);
        // Data folders of tests are below it.
        let temporary = format!("{}/", env::temp_dir().display());
        let mut inside = INSIDE.iter().copied().chain([temporary.as_str()]);
        if let Some(words) = inside.find(leaks).filter(|_| answer.status >= 400) {
            return Some(format!("tells of `{words}`"));
        }
        self.shop.contract.fault(asked, answer)
    }

    /// Every item of a list, over all its pages, as a member of the demo sees them; what a
    /// member of each is, counted.
    pub(crate) async fn walk(&mut self, path: &str, member: &str) -> BTreeMap<String, usize> {
        let (mut seen, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let target = format!("{path}?limit=100{cursor}");
            let page = self.ask_as("super-admin", asked("GET", &target)).await.unwrap().json();
            for item in page["items"].as_array().unwrap() {
                if let Some(text) = item[member].as_str() {
                    *seen.entry(text.to_owned()).or_default() += 1;
                }
            }
            match &page["next"] {
                Value::String(next) => cursor = format!("&cursor={next}"),
                _ => return seen,
            }
        }
    }
}
