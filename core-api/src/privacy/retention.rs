//! Retention: what is kept, for how long and why, in one table; and what removes it.
//!
//! What has an end of its own goes with the sweep of the core, within seconds. Accounts whose
//! address was never proved are erased a few at a time. What is not in the table is kept as long
//! as its account, or for the books.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::erase::{By, EraseError, erase};
use super::replay;
use crate::app::App;
use crate::clock::Timestamp;
use crate::store::StoreError;

/// How often it is looked what is overdue.
const ROUND: Duration = Duration::from_mins(1);

/// How far back erasures are looked for that another core carried out, or that could not be
/// written to the journal then. Starting looks for all.
const NOTED: Duration = Duration::from_hours(24);

/// Accounts erased in one round.
const ERASED_MAX: u32 = 100;

/// Kept for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retained {
    Session,
    RefreshToken,
    PasswordLink,
    EmailLink,
    LoginChallenge,
    LoginThrottle,
    IdempotencyKey,
    Mail,
    UnprovedAccount,
}

/// A rule of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retention {
    pub(crate) of: Retained,
    pub(crate) name: &'static str,
    /// Beyond the end that a row has of its own, or beyond its beginning where it has none.
    pub(crate) days: u32,
    pub(crate) kept: &'static str,
    pub(crate) why: &'static str,
}

/// Every rule.
pub(crate) const RETENTION: [Retention; 9] = [
    Retention {
        of: Retained::Session,
        name: "session",
        days: 0,
        kept: "until it ends (core.refresh_token_secs)",
        why: "its owner sees it, and a refresh asks for it",
    },
    Retention {
        of: Retained::RefreshToken,
        name: "refresh_token",
        days: 0,
        kept: "until its session ends, also when it is spent",
        why: "a token that is shown twice was stolen",
    },
    Retention {
        of: Retained::PasswordLink,
        name: "password_link",
        days: 0,
        kept: "half an hour; a day where it invites",
        why: "it is good for so long",
    },
    Retention {
        of: Retained::EmailLink,
        name: "email_link",
        days: 0,
        kept: "a day",
        why: "it is good for so long",
    },
    Retention {
        of: Retained::LoginChallenge,
        name: "login_challenge",
        days: 0,
        kept: "five minutes",
        why: "the second factor may come so late",
    },
    Retention {
        of: Retained::LoginThrottle,
        name: "login_throttle",
        days: 0,
        kept: "a day after the last failure",
        why: "it slows down whoever guesses",
    },
    Retention {
        of: Retained::IdempotencyKey,
        name: "idempotency_key",
        days: 0,
        kept: "a day",
        why: "a request that is repeated is answered as before",
    },
    Retention {
        of: Retained::Mail,
        name: "mail",
        days: 1,
        kept: "until a server took it, some five hours at most; then nothing is kept of it",
        why: "it is tried again",
    },
    Retention {
        of: Retained::UnprovedAccount,
        name: "unproved_account",
        days: 30,
        kept: "30 days after they registered, if it is a customer's without an order or a session",
        why: "nobody showed that the address is theirs",
    },
];

/// How much is overdue of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Overdue {
    pub(crate) rows: i64,
    /// When the oldest was due.
    pub(crate) since: Option<Timestamp>,
}

impl Retention {
    /// What began, or ended by itself, before this is overdue at `now`.
    pub(crate) fn limit(&self, now: Timestamp) -> Timestamp {
        now.minus(self.life())
    }

    fn life(&self) -> Duration {
        Duration::from_hours(u64::from(self.days).saturating_mul(24))
    }

    /// How long the oldest row is overdue.
    pub(crate) fn age(&self, overdue: Overdue, now: Timestamp) -> Duration {
        overdue.since.map_or(Duration::ZERO, |since| now.since(since.plus(self.life())))
    }
}

/// Looks at every rule once in a while until dropped, and erases accounts that are overdue.
pub(crate) async fn keep_forever(app: Arc<App>) {
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        if let Err(error) = round(&app).await {
            tracing::warn!(error = ?error, "could not look at what is overdue");
        }
        let since = app.clock.now().minus(NOTED);
        if let Err(error) = replay::note(&*app.store, &app.journal, since).await {
            tracing::error!(error = ?error, "erasures are not in the journal yet");
        }
    }
}

async fn round(app: &App) -> Result<(), StoreError> {
    let now = app.clock.now();
    for rule in &RETENTION {
        let limit = rule.limit(now);
        if rule.of == Retained::UnprovedAccount {
            for account in app.store.unproved_accounts(limit, ERASED_MAX).await? {
                match erase(app, account, By::Retention).await {
                    Ok(()) | Err(EraseError::NotDue | EraseError::Account) => {}
                    Err(error) => tracing::warn!(error = ?error, "an account stays overdue"),
                }
            }
        }
        let overdue = app.store.overdue(rule.of, limit).await?;
        app.metrics.overdue(rule.name, rule.age(overdue, now));
    }
    Ok(())
}
