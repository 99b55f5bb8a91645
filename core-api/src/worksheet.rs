//! The worksheet: the rows one batch of writes needs, and what the batch decides about them.
//!
//! A writer fills it from the database, the operations of the batch decide on it one after
//! another in memory, and the store writes down what changed. Deciding does no I/O.

use std::collections::{BTreeMap, BTreeSet};

use stockade_audit::chain::Checkpoint;

use crate::accounts::{
    AccountBook, AccountsWanted, Names, NewAccount, NewEmailLink, NewLink, Revocation, SessionBook,
    TokenHash,
};
use crate::audit::{Act, Action, CheckpointBasis, Object, Trail};
use crate::cart::CartBook;
use crate::catalog::Assortment;
use crate::clock::Timestamp;
use crate::idempotency::{ClaimName, Claims};
use crate::ids::{
    AccountId, CategoryId, IdSource, JobId, OrderId, PaymentId, ProductId, RefundId, ReservationId,
    SessionId,
};
use crate::images::Album;
use crate::inventory::{Hold, HoldStep, Holds, Shelf};
use crate::mail::Postbag;
use crate::money::Money;
use crate::orders::OrderBook;
use crate::outbox::JobBook;
use crate::payments::{PaymentBook, Reference};
use crate::privacy::{ConsentBook, Erasure, NewConsent, Ties};
use crate::reach::Reach;
use crate::sku::Sku;
use crate::vault::WrappedKey;

/// The rows a batch asks for.
///
/// INVARIANT: the sets are sorted, so that writers lock rows in one global order and never
/// wait for each other in a circle.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) claims: BTreeSet<ClaimName>,
    pub(crate) skus: BTreeSet<Sku>,
    pub(crate) products: BTreeSet<ProductId>,
    /// Products whose images are wanted, too.
    pub(crate) albums: BTreeSet<ProductId>,
    pub(crate) categories: BTreeSet<CategoryId>,
    /// Folded names of categories.
    pub(crate) category_names: BTreeSet<String>,
    /// Orders, if they are within reach, and what they hold.
    pub(crate) orders: BTreeSet<(OrderId, Reach)>,
    /// Folded user names.
    pub(crate) usernames: BTreeSet<String>,
    /// Folded e-mail addresses.
    pub(crate) emails: BTreeSet<String>,
    pub(crate) accounts: AccountsWanted,
    pub(crate) sessions: BTreeSet<SessionId>,
    /// Refresh tokens and their sessions.
    pub(crate) refresh_tokens: BTreeSet<TokenHash>,
    /// Links to set a password.
    pub(crate) links: BTreeSet<TokenHash>,
    /// Messages that are due.
    pub(crate) mail: bool,
    /// Accounts of which it is counted what refers to them.
    pub(crate) ties_of: BTreeSet<AccountId>,
    /// Accounts whose consents are looked at.
    pub(crate) consents: BTreeSet<AccountId>,
    /// Some data keys that another key-encryption key than this one wrapped.
    pub(crate) keys_not_of: Option<[u8; 8]>,
    /// Payments, and all others of their orders, with these orders and their refunds.
    pub(crate) payments: BTreeSet<PaymentId>,
    /// The same, by the provider's names.
    pub(crate) intents: BTreeSet<Reference>,
    /// The same, by their refunds.
    pub(crate) refunds: BTreeSet<RefundId>,
    /// Events of the provider's, if they were received.
    pub(crate) provider_events: BTreeSet<Reference>,
    pub(crate) jobs: BTreeSet<JobId>,
    /// So many jobs that are due, and what they are about.
    pub(crate) due_jobs: usize,
    pub(crate) carts: BTreeSet<AccountId>,
    /// Also whatever has run out, of any SKU.
    pub(crate) sweep: bool,
    /// Where the audit trail stands.
    pub(crate) checkpoint: bool,
}

