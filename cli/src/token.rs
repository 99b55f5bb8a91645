//! `stockade token`: logs a demo account in, with its second factor, and prints its access token.
//!
//! It goes through the front door, as everybody does. The session is kept beside `demo.json` and
//! goes on for some hours: a code is good once, and so the next one need not be waited for.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stockade_core_api::{Clock, Timestamp, totp_code};

use self::door::Door;
use crate::exit::Exit;

mod door;

/// How long a kept session is gone on with: its second factor stays fresh as long.
const SESSION_AGE_MAX: Duration = Duration::from_hours(8);

/// How long a code is shown.
const STEP: Duration = Duration::from_secs(30);

/// Arguments of `stockade token`.
#[derive(Debug, clap::Args)]
pub(crate) struct TokenArgs {
    /// The account's user name, such as `admin`.
    #[arg(value_name = "ACCOUNT")]
    account: String,
    /// The demo's accounts, as `stockade up` writes them.
    #[arg(long, value_name = "FILE", default_value = ".stockade/demo.json")]
    demo: PathBuf,
}

#[derive(Deserialize)]
struct Demo {
    url: String,
    ca: PathBuf,
    accounts: Vec<Account>,
}

#[derive(Deserialize)]
struct Account {
    username: String,
    password: String,
    totp_secret: Option<String>,
}

/// A session as it is kept for the next time.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// When the account logged in, in seconds since 1970 UTC; going on does not change it.
    logged_in_s: u64,
    refresh_token: String,
}

pub(crate) fn run(args: &TokenArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let path = args.demo.display();
    let bytes = fs::read(&args.demo)
        .with_context(|| format!("cannot read `{path}`; `stockade up` writes it"))?;
    let demo: Demo = serde_json::from_slice(&bytes)
        .with_context(|| format!("`{path}` is not as `stockade up` writes it"))?;
    let account = demo.accounts.iter().find(|account| account.username == args.account);
    let Some(account) = account else {
        let names: Vec<_> = demo.accounts.iter().map(|one| one.username.as_str()).collect();
        bail!("`{}` is none of the demo's accounts: {}", args.account, names.join(", "));
    };
    let kept = args.demo.with_file_name(format!("session-{}", account.username));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let now = Clock::system().now();
    let (tokens, logged_in_s) = runtime.block_on(async {
        let door = Door::to(&demo.url, &demo.ca)?;
        match go_on(&door, young(&kept, now)).await {
            Some(gone_on) => Ok(gone_on),
            None => log_in(&door, account).await.map(|tokens| (tokens, now.secs())),
        }
    })?;
    let refresh_token = text(&tokens, "refresh_token")?.to_owned();
    keep(&kept, &Kept { logged_in_s, refresh_token })?;
    writeln!(out, "{}", text(&tokens, "access_token")?)?;
    Ok(Exit::Done)
}

/// The session that is kept, while its second factor is fresh; a file of another form is none.
fn young(path: &Path, now: Timestamp) -> Option<Kept> {
    let kept: Kept = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    let age = now.secs().checked_sub(kept.logged_in_s)?;
    (age <= SESSION_AGE_MAX.as_secs()).then_some(kept)
}

/// The next tokens of a session, and when it began; nothing where it is over.
async fn go_on(door: &Door, kept: Option<Kept>) -> Option<(Value, u64)> {
    let Kept { logged_in_s, refresh_token } = kept?;
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token.as_str())];
    let answer = door.post_form("/api/auth/refresh", &form).await.ok()?;
    (answer.status == 200).then_some((answer.body, logged_in_s))
}

async fn log_in(door: &Door, account: &Account) -> anyhow::Result<Value> {
    let Account { username, password, totp_secret } = account;
    let (name, word) = (username.as_str(), password.as_str());
    let form = [("grant_type", "password"), ("username", name), ("password", word)];
    let answer = door.post_form("/api/auth/token", &form).await?;
    match (answer.status, totp_secret) {
        (200, _) => Ok(answer.body),
        (403, Some(secret))
            if text(&answer.body, "code").is_ok_and(|code| code == "mfa_required") =>
        {
            show_code(door, text(&answer.body, "mfa_token")?, secret).await
        }
        _ => bail!("`{username}` was not logged in: {}", answer.body),
    }
}

/// Shows this step's code, and where it was used already the next one's, which is near enough.
async fn show_code(door: &Door, token: &str, secret: &str) -> anyhow::Result<Value> {
    let now = Clock::system().now();
    let mut said = Value::Null;
    for moment in [now, now.plus(STEP)] {
        let code = totp_code(secret, moment).context("`totp_secret` is not a secret")?;
        let body = serde_json::json!({"mfa_token": token, "code": code});
        let answer = door.post_json("/api/auth/mfa", &body).await?;
        if answer.status == 200 {
            return Ok(answer.body);
        }
        said = answer.body;
    }
    bail!("the second factor was not taken; wait half a minute for the next code: {said}")
}

/// Keeps the session for the next time, for its owner alone.
fn keep(path: &Path, kept: &Kept) -> anyhow::Result<()> {
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path)?;
        serde_json::to_writer(&mut file, kept)?;
        file.flush()
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

fn text<'a>(body: &'a Value, member: &str) -> anyhow::Result<&'a str> {
    body[member].as_str().with_context(|| format!("the answer has no `{member}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ages_from_its_login_however_often_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session-admin");
        let at = |secs: u64| Timestamp::from_micros(0).plus(Duration::from_secs(secs));
        let first = Kept { logged_in_s: 1000, refresh_token: "a".to_owned() };
        keep(&path, &first).unwrap();
        let last = 1000 + SESSION_AGE_MAX.as_secs();
        assert_eq!(young(&path, at(last)), Some(first));

        let next = Kept { logged_in_s: 1000, refresh_token: "b".to_owned() };
        keep(&path, &next).unwrap();
        assert_eq!(young(&path, at(last)), Some(next));
        assert_eq!(young(&path, at(last + 1)), None);
        assert_eq!(young(&path, at(999)), None);
        fs::write(&path, "a token alone").unwrap();
        assert_eq!(young(&path, at(last)), None);
    }
}
