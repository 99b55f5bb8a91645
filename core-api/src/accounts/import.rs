//! Import the accounts of an earlier backend, with the password hashes it kept: all or none.

use serde::Deserialize;

use super::book::Profile;
use super::name::{EmailAddress, NameError, PhoneNumber, Role, Username};
use super::password::PasswordHash;
use super::register::NewAccount;
use crate::audit::{Action, Detail};
use crate::clock::Timestamp;
use crate::ids::IdSource;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::Write;

/// Accounts imported at once.
const ACCOUNTS_MAX: usize = 100_000;

/// Why a file was not taken, and where.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub(crate) struct NotAnImport {
    line: usize,
    why: Misfit,
}

#[derive(Debug, thiserror::Error)]
enum Misfit {
    #[error("{0}")]
    Json(serde_json::Error),
    #[error(transparent)]
    Name(NameError),
    #[error("`password_hash` must be a bcrypt hash: `$2a$`, `$2b$` or `$2y$`, of cost 14 at most")]
    Hash,
    #[error("a file holds at most {ACCOUNTS_MAX} accounts")]
    TooMany,
}

/// Why nothing was imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: the user name or the e-mail address is taken")]
pub(crate) struct ImportError {
    line: usize,
}

/// One line of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    username: String,
    email: String,
    phone: Option<String>,
    password_hash: String,
    role: String,
}

/// Accounts about to be, each with its line.
#[derive(Debug)]
pub(crate) struct Import(Vec<(usize, NewAccount)>);

impl Import {
    /// Reads one JSON object a line; lines that are empty do not count.
    pub(crate) fn parse(text: &str, ids: &IdSource, now: Timestamp) -> Result<Self, NotAnImport> {
        let mut accounts = Vec::new();
        for (at, text) in text.lines().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
            let line = at.saturating_add(1);
            let refused = |why| NotAnImport { line, why };
            if accounts.len() >= ACCOUNTS_MAX {
                return Err(refused(Misfit::TooMany));
            }
            let read: Line =
                serde_json::from_str(text).map_err(|error| refused(Misfit::Json(error)))?;
            accounts.push((line, account(&read, ids, now).map_err(refused)?));
        }
        Ok(Self(accounts))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

fn account(line: &Line, ids: &IdSource, now: Timestamp) -> Result<NewAccount, Misfit> {
    let username = Username::parse(&line.username).map_err(Misfit::Name)?;
    let email = EmailAddress::parse(&line.email).map_err(Misfit::Name)?;
    let phone = line.phone.as_deref().map(PhoneNumber::parse).transpose();
    Ok(NewAccount {
        id: ids.next(now),
        profile: Profile::new(username, email, phone.map_err(Misfit::Name)?),
        hash: Some(PasswordHash::of_an_old_backend(&line.password_hash).ok_or(Misfit::Hash)?),
        role: Role::parse(&line.role).map_err(Misfit::Name)?,
        demo: false,
        asked_for_proof: false,
    })
}

impl Write for Import {
    type Answer = Result<(), ImportError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.0.iter().for_each(|(_, account)| account.wants(wanted));
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let before = sheet.new.accounts.len();
        for (line, account) in &self.0 {
            if account.decide(sheet).is_err() {
                // The names that were noted since harm nobody: there is no other in this batch.
                sheet.new.accounts.truncate(before);
                return Err(ImportError { line: *line });
            }
        }
        for (_, account) in &self.0 {
            let role = Detail::role(account.role.as_str());
            sheet.audit(Action::AccountImported, account.id).detailed(role);
        }
        Ok(())
    }
}
