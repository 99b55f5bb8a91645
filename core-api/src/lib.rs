//! The core: transactional commerce behind the edge.
//!
//! # Domains
//!
//! | module | holds |
//! |---|---|
//! | `catalog` | products, SKUs, prices, categories |
//! | `images` | images of products, and the files they are made of |
//! | `inventory` | stock, holds, the ledger; stock changes nowhere else |
//! | `orders` | orders and their states |
//! | `cart` | what somebody means to order |
//! | `payments` | money that comes for orders and goes back; the provider's events |
//! | `outbox` | what is to be done in the world outside |
//! | `accounts` | accounts, passwords, sessions and their tokens |
//! | `audit` | who did what: rows that cannot be changed unnoticed |
//! | `privacy` | what is kept of people, for how long, and how it ends |
//!
//! `http` is the first file to read: every route stands in one table there, and [`openapi`] is
//! made from it. Handlers translate in, call one domain operation, translate out. Domains know
//! neither HTTP nor SQL.
//!
//! # Transactions
//!
//! Everything that changes something goes through a `writer`: a task with a connection of its
//! own, many operations in one transaction, each decided in memory by a pure function and
//! answered when the transaction is on disk. Everything that is read goes through `store`. Behind
//! both stands SQLite or PostgreSQL; cores that share a PostgreSQL need nothing of each other.
//!
//! Beside a core that serves, [`verify()`] proves that nothing in the database contradicts
//! anything else, and [`UserAdmin`] makes accounts from the command line. [`migrate`] makes
//! PostgreSQL's tables, and [`copy`] moves a shop there from SQLite.
//!
//! # Trust
//!
//! The core answers on a Unix socket, to its own user, and only requests that carry the edge's
//! assertion; all but `GET /livez`. A route runs only under the permission it declares, and
//! the scope the edge granted is part of every query over owned things. The core has no policy
//! and reads no tokens; it issues them.

mod accounts;
mod alone;
mod app;
mod audit;
mod cart;
mod catalog;
mod clock;
mod demo;
mod http;
mod idempotency;
mod ids;
mod images;
mod inventory;
mod key_files;
mod listener;
mod mail;
mod metrics;
mod money;
mod moving;
mod orders;
mod outbox;
mod payments;
mod privacy;
mod privacy_admin;
mod reach;
mod sku;
mod start;
mod store;
mod user_admin;
mod vault;
mod verify;
mod version;
mod worksheet;
mod writer;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

pub use accounts::{totp_code, totp_secret};
pub use audit::{Fault, TrailError, TrailPlace, TrailReport, verify_trail};
pub use clock::{Clock, SetClock, Timestamp};
pub use demo::{DemoAccount, SeedError};
pub use http::{RouteFacts, document as openapi, routes};
pub use images::verify_images;
pub use moving::{Copied, CopyError, MigrateError, copy, migrate};
pub use payments::{MockError, PaymentMock};
pub use privacy_admin::{ErasuresReplayed, PrivacyAdmin, PrivacyError, RetentionReport};
pub use start::StartError;
use stockade_settings::CoreSettings;
use stockade_telemetry::ops::OpsListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;
pub use user_admin::{Invitation, UserAdmin, UserError};
pub use verify::{Broken, Report, VerifyError, verify};

use crate::app::App;
use crate::listener::EdgeListener;
use crate::mail::Post;
use crate::writer::WriterTasks;

/// How long requests in flight may take when the core stops. With what the outbox may take after
/// them these are 25 of the 30 seconds that docker-compose.yml leaves the core; the rest is for
/// the last checkpoint and for closing the database.
const DRAIN_MAX: Duration = Duration::from_secs(15);

/// A core that has everything it needs and answers nobody yet.
#[derive(Debug)]
pub struct Core {
    app: Arc<App>,
    writers: WriterTasks,
    post: Post,
    listener: EdgeListener,
    ops: OpsListener,
    ops_addr: SocketAddr,
    registry: prometheus::Registry,
}

/// Why serving ended other than by being asked to.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket was lost.
    #[error("the core's socket failed")]
    Socket(#[source] io::Error),
    /// Nothing can be written any more.
    #[error("the core's writer ended")]
    Writer,
}

