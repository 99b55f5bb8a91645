//! Consents: what somebody agreed to, under which text, and until when.
//!
//! The history is added to and never changed; the last entry of a purpose counts, and without one
//! nothing is agreed to. What a contract or a law asks for needs no consent and is none of these.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::App;
use crate::audit::Action;
use crate::clock::Timestamp;
use crate::ids::{AccountId, ConsentId};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Longest version of a text, in characters.
const VERSION_CHARS_MAX: usize = 32;

/// Most entries of one account that agree to something. Taking it back is never refused, and
/// happens at most once for each of these.
const GIVEN_MAX: usize = 1000;

/// What something is agreed to for: a closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// News and offers, by mail.
    Marketing,
    /// Which pages and products are looked at, to improve the shop.
    Analytics,
}

impl Purpose {
    pub(crate) const ALL: [Self; 2] = [Self::Marketing, Self::Analytics];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Analytics => "analytics",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == text)
    }
}

/// The text is not the version of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`version` must be 1 to {VERSION_CHARS_MAX} letters, digits, dots and hyphens")]
pub(crate) struct NotAVersion;

/// Which version of the text was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentVersion(String);

impl DocumentVersion {
    pub(crate) fn parse(text: &str) -> Result<Self, NotAVersion> {
        let fits = (1..=VERSION_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAVersion) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// One entry of the history.
#[derive(Debug, Clone)]
pub(crate) struct Consent {
    pub(crate) id: ConsentId,
    pub(crate) purpose: Purpose,
    pub(crate) version: DocumentVersion,
    pub(crate) given: bool,
    pub(crate) at: Timestamp,
}

/// An entry about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewConsent {
    pub(crate) account: AccountId,
    pub(crate) consent: Consent,
}

/// Of the accounts a batch asked for: the last entry of each purpose, and how often something was
/// agreed to.
#[derive(Debug, Default)]
pub(crate) struct ConsentBook {
    pub(crate) last: BTreeMap<(AccountId, Purpose), (DocumentVersion, bool)>,
    pub(crate) given: BTreeMap<AccountId, usize>,
}

/// Why nothing was noted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConsentError {
    #[error("there is no such account")]
    Account,
    #[error("the account agreed to something {GIVEN_MAX} times")]
    Full,
    #[error("could not write")]
    Write(#[from] WriteError),
}

/// Notes what somebody agrees to from now on, or no longer does. What is so already is not noted
/// again.
pub(crate) async fn decide(
    app: &App,
    account: AccountId,
    wanted: Vec<(Purpose, DocumentVersion, bool)>,
) -> Result<(), ConsentError> {
    app.writer.submit(Decide { account, wanted }).await?
}

#[derive(Debug)]
struct Decide {
    account: AccountId,
    wanted: Vec<(Purpose, DocumentVersion, bool)>,
}

impl Write for Decide {
    type Answer = Result<(), ConsentError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.consents.insert(self.account);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let (now, account) = (sheet.now, self.account);
        sheet.accounts.active(account).ok_or(ConsentError::Account)?;
        let giving = self.wanted.iter().filter(|(_, _, given)| *given).count();
        let before = sheet.consents.given.get(&account).copied().unwrap_or_default();
        if giving > 0 && before.saturating_add(giving) > GIVEN_MAX {
            return Err(ConsentError::Full);
        }
        for (purpose, version, given) in &self.wanted {
            let stands = (version.clone(), *given);
            let last = sheet.consents.last.get(&(account, *purpose));
            // What was never agreed to needs not be taken back.
            if last == Some(&stands) || !given && last.is_none_or(|(_, given)| !given) {
                continue;
            }
            sheet.consents.last.insert((account, *purpose), stands);
            if *given {
                let count = sheet.consents.given.entry(account).or_default();
                *count = count.saturating_add(1);
            }
            let (id, version) = (sheet.ids.next(now), version.clone());
            let consent = Consent { id, purpose: *purpose, version, given: *given, at: now };
            sheet.new.consents.push(NewConsent { account, consent });
            let action = if *given { Action::ConsentGiven } else { Action::ConsentWithdrawn };
            sheet.audit(action, account);
        }
        Ok(())
    }
}
