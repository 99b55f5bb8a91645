//! A connection that writes.
//!
//! It belongs to one writer's task, which begins and ends its transactions by hand: no dropped
//! future can leave one open. A connection that is lost, or was not heard of for too long, is
//! given up, and the next transaction begins on another.
//!
//! # Locks
//!
//! Several of these work at once, in this core and in others. Rows are locked in one order:
//! names that were tried, accounts, links, refresh tokens, sessions, messages, products,
//! categories, carts, stock, idempotency keys; within each by key. Whatever changes a hold or its
//! order holds the stock row of the hold's SKU, so holds and orders need no locks of their own.
//! They are read once before, to know which stock to lock, and again after, to know what is true.
//! A writer has its own chain of the audit trail, so nobody waits for another there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use stockade_audit::chain::Head;
use tokio::time::timeout;

use super::compound::Compound;
use super::connect::Login;
use super::{
    account_book, accounts, audit, carts, catalog, idempotency, images, inventory, jobs, orders,
    payments, privacy, sessions,
};
use crate::clock::Timestamp;
use crate::inventory::Holds;
use crate::payments::EVENT_LIFE;
use crate::reach::Reach;
use crate::sku::Sku;
use crate::store::{OpenError, StoreError, WriteStore};
use crate::vault::Vault;
use crate::worksheet::{Loaded, Wanted, Worksheet};

const BEGIN: &str = "BEGIN";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// How long one step of a transaction may take: longer than the server lets a statement take.
const STEP_MAX: Duration = Duration::from_secs(45);

#[derive(Debug)]
pub(super) struct PostgresWriter {
    login: Login,
    /// `None` after it was lost.
    connection: Option<PgConnection>,
    vault: Arc<Vault>,
    /// The chain that this connection has.
    chain: u32,
    /// Where the chain stands, as far as that is known.
    head: Option<Head>,
    /// Where it stands once the transaction is committed.
    sealed: Option<Head>,
}

impl PostgresWriter {
    /// Connects, and takes a chain of the audit trail.
    pub(super) async fn open(
        login: Login,
        vault: Arc<Vault>,
    ) -> Result<Box<dyn WriteStore>, OpenError> {
        let mut writer =
            Self { login, connection: None, vault, chain: 0, head: None, sealed: None };
        writer.connect().await?;
        Ok(Box::new(writer))
    }

    async fn connect(&mut self) -> Result<(), OpenError> {
        let mut connection = self.login.connect().await?;
        self.chain = audit::take_chain(&mut connection).await?;
        (self.connection, self.head) = (Some(connection), None);
        Ok(())
    }

    /// Where the chain stands. Nobody else writes to it, so what was committed last is its head.
    async fn head(&mut self) -> Result<Head, StoreError> {
        let chain = self.chain;
        match self.head {
            Some(head) => Ok(head),
            None => self.step(async |connection| audit::head(connection, chain).await).await,
        }
    }

    /// Does one step on the connection; gives the connection up when it was lost.
    async fn step<T>(
        &mut self,
        step: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let connection = self.connection.as_mut().ok_or(StoreError::Lost(None))?;
        let done = timeout(STEP_MAX, step(connection)).await;
        let done = done.unwrap_or(Err(StoreError::Lost(None)));
        if done.as_ref().is_err_and(StoreError::is_lost) {
            self.connection = None;
        }
        done
    }

