//! Revocations: access tokens that are not believed any more before they end by themselves.
//!
//! They are kept in the order in which they were decided, and the edge follows them. An access
//! token that has ended needs no revocation, so old ones are not told any more.

use std::time::Duration;

use stockade_contract::revocation::BATCH_MAX;

use super::book::AccountRow;
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{AccountId, SessionId};
use crate::store::StoreError;

/// How much longer a revocation is told than access tokens live: clocks differ.
const LEEWAY: Duration = Duration::from_mins(5);

/// Which tokens are not believed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revocation {
    /// Those of an account that were issued before this second of 1970 UTC.
    Subject { account: AccountId, not_before: u64 },
    /// Those of a session.
    Session(SessionId),
}

impl Revocation {
    /// What the account's tokens must be younger than.
    pub(super) fn of_subject(account: AccountId, row: &AccountRow) -> Self {
        Self::Subject { account, not_before: row.tokens_not_before }
    }
}

/// A revocation and its place in the order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Revoked {
    pub(crate) seq: u64,
    pub(crate) revocation: Revocation,
}

/// Revocations that followed `after`, as far as they still matter.
pub(crate) async fn revocations(app: &App, after: u64) -> Result<Vec<Revoked>, StoreError> {
    let life = app.tokens.access_token_life().saturating_add(LEEWAY);
    let micros = i64::try_from(life.as_micros()).unwrap_or(i64::MAX);
    let since = Timestamp::from_micros(app.clock.now().micros().saturating_sub(micros));
    app.store.revocations(after, since, BATCH_MAX).await
}
