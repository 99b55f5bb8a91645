//! The store: what the core asks of a database, and how a database says no.
//!
//! [`Store`] is everything that is read, [`WriteStore`] the one door for everything that is
//! written: one transaction for each batch of a [writer](crate::writer). Behind both stands
//! SQLite or PostgreSQL, and nothing above this module can tell which. SQL is found below this
//! module and nowhere else.

mod known_images;
mod opened;
mod postgres;
mod reads;
mod refusal;
mod repairs;
mod rows;
mod rules;
mod sqlite;
mod transfer;

use std::fmt;

use async_trait::async_trait;
pub(crate) use known_images::known_images;
pub(crate) use opened::{
    OpenError, Opened, SchemaError, migrate, open, open_to_read, read_password,
};
use refusal::Refusal;
pub(crate) use rows::images::KnownImages;
pub(crate) use rules::check_everything;
use stockade_audit::chain::{Digest, Head};
pub(crate) use transfer::{TransferError, transfer};

use crate::accounts::{
    Account, Addressee, Claimant, Credentials, EmailAddress, EmailLinkOwner, LinkOwner,
    PasswordOwner, Revoked, SessionOf, Throttle, ThrottleKey, TokenHash,
};
use crate::audit::{AuditRow, Looked, Position};
use crate::cart::ShownLine;
use crate::catalog::{Category, Filter, Product};
use crate::clock::Timestamp;
use crate::ids::{
    AccountId, CategoryId, ConsentId, JobId, LetterId, MovementId, OrderId, ProductId, SessionId,
};
use crate::images::{Image, ImageKey};
use crate::inventory::{Entry, Listed, Loser, Stocked, Units};
use crate::mail::Letter;
use crate::orders::{Order, OrderEvent};
use crate::outbox::Job;
use crate::payments::Statement;
use crate::privacy::{Consent, Erasure, Overdue, Retained};
use crate::reach::Reach;
use crate::sku::Sku;
use crate::vault::SealError;
use crate::worksheet::{Loaded, Wanted, Worksheet};

/// The database failed, or holds something this program did not write.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("the database refused")]
    Database(#[source] Refusal),
    #[error("the database holds a {0} that cannot be read")]
    Unreadable(&'static str),
    #[error("could not seal what is to be kept")]
    Seal(#[source] SealError),
    #[error("another writer changed the same rows at the same time")]
    Conflict,
    #[error("the database cannot be reached")]
    Lost(#[source] Option<Refusal>),
    #[error("the database was lost while it committed: what became of it is not known")]
    Unsettled,
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error::{Database, Io, PoolClosed, PoolTimedOut, Protocol, Tls, WorkerCrashed};
        match &error {
            Database(refusal) => match refusal.code().as_deref() {
                // PostgreSQL: a deadlock, a lock that was not had in time.
                // 23503: what another writer added, or took away, after this one had looked.
                Some("40001" | "40P01" | "55P03" | "23503") => Self::Conflict,
                // PostgreSQL: it is shutting down, has crashed, or is not up yet.
                Some("57P01" | "57P02" | "57P03" | "53300") => Self::Lost(Some(error.into())),
                _ => Self::Database(error.into()),
            },
            Io(_) | PoolClosed | PoolTimedOut | Protocol(_) | Tls(_) | WorkerCrashed => {
                Self::Lost(Some(error.into()))
            }
            _ => Self::Database(error.into()),
        }
    }
}

impl StoreError {
    /// Whether the connection is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self, Self::Lost(_))
    }

    /// Whether the same again, now, may be done: nothing of it was.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Conflict)
    }

    /// Whether it is about the database as a whole, so that parts of a batch fare no better.
    pub(crate) fn concerns_all(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unsettled)
    }
}

/// A piece of a list: what follows `after`, at most `limit` things.
#[derive(Debug, Clone)]
pub(crate) struct Slice<K> {
    pub(crate) after: Option<K>,
    pub(crate) limit: u32,
}