/// The rows as they were when the batch began.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) claims: Claims,
    pub(crate) shelf: Shelf,
    /// What the wanted SKUs cost that are on sale.
    pub(crate) prices: BTreeMap<Sku, Money>,
    pub(crate) catalog: Assortment,
    pub(crate) album: Album,
    pub(crate) orders: OrderBook,
    pub(crate) payments: PaymentBook,
    pub(crate) outbox: JobBook,
    pub(crate) carts: CartBook,
    /// Holds of the wanted SKUs' orders that have run out.
    pub(crate) due: Holds,
    pub(crate) names: Names,
    pub(crate) accounts: AccountBook,
    pub(crate) sessions: SessionBook,
    /// Links that are good, and whose they are.
    pub(crate) links: BTreeMap<TokenHash, AccountId>,
    pub(crate) mail: Postbag,
    pub(crate) checkpoint: Option<CheckpointBasis>,
    pub(crate) ties_of: BTreeMap<AccountId, Ties>,
    pub(crate) consents: ConsentBook,
    pub(crate) old_keys: Vec<(AccountId, WrappedKey)>,
}

/// The rows of one batch and the changes decided so far.
#[derive(Debug)]
pub(crate) struct Worksheet {
    pub(crate) now: Timestamp,
    pub(crate) ids: IdSource,
    pub(crate) claims: Claims,
    pub(crate) shelf: Shelf,
    pub(crate) prices: BTreeMap<Sku, Money>,
    pub(crate) catalog: Assortment,
    pub(crate) album: Album,
    pub(crate) orders: OrderBook,
    pub(crate) payments: PaymentBook,
    pub(crate) outbox: JobBook,
    pub(crate) carts: CartBook,
    pub(crate) names: Names,
    pub(crate) accounts: AccountBook,
    pub(crate) sessions: SessionBook,
    pub(crate) links: BTreeMap<TokenHash, AccountId>,
    pub(crate) mail: Postbag,
    /// What a checkpoint of the audit trail is made of, where one is wanted.
    pub(crate) checkpoint: Option<CheckpointBasis>,
    /// What the batch tells of itself.
    pub(crate) trail: Trail,
    pub(crate) ties_of: BTreeMap<AccountId, Ties>,
    pub(crate) consents: ConsentBook,
    pub(crate) old_keys: Vec<(AccountId, WrappedKey)>,
    pub(crate) new: Additions,
    /// Holds that ended, and how.
    pub(crate) ended: Vec<(ReservationId, HoldStep)>,
    /// Whether expired keys, sessions and links are removed.
    pub(crate) sweep: bool,
}

/// Rows the batch adds, beside those that its books keep.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    pub(crate) accounts: Vec<NewAccount>,
    pub(crate) links: Vec<NewLink>,
    /// Links to prove an address.
    pub(crate) email_links: Vec<NewEmailLink>,
    pub(crate) revocations: Vec<Revocation>,
    /// Accounts whose links are spent.
    pub(crate) spent_links: BTreeSet<AccountId>,
    pub(crate) holds: Vec<Hold>,
    pub(crate) checkpoint: Option<Checkpoint>,
    pub(crate) consents: Vec<NewConsent>,
    pub(crate) rewrapped: Vec<(AccountId, WrappedKey)>,
    /// Accounts that end with this batch.
    pub(crate) erased: Vec<Erasure>,
}

impl Additions {
    /// Forgets what the batch adds to an account.
    pub(crate) fn forget(&mut self, account: AccountId) {
        self.links.retain(|link| link.account != account);
        self.email_links.retain(|link| link.account != account);
        self.consents.retain(|consent| consent.account != account);
    }
}

impl Worksheet {
    /// Begins with holds that have run out given back, so that what is due is for sale.
    pub(crate) fn begin(loaded: Loaded, now: Timestamp, ids: IdSource) -> Self {
        let mut sheet = Self {
            now,
            ids,
            claims: loaded.claims,
            shelf: loaded.shelf,
            prices: loaded.prices,
            catalog: loaded.catalog,
            album: loaded.album,
            orders: loaded.orders,
            payments: loaded.payments,
            outbox: loaded.outbox,
            carts: loaded.carts,
            names: loaded.names,
            accounts: loaded.accounts,
            sessions: loaded.sessions,
            links: loaded.links,
            mail: loaded.mail,
            checkpoint: loaded.checkpoint,
            trail: Trail::new(),
            ties_of: loaded.ties_of,
            consents: loaded.consents,
            old_keys: loaded.old_keys,
            new: Additions::default(),
            ended: Vec::new(),
            sweep: false,
        };
        crate::inventory::expire(&mut sheet, &loaded.due);
        sheet
    }

    /// Tells an act of whoever's operation is decided now; see [`crate::audit`].
    pub(crate) fn audit(&mut self, action: Action, object: impl Into<Object>) -> &mut Act {
        self.trail.add(action, object.into())
    }
}