impl Core {
    /// Opens the database, reads the secrets and binds the sockets, or does none of it.
    ///
    /// # Errors
    /// [`StartError`] names the setting or the file at fault, and the way to put it right.
    pub async fn start(settings: &CoreSettings, clock: Clock) -> Result<Self, StartError> {
        start::start(settings, clock).await
    }

    /// Where metrics, liveness and readiness are served.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops_addr
    }

    /// The socket on which the edge is answered.
    pub fn socket(&self) -> &Path {
        self.listener.path()
    }

    /// Seeds accounts and a small catalog for trying things out; leaves alone what is there.
    ///
    /// # Errors
    /// [`SeedError`] when an account is not one the rules allow, or the database refuses.
    pub async fn seed_demo(&self, accounts: &[DemoAccount]) -> Result<(), SeedError> {
        demo::seed(&self.app, accounts).await
    }

    /// Answers until `shutdown` is true, then finishes what was begun and closes the database.
    ///
    /// # Errors
    /// [`ServeError`] when the core cannot go on.
    pub async fn serve(self, shutdown: watch::Receiver<bool>) -> Result<(), ServeError> {
        let Self { app, mut writers, post, listener, ops, registry, .. } = self;
        let mut helpers = JoinSet::new();
        let (_until_dropped, drained) = watch::channel(false);
        let serving = ops.serve(registry, app.readiness.clone(), drained);
        helpers.spawn(async move {
            if let Err(error) = serving.await {
                tracing::error!(%error, "the ops listener failed");
            }
        });
        let mut sweeping = JoinSet::new();
        sweeping.spawn(inventory::sweep_forever(Arc::clone(&app)));
        sweeping.spawn(images::sweep_forever(Arc::clone(&app)));
        sweeping.spawn(mail::deliver_forever(Arc::clone(&app), post));
        sweeping.spawn(accounts::watch_keys_forever(Arc::clone(&app)));
        sweeping.spawn(audit::checkpoint_forever(Arc::clone(&app)));
        sweeping.spawn(privacy::keep_forever(Arc::clone(&app)));
        let (stop_working, stopped) = watch::channel(false);
        let mut working = JoinSet::new();
        working.spawn(outbox::work_until(Arc::clone(&app), stopped));
        app.readiness.ready();
        let ended = tokio::select! {
            served = answer(&app, listener, shutdown) => served,
            () = writers.ended() => return Err(ServeError::Writer),
        };
        app.readiness.not_ready("stopped");
        sweeping.shutdown().await;
        // What the last requests left to be done, if it is quickly done.
        stop_working.send_replace(true);
        if let Some(Err(error)) = working.join_next().await {
            tracing::error!(%error, "the outbox's worker broke");
        }
        if let Err(error) = audit::checkpoint_now(&app).await {
            tracing::error!(error = ?error, "no last checkpoint of the audit trail: {error}");
        }
        // The writer's connection closes last: it alone can fold the log into the database.
        app.store.close().await;
        writers.drain().await;
        ended
    }
}

/// Answers the edge until `shutdown`, and then those requests that were begun.
async fn answer(
    app: &Arc<App>,
    listener: EdgeListener,
    mut shutdown: watch::Receiver<bool>,
) -> Result<(), ServeError> {
    let (stop, mut stopped) = watch::channel(false);
    let serving =
        axum::serve(listener, http::router(Arc::clone(app))).with_graceful_shutdown(async move {
            // An error means that whoever could ask is gone, which is asking.
            stopped.wait_for(|stop| *stop).await.ok();
        });
    let mut serving = pin!(serving.into_future());
    tokio::select! {
        ended = &mut serving => return ended.map_err(ServeError::Socket),
        _ = shutdown.wait_for(|stop| *stop) => {}
    }
    app.readiness.not_ready("draining");
    stop.send_replace(true);
    if let Ok(ended) = timeout(DRAIN_MAX, serving).await {
        return ended.map_err(ServeError::Socket);
    }
    tracing::warn!("requests were still in flight after {DRAIN_MAX:?}");
    Ok(())
}
