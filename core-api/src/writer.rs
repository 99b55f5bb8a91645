//! The writers: many operations, one transaction (group commit).
//!
//! Operations wait in one bounded queue; a full queue refuses at once. Each writer is a task that
//! owns a connection. It takes up to [`BATCH_MAX`] waiting operations, loads and locks their rows,
//! lets each decide in memory, first come first served, commits, and only then answers. SQLite
//! has one writer, PostgreSQL a few, and they may be of several cores: what keeps two of them
//! apart is in the database. A writer that waits for rows keeps the queue for a moment: whatever
//! would wait for the same rows gathers there, and is one transaction after it.
//!
//! When a batch meets another writer, or loses its connection before it commits, it is run again
//! as it is. When the database refuses it, it is run again one by one, so a bad operation never
//! fails its neighbours.
//!
//! An operation that was accepted is carried out even when whoever asked has gone: nothing
//! of a transaction lives in a future that can be dropped.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, MutexGuard, Semaphore, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::audit::Origin;
use crate::clock::{Clock, Timestamp};
use crate::ids::IdSource;
use crate::inventory::Units;
use crate::metrics::CoreMetrics;
use crate::store::{StoreError, WriteStore};
use crate::worksheet::{Loaded, Wanted, Worksheet};

/// Most operations in one transaction.
pub(crate) const BATCH_MAX: usize = 128;

/// How long a writer that waits for its rows keeps the others from the queue: longer than a
/// transaction usually takes, and no outage of whatever needs other rows.
const QUEUE_KEPT_MAX: Duration = Duration::from_millis(50);

/// How often a batch is run as it is.
const ATTEMPTS_MAX: usize = 4;

/// An operation that changes something.
pub(crate) trait Write: Send + 'static {
    type Answer: Send + 'static;

    /// Adds the rows it needs.
    fn wants(&self, wanted: &mut Wanted);

    /// Decides, on the rows it asked for. May be called again on fresh rows; does no I/O.
    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer;
}

/// Why an operation was not carried out, or not known to be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("too many writes are waiting")]
    Busy,
    #[error("the writer has stopped")]
    Stopped,
    #[error("could not write")]
    Store(#[from] StoreError),
}

/// Hands operations to the writers.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Waits until the operation is on disk. It is done in the name of whoever's request this is.
    pub(crate) async fn submit<W: Write>(&self, write: W) -> Result<W::Answer, WriteError> {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Waiting { origin: Origin::current(), write, answer: None, reply });
        self.queue.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => WriteError::Busy,
            mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
        })?;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    /// Whether operations are accepted at all.
    pub(crate) fn runs(&self) -> bool {
        !self.queue.is_closed()
    }
}

/// The running writers. Dropping this ends them where they stand.
#[derive(Debug)]
pub(crate) struct WriterTasks {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl WriterTasks {
    /// Takes no more operations, carries out those that wait, and ends.
    pub(crate) async fn drain(mut self) {
        self.stop.send_replace(true);
        while let Some(ended) = self.tasks.join_next().await {
            tell(ended);
        }
    }

    /// Until a writer has ended, which it does unasked only when it is broken.
    pub(crate) async fn ended(&mut self) {
        if let Some(ended) = self.tasks.join_next().await {
            tell(ended);
        }
    }
}

fn tell(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a writer broke");
    }
}

/// What is waiting; one writer at a time takes from it.
type Queue = Arc<Mutex<mpsc::Receiver<Box<dyn Job>>>>;

/// Starts writers, with room for `queue_max` waiting operations.
pub(crate) fn start(desks: Vec<Desk>, queue_max: usize) -> (Writer, WriterTasks) {
    let (queue, waiting) = mpsc::channel(queue_max.min(Semaphore::MAX_PERMITS));
    let waiting = Arc::new(Mutex::new(waiting));
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for desk in desks {
        tasks.spawn(desk.run(Arc::clone(&waiting), stopped.clone()));
    }
    (Writer { queue }, WriterTasks { stop, tasks })
}