    async fn run(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.step(async |connection| {
            sqlx::query(statement).execute(connection).await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl WriteStore for PostgresWriter {
    async fn begin(&mut self) -> Result<(), StoreError> {
        if self.connection.is_none() {
            self.connect().await.map_err(OpenError::lost)?;
        }
        self.run(BEGIN).await
    }

    async fn load(&mut self, wanted: &Wanted, now: Timestamp) -> Result<Loaded, StoreError> {
        let vault = Arc::clone(&self.vault);
        self.step(async |connection| load(connection, &vault, wanted, now).await).await
    }

    async fn save(&mut self, sheet: &Worksheet) -> Result<(), StoreError> {
        let mut compound = Compound::default();
        if !sheet.trail.acts().is_empty() {
            let head = self.head().await?;
            self.sealed = Some(audit::save(&mut compound, head, &sheet.trail, sheet.now)?);
        }
        let vault = Arc::clone(&self.vault);
        self.step(async |connection| save(connection, &vault, sheet, compound).await).await
    }

    async fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.run(COMMIT).await;
        if done.is_ok() {
            self.head = self.sealed.take().or(self.head);
        }
        // Whether the server got as far as that is not known here any more.
        done.map_err(|error| if error.is_lost() { StoreError::Unsettled } else { error })
    }

    async fn rollback(&mut self) {
        (self.head, self.sealed) = (None, None);
        if self.connection.is_some() && self.run(ROLLBACK).await.is_err() {
            self.connection = None;
        }
    }

    async fn close(mut self: Box<Self>) {
        if let Some(connection) = self.connection.take()
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "the connection to the database was not closed in order");
        }
    }
}

async fn load(
    connection: &mut PgConnection,
    vault: &Vault,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Loaded, StoreError> {
    let mut people = wanted.accounts.clone();
    people.held = sessions::owners(connection, &wanted.refresh_tokens).await?;
    let accounts = account_book::load(connection, vault, &people, now).await?;
    // After the accounts: whoever changed a role has committed by now, and whoever ends sessions
    // or links holds their account.
    let links = accounts::load_links(connection, &wanted.links, now).await?;
    let sessions = sessions::load(connection, wanted).await?;
    let mail = account_book::load_mail(connection, vault, wanted.mail, now).await?;
    let names = accounts::load_names(connection, vault, wanted).await?;
    let catalog = catalog::load(connection, wanted).await?;
    let album = images::load(connection, &wanted.albums).await?;

    let carts = carts::load(connection, &wanted.carts).await?;
    let seen_jobs = jobs::load(connection, wanted, now).await?;
    let seen_payments = payments::load(connection, wanted, &seen_jobs).await?;
    let mut wanted_orders = wanted.orders.clone();
    wanted_orders.extend(seen_payments.orders().map(|order| (order, Reach::Any)));
    let mut skus = wanted.skus.clone();
    skus.extend(carts.skus());
    skus.extend(orders::skus(connection, &wanted_orders).await?);
    let looked_for = skus.clone();
    let seen = due(connection, wanted, &looked_for, now).await?;
    skus.extend(seen.values().map(|hold| hold.sku.clone()));
    let (shelf, prices) = inventory::lock_shelf(connection, &skus).await?;

    // What is known of an order, its payments and their jobs changes only under its stock's locks.
    let outbox = jobs::load_again(connection, &seen_jobs, now).await?;
    let payments = payments::load(connection, wanted, &outbox).await?;
    let orders = orders::load(connection, &wanted_orders).await?;
    let is_known = |order| wanted_orders.contains(&(order, Reach::Any));
    let are_locked = orders.skus().all(|sku| skus.contains(&sku));
    if !are_locked || !payments.orders().all(|order| orders.is_here(order) || is_known(order)) {
        // Something came into being between the two looks.
        return Err(StoreError::Conflict);
    }
    let mut due =
        if seen.is_empty() { seen } else { due(connection, wanted, &looked_for, now).await? };
    keep_locked(&mut due, &skus);
    // After the stock: whoever used the same key on the same goods has committed by now.
    let claims = idempotency::load(connection, &wanted.claims, now).await?;
    let checkpoint = audit::load_basis(connection, wanted.checkpoint).await?;
    let ties_of = privacy::load_ties(connection, &wanted.ties_of).await?;
    let consents = privacy::load_consents(connection, &wanted.consents).await?;
    let old_keys = privacy::load_keys(connection, wanted).await?;
    Ok(Loaded {
        claims,
        shelf,
        prices,
        catalog,
        album,
        orders,
        payments,
        outbox,
        carts,
        due,
        names,
        accounts,
        sessions,
        links,
        mail,
        checkpoint,
        ties_of,
        consents,
        old_keys,
    })
}

async fn due(
    connection: &mut PgConnection,
    wanted: &Wanted,
    skus: &BTreeSet<Sku>,
    now: Timestamp,
) -> Result<Holds, StoreError> {
    let mut due = inventory::load_due(connection, skus, now).await?;
    if wanted.sweep {
        due.append(&mut inventory::load_all_due(connection, now).await?);
    }
    Ok(due)
}

/// Leaves orders for a later batch that hold something whose stock is not locked by this one.
fn keep_locked(due: &mut Holds, locked: &BTreeSet<Sku>) {
    let unlocked = due.values().filter(|hold| !locked.contains(&hold.sku));
    let later: BTreeSet<_> = unlocked.map(|hold| hold.order).collect();
    due.retain(|_, hold| !later.contains(&hold.order));
}

async fn save(
    connection: &mut PgConnection,
    vault: &Vault,
    sheet: &Worksheet,
    mut compound: Compound,
) -> Result<(), StoreError> {
    // What is known of an account is written whole; what is added to it comes after.
    account_book::save(connection, vault, &sheet.accounts).await?;
    accounts::save(connection, vault, sheet).await?;
    sessions::save(connection, sheet).await?;
    account_book::save_additions(connection, vault, sheet).await?;
    account_book::save_mail(connection, vault, sheet).await?;
    catalog::save(connection, sheet).await?;
    images::save(connection, sheet).await?;
    idempotency::save(&mut compound, sheet)?;
    orders::save_new(&mut compound, sheet.orders.new_orders())?;
    inventory::save(&mut compound, sheet)?;
    compound.execute(connection).await?;
    // These may change what was just added.
    orders::save_moves(connection, sheet.orders.moves(), sheet.now.micros()).await?;
    inventory::save_thresholds(connection, &sheet.shelf).await?;
    inventory::end_holds(connection, sheet).await?;
    payments::save(connection, sheet).await?;
    jobs::save(connection, sheet).await?;
    carts::save(connection, sheet).await?;
    audit::save_checkpoint(connection, sheet.new.checkpoint.as_ref()).await?;
    if sheet.sweep {
        idempotency::remove_expired(connection, sheet.now).await?;
        sessions::remove_expired(connection, sheet.now).await?;
        accounts::remove_expired_links(connection, sheet.now).await?;
        payments::remove_old_events(connection, sheet.now.minus(EVENT_LIFE)).await?;
        account_book::remove_expired(connection, sheet.now).await?;
    }
    privacy::save(connection, sheet).await
}