/// What is read. Every answer is one consistent moment of the database.
#[async_trait]
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Whether anything waits to be swept at `now`.
    async fn anything_due(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// What a login is checked against. The name is folded.
    async fn credentials(&self, username: &str) -> Result<Option<Credentials>, StoreError>;

    async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError>;

    /// Whether this refresh token was ever issued and its session is not long over.
    async fn knows_refresh_token(&self, token: TokenHash) -> Result<bool, StoreError>;

    /// How often this name was tried in vain.
    async fn throttle(&self, key: ThrottleKey) -> Result<Option<Throttle>, StoreError>;

    /// Whose login waits for its second factor under this token.
    async fn challenged(
        &self,
        token: TokenHash,
        now: Timestamp,
    ) -> Result<Option<Claimant>, StoreError>;

    /// Whose refresh token this is or was.
    async fn refresher(&self, token: TokenHash) -> Result<Option<Claimant>, StoreError>;

    /// Accounts, oldest first; those above customers alone, if asked.
    async fn accounts(
        &self,
        staff: bool,
        slice: &Slice<AccountId>,
    ) -> Result<Vec<Account>, StoreError>;

    /// The account as far as its password goes.
    async fn password_owner(&self, id: AccountId) -> Result<Option<PasswordOwner>, StoreError>;

    /// Who has this address, folded.
    async fn addressee(&self, email: &str) -> Result<Option<Addressee>, StoreError>;

    /// Whose link to prove an address this is, while it is good.
    async fn email_link_owner(
        &self,
        link: TokenHash,
        now: Timestamp,
    ) -> Result<Option<EmailLinkOwner>, StoreError>;

    /// Revocations that followed `after` and are younger than `since`, in their order.
    async fn revocations(
        &self,
        after: u64,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Revoked>, StoreError>;

    /// Whether a message is due.
    async fn mail_due(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Whose link to set a password this is, while it is good.
    async fn link_owner(
        &self,
        link: TokenHash,
        now: Timestamp,
    ) -> Result<Option<LinkOwner>, StoreError>;

    /// Products on sale that the filter lets through, oldest first.
    async fn products(
        &self,
        filter: &Filter,
        slice: &Slice<ProductId>,
    ) -> Result<Vec<Product>, StoreError>;

    /// The product, while it is on sale.
    async fn product(&self, id: ProductId) -> Result<Option<Product>, StoreError>;

    /// The image, while its product is on sale.
    async fn image(&self, key: ImageKey) -> Result<Option<Image>, StoreError>;

    /// Images whose files are to be removed by now, the longest due first.
    async fn doomed_images(&self, now: Timestamp, limit: u32) -> Result<Vec<ImageKey>, StoreError>;

    /// Categories, oldest first.
    async fn categories(&self, slice: &Slice<CategoryId>) -> Result<Vec<Category>, StoreError>;

    /// Stock by SKU; what says nothing else is low at `low_at`.
    async fn stock(
        &self,
        listed: Listed,
        low_at: Option<Units>,
        slice: &Slice<Sku>,
    ) -> Result<Vec<Stocked>, StoreError>;

    /// Orders that hold this SKU, newest first.
    async fn holders(&self, sku: &Sku, limit: u32) -> Result<Vec<Loser>, StoreError>;

    /// Whether the ledger has an entry of this SKU.
    async fn has_moved(&self, sku: &Sku) -> Result<bool, StoreError>;

    /// Whether this SKU is or was sold.
    async fn is_stocked(&self, sku: &Sku) -> Result<bool, StoreError>;

    /// The ledger of a SKU, newest first.
    async fn movements(
        &self,
        sku: &Sku,
        slice: &Slice<MovementId>,
    ) -> Result<Vec<Entry>, StoreError>;

    /// Orders within reach, newest first.
    async fn orders(&self, reach: Reach, slice: &Slice<OrderId>) -> Result<Vec<Order>, StoreError>;

    /// The order, if it is within reach.
    async fn order(&self, reach: Reach, id: OrderId) -> Result<Option<Order>, StoreError>;

    /// Acts, newest first, as far as they fit.
    async fn acts(
        &self,
        looked: &Looked,
        slice: &Slice<Position>,
    ) -> Result<Vec<AuditRow>, StoreError>;

    /// The last row of each chain of the audit trail.
    async fn audit_heads(&self) -> Result<Vec<Head>, StoreError>;

    /// Rows of a chain that follow `after`, in their order.
    async fn audit_rows(
        &self,
        chain: u32,
        after: u64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError>;

    /// The hash of one row, as it is kept.
    async fn audit_hash(&self, chain: u32, sequence: u64) -> Result<Option<Digest>, StoreError>;

    /// Checkpoints that follow `after`, by number.
    async fn checkpoints(&self, after: u64, limit: u32) -> Result<Vec<(u64, String)>, StoreError>;

    /// The last checkpoint.
    async fn last_checkpoint(&self) -> Result<Option<(u64, String)>, StoreError>;

    /// Every move of an order, in its order.
    async fn order_events(&self, id: OrderId) -> Result<Vec<OrderEvent>, StoreError>;

    /// The payments of an order, oldest first, each with its refunds.
    async fn payments(&self, order: OrderId) -> Result<Vec<Statement>, StoreError>;

    /// An account's cart, by SKU.
    async fn cart(&self, account: AccountId) -> Result<Vec<ShownLine>, StoreError>;

    /// Whether a job waits for a worker at `now`.
    async fn any_job_due(&self, now: Timestamp) -> Result<bool, StoreError>;

    /// Jobs that wait for a person, newest first.
    async fn dead_jobs(&self, slice: &Slice<JobId>) -> Result<Vec<Job>, StoreError>;

    /// What an account agreed to, in its order.
    async fn consents(
        &self,
        account: AccountId,
        slice: &Slice<ConsentId>,
    ) -> Result<Vec<Consent>, StoreError>;

    /// An account's sessions, oldest first.
    async fn sessions_of(
        &self,
        account: AccountId,
        slice: &Slice<SessionId>,
    ) -> Result<Vec<SessionOf>, StoreError>;

    /// Messages that wait for an account, oldest first.
    async fn letters_of(
        &self,
        account: AccountId,
        slice: &Slice<LetterId>,
    ) -> Result<Vec<Letter>, StoreError>;

    /// Addresses that wait to be proved, to be the account's instead of its own.
    async fn emails_to_prove(&self, account: AccountId) -> Result<Vec<EmailAddress>, StoreError>;

    /// Accounts that were erased since, by id.
    async fn erasures(
        &self,
        since: Timestamp,
        slice: &Slice<AccountId>,
    ) -> Result<Vec<Erasure>, StoreError>;

    /// Whether this account is there, or nothing is known of its erasure.
    async fn is_unerased(&self, account: AccountId) -> Result<bool, StoreError>;

    /// Customers since before `limit` who never proved their address, nor ordered, nor are
    /// logged in.
    async fn unproved_accounts(
        &self,
        limit: Timestamp,
        count: u32,
    ) -> Result<Vec<AccountId>, StoreError>;

    /// How much is kept beyond `limit`.
    async fn overdue(&self, of: Retained, limit: Timestamp) -> Result<Overdue, StoreError>;

    /// Ends all reading.
    async fn close(&self);
}

/// What is written: `begin`, `load`, `save`, `commit`, on one connection of its own.
#[async_trait]
pub(crate) trait WriteStore: fmt::Debug + Send {
    /// Begins a transaction that holds the write lock from its first statement.
    async fn begin(&mut self) -> Result<(), StoreError>;

    /// Reads, and locks, what the batch wants.
    async fn load(&mut self, wanted: &Wanted, now: Timestamp) -> Result<Loaded, StoreError>;

    /// Writes what the batch decided.
    async fn save(&mut self, sheet: &Worksheet) -> Result<(), StoreError>;

    /// Puts everything since `begin` on disk.
    async fn commit(&mut self) -> Result<(), StoreError>;

    /// Forgets everything since `begin`.
    async fn rollback(&mut self);

    /// Ends all writing.
    async fn close(self: Box<Self>);
}

#[cfg(test)]
mod tests;