/// What one writer works with.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) store: Box<dyn WriteStore>,
    pub(crate) clock: Clock,
    pub(crate) ids: IdSource,
    pub(crate) metrics: Arc<CoreMetrics>,
    /// When a SKU is low that does not say so itself.
    pub(crate) low_at: Option<Units>,
}

impl Desk {
    /// Carries out one operation by itself, where there is no queue, in the name of whoever
    /// this is.
    pub(crate) async fn carry_out<W: Write>(&mut self, write: W) -> Result<W::Answer, WriteError> {
        let (reply, answer) = oneshot::channel();
        let origin = Origin::current();
        self.write(Batch::of(Box::new(Waiting { origin, write, answer: None, reply }))).await;
        answer.await.map_err(|_| WriteError::Stopped)?
    }

    async fn run(mut self, queue: Queue, mut stopped: watch::Receiver<bool>) {
        while let Some(batch) = take(&queue, &mut stopped).await {
            self.metrics.write_queue(batch.left());
            self.write(batch).await;
        }
        self.store.close().await;
    }

    /// Carries out a batch and answers it.
    async fn write(&mut self, mut batch: Batch<'_>) {
        let started = Instant::now();
        let size = batch.jobs.len();
        match self.attempt_again(&mut batch).await {
            Ok(()) => batch.jobs.into_iter().for_each(|job| job.answer()),
            Err(error) if error.concerns_all() => {
                tracing::warn!(error = ?error, size, "a batch was given up");
                self.give_up(batch, &error);
            }
            Err(error) => self.write_singly(batch, error).await,
        }
        self.metrics.batch_written(size, started.elapsed());
    }

    async fn write_singly(&mut self, batch: Batch<'_>, error: StoreError) {
        if batch.jobs.len() == 1 {
            self.give_up(batch, &error);
            return;
        }
        let size = batch.jobs.len();
        tracing::warn!(error = ?error, size, "a batch failed; writing one by one");
        for mut one in batch.jobs.into_iter().map(Batch::of) {
            match self.attempt_again(&mut one).await {
                Ok(()) => one.jobs.into_iter().for_each(|job| job.answer()),
                Err(error) => self.give_up(one, &error),
            }
        }
    }

    /// Neither these changes nor what is told of them could be written.
    fn give_up(&self, batch: Batch<'_>, error: &StoreError) {
        self.metrics.writes_refused(batch.jobs.len());
        batch.jobs.into_iter().for_each(|job| job.fail(error.clone()));
    }

    /// Runs a batch again as it is, while that may help.
    async fn attempt_again(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        let mut done = self.attempt(batch).await;
        for _ in 1..ATTEMPTS_MAX {
            match done {
                Err(error) if error.may_pass() => {
                    tracing::debug!(error = ?error, size = batch.jobs.len(), "once more");
                    done = self.attempt(batch).await;
                }
                done => return done,
            }
        }
        done
    }

    async fn attempt(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        let done = self.transact(batch).await;
        if done.is_err() {
            self.store.rollback().await;
        }
        done
    }

    async fn transact(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        let decided = self.decide(batch).await?;
        self.store.commit().await?;
        self.metrics.acts_told(decided.acts);
        self.metrics.stock_lowered(decided.lowered);
        Ok(())
    }

    /// Decides a batch and saves it.
    async fn decide(&mut self, batch: &mut Batch<'_>) -> Result<Decided, StoreError> {
        let (loaded, now) = self.begin(batch).await?;
        let mut sheet = Worksheet::begin(loaded, now, self.ids.clone());
        sheet.shelf.presume_low_at(self.low_at);
        batch.jobs.iter_mut().for_each(|job| job.decide(&mut sheet));
        self.store.save(&sheet).await?;
        Ok(Decided { acts: sheet.trail.acts().len(), lowered: sheet.shelf.lowered() })
    }

