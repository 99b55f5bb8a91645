//! `demo.json`: the demo's accounts, with passwords drawn on the first start.
//!
//! One account a line, so that a shell can read it without a JSON parser.

use std::fs;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use stockade_core_api::{DemoAccount, totp_secret};

use super::data_dir::DataDir;
use super::ready::Ready;
use super::secrets::random_hex;

const FILE: &str = "demo.json";

/// Who the demo knows: role, user name, and whether the policy wants a second factor of them.
const ACCOUNTS: [(&str, &str, bool); 4] = [
    ("customer", "customer", false),
    ("staff", "staff", true),
    ("admin", "admin", true),
    ("super-admin", "superadmin", true),
];

/// The demo's accounts.
#[derive(Debug, Deserialize)]
pub(super) struct Demo {
    accounts: Vec<Account>,
}

#[derive(Serialize, Deserialize)]
struct Account {
    role: String,
    username: String,
    password: String,
    /// The shared secret of the account's second factor, where it has one.
    totp_secret: Option<String>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Demo {
    /// The accounts of an earlier start, or new ones.
    pub(super) fn load_or_make(data: &DataDir) -> anyhow::Result<Self> {
        let path = data.path(FILE);
        if path.exists() {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read `{}`", path.display()))?;
            return serde_json::from_slice(&bytes).with_context(|| {
                format!("`{}` is not as it was written; remove the data folder", path.display())
            });
        }
        let accounts = ACCOUNTS
            .into_iter()
            .map(|(role, username, has_factor)| {
                Ok(Account {
                    role: role.to_owned(),
                    username: username.to_owned(),
                    password: random_hex::<12>()?,
                    totp_secret: if has_factor { Some(totp_secret()?) } else { None },
                })
            })
            .collect::<anyhow::Result<_>>()?;
        let demo = Self { accounts };
        // Before the accounts exist in the core: a start that is cut short loses no password.
        data.write(FILE, demo.to_json("", "")?.as_bytes())?;
        Ok(demo)
    }

    pub(super) fn for_the_core(&self) -> Vec<DemoAccount> {
        let account = |account: &Account| DemoAccount {
            username: account.username.clone(),
            password: account.password.clone(),
            role: account.role.clone(),
            totp_secret: account.totp_secret.clone(),
        };
        self.accounts.iter().map(account).collect()
    }

    /// Writes the accounts with the address they can be used at.
    pub(super) fn write(&self, data: &DataDir, ready: &Ready) -> anyhow::Result<()> {
        data.write(FILE, self.to_json(ready.url(), ready.authority())?.as_bytes())?;
        Ok(())
    }

    fn to_json(&self, url: &str, ca: &str) -> anyhow::Result<String> {
        let lines: Vec<_> =
            self.accounts.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        let (url, ca) = (serde_json::to_string(url)?, serde_json::to_string(ca)?);
        let accounts = lines.join(",\n");
        Ok(format!("{{\"url\":{url},\n\"ca\":{ca},\n\"accounts\":[\n{accounts}\n]}}\n"))
    }
}
