//! A first start, made once for all tests of a process: its data is copied for each of them.
//!
//! Making the demo's accounts and logging them in costs seconds of bcrypt; a copy costs none.
//! A copy holds the same keys, so the tokens of the first start are good for every copy.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use serde::Deserialize;
use tokio::sync::OnceCell;

use crate::built;
use crate::process::Process;
use crate::stockade::{Setup, Stockade};

/// What a running instance holds that a stopped one leaves behind.
const LEFT_OUT: [&str; 2] = ["lock", "access.log"];

static FIRST_START: OnceCell<FirstStart> = OnceCell::const_new();

/// An account that is logged in.
#[derive(Debug, Clone)]
pub struct Session {
    /// The role it has.
    pub role: String,
    /// Its name at login.
    pub username: String,
    /// Its access token.
    pub token: String,
}

/// The data of a system that was started for the first time, and stopped.
#[derive(Debug)]
pub(crate) struct FirstStart {
    files: Vec<(String, Vec<u8>)>,
    sessions: Vec<Session>,
}

impl FirstStart {
    pub(crate) async fn get() -> &'static Self {
        FIRST_START.get_or_init(|| Box::pin(Self::make())).await
    }

    async fn make() -> Self {
        let mut stockade = Setup::default().blank().start().await;
        let mut sessions = Vec::new();
        for (role, username, _) in stockade.accounts() {
            let token = token(&stockade, &username).await;
            sessions.push(Session { role, username, token });
        }
        let status = stockade.terminate().await;
        assert!(status.success(), "{status}:\n{}", stockade.process().stderr());
        Self { files: read_files(&stockade), sessions }
    }

    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.sessions.clone()
    }

    pub(crate) fn copy_to(&self, folder: &Path) {
        fs::DirBuilder::new().mode(0o700).create(folder).unwrap();
        for (name, bytes) in &self.files {
            let path = folder.join(name);
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

/// The account's access token, as `stockade token` prints it.
async fn token(stockade: &Stockade, username: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["token".as_ref(), username.as_ref(), "--demo".as_ref(), stockade.demo().as_os_str()];
    let mut process = Process::spawn(&built::program("stockade"), arguments, folder.path());
    let status = process.end().await;
    assert!(status.success(), "{status}:\n{}", process.stderr());
    process.stdout().trim().to_owned()
}

fn read_files(stockade: &Stockade) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(stockade.data()).unwrap().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

/// Role, user name and password of each account in `demo.json`.
pub(crate) fn read_accounts(demo: &Path) -> Vec<(String, String, String)> {
    #[derive(Deserialize)]
    struct Demo {
        accounts: Vec<Account>,
    }
    #[derive(Deserialize)]
    struct Account {
        role: String,
        username: String,
        password: String,
    }
    let demo: Demo = serde_json::from_slice(&fs::read(demo).unwrap()).unwrap();
    let each = |account: Account| (account.role, account.username, account.password);
    demo.accounts.into_iter().map(each).collect()
}