    /// Loads a batch's rows in a transaction, and lets go of the queue.
    async fn begin(&mut self, batch: &mut Batch<'_>) -> Result<(Loaded, Timestamp), StoreError> {
        let mut wanted = Wanted::default();
        batch.jobs.iter().for_each(|job| job.wants(&mut wanted));
        let (store, clock) = (&mut self.store, &self.clock);
        let mut loading = pin!(async {
            store.begin().await?;
            let loaded = store.load(&wanted, clock.now()).await?;
            // SECURITY: taken once the rows are locked. Whoever held them before was issued tokens
            // of an earlier moment, which a revocation of this one reaches.
            Ok((loaded, clock.now()))
        });
        let soon = timeout(QUEUE_KEPT_MAX, &mut loading).await;
        batch.queue = None;
        match soon {
            Ok(loaded) => loaded,
            Err(_) => loading.await,
        }
    }
}

/// What is counted of a batch once it is on disk.
struct Decided {
    /// Acts that the audit trail tells.
    acts: usize,
    /// SKUs of which little became available.
    lowered: usize,
}

/// Operations of one transaction.
struct Batch<'q> {
    jobs: Vec<Box<dyn Job>>,
    /// Where they waited, while nobody else may take from it.
    queue: Option<MutexGuard<'q, mpsc::Receiver<Box<dyn Job>>>>,
}

impl Batch<'_> {
    fn of(job: Box<dyn Job>) -> Self {
        Self { jobs: vec![job], queue: None }
    }

    /// How many operations still wait.
    fn left(&self) -> usize {
        self.queue.as_ref().map_or(0, |queue| queue.len())
    }
}

/// What waits, when something does; `None` at the end.
async fn take<'q>(queue: &'q Queue, stopped: &mut watch::Receiver<bool>) -> Option<Batch<'q>> {
    let mut waiting = queue.lock().await;
    let mut jobs = Vec::with_capacity(BATCH_MAX);
    loop {
        tokio::select! {
            biased;
            // An error means that whoever could ask is gone, which is asking.
            _ = stopped.wait_for(|stop| *stop), if !waiting.is_closed() => waiting.close(),
            taken = waiting.recv_many(&mut jobs, BATCH_MAX) => {
                return (taken > 0).then_some(Batch { jobs, queue: Some(waiting) });
            }
        }
    }
}

/// An operation in the queue, whatever its answer's type.
trait Job: Send {
    fn wants(&self, wanted: &mut Wanted);
    fn decide(&mut self, sheet: &mut Worksheet);
    fn answer(self: Box<Self>);
    fn fail(self: Box<Self>, error: StoreError);
}

impl fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Job")
    }
}

struct Waiting<W: Write> {
    origin: Arc<Origin>,
    write: W,
    answer: Option<W::Answer>,
    reply: oneshot::Sender<Result<W::Answer, WriteError>>,
}

impl<W: Write> Waiting<W> {
    /// Whoever asked may have gone; what was done is done.
    fn reply(
        reply: oneshot::Sender<Result<W::Answer, WriteError>>,
        with: Result<W::Answer, WriteError>,
    ) {
        if reply.send(with).is_err() {
            tracing::debug!("nobody waits for the answer");
        }
    }
}

impl<W: Write> Job for Waiting<W> {
    fn wants(&self, wanted: &mut Wanted) {
        self.write.wants(wanted);
    }

    fn decide(&mut self, sheet: &mut Worksheet) {
        sheet.trail.turn(&self.origin);
        self.answer = Some(self.write.decide(sheet));
    }

    fn answer(self: Box<Self>) {
        let answer = self.answer.ok_or(WriteError::Stopped);
        Self::reply(self.reply, answer);
    }

    fn fail(self: Box<Self>, error: StoreError) {
        Self::reply(self.reply, Err(WriteError::Store(error)));
    }
}

#[cfg(test)]
mod tests;
