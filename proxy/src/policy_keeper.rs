//! Who changes the policy in force: one thread that reads, proves and swaps, by command and by
//! watching the folder.
//!
//! It is nobody's worker: requests are judged under the old bundle until the new one is proven.
//! Fails closed: what cannot be read or proven, or is not fit for this edge, changes nothing, and
//! is logged, counted and told by `status`.

mod candidate;
mod kept;
mod told;
mod watcher;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::time::Instant;
use std::{io, thread};

use arc_swap::ArcSwap;
use stockade_contract::control::Answer;
use stockade_contract::control::policy::{CameBy, PolicyChange, PolicyRefusal, PolicyStatus};
use stockade_settings::PolicyWatch;
use tokio::sync::{oneshot, watch};

use self::candidate::NextFolder;
use self::kept::Kept;
use self::watcher::{LOOK_EVERY, Watcher};
use crate::clock;
use crate::fit;
use crate::live_policy::InForce;
use crate::metrics::ReloadResult;
use crate::policy_folder::{LoadedPolicy, Pace, PolicyError, Signature};
use crate::shared::Shared;

/// Commands that may wait.
const WAITING_MAX: usize = 16;

/// A command about the policy.
#[derive(Debug, Clone)]
pub(crate) enum Order {
    Reload { dry_run: bool },
    Rollback { to: Option<String> },
    Shadow { folder: Option<PathBuf> },
    Promote,
}

/// An order and who waits for its answer.
#[derive(Debug)]
struct Job {
    order: Order,
    answer: oneshot::Sender<Answer>,
}

/// Where commands about the policy are handed in.
#[derive(Debug, Clone)]
pub(crate) struct PolicyDesk {
    jobs: SyncSender<Job>,
    status: Arc<ArcSwap<PolicyStatus>>,
    shared: Arc<Shared>,
}

impl PolicyDesk {
    /// Has an order carried out, after those before it.
    pub(crate) async fn order(&self, order: Order) -> Answer {
        let (answer, on_answer) = oneshot::channel();
        let refused = |message: &str| Answer::Refused { message: message.to_owned() };
        match self.jobs.try_send(Job { order, answer }) {
            Ok(()) => on_answer.await.unwrap_or_else(|_| refused("the edge is stopping")),
            Err(_) => refused("too many commands are waiting; try again"),
        }
    }

    /// How the policy stands, also while a bundle is being proven.
    pub(crate) fn status(&self) -> PolicyStatus {
        let trial = told::trial(&self.shared.policy.current());
        PolicyStatus { trial, ..PolicyStatus::clone(&self.status.load()) }
    }
}

/// The policy's origin, as the edge starts with it.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) folder: PathBuf,
    pub(crate) signature: Signature,
    pub(crate) watch: PolicyWatch,
}

/// Starts the thread; it ends soon after `stop` is true.
pub(crate) fn start(
    shared: Arc<Shared>,
    origin: Origin,
    stop: watch::Receiver<bool>,
) -> io::Result<PolicyDesk> {
    let (jobs, orders) = mpsc::sync_channel(WAITING_MAX);
    let status = Arc::new(ArcSwap::from_pointee(told::at_start(&shared, &origin)));
    let desk = PolicyDesk { jobs, status: status.clone(), shared: shared.clone() };
    let keeper = Keeper {
        watcher: Watcher::new(origin.watch, origin.signature),
        shared,
        next: NextFolder::beside(&origin.folder, origin.watch),
        folder: origin.folder,
        kept: Kept::default(),
        status,
        failing: None,
    };
    // Held by the thread as well: without a control socket nobody else holds it.
    let held = desk.clone();
    thread::Builder::new().name("policy".to_owned()).spawn(move || {
        keeper.run(&orders, &stop);
        drop(held);
    })?;
    Ok(desk)
}

/// Why nothing was loaded.
#[derive(Debug, thiserror::Error)]
enum LoadFailure {
    #[error(transparent)]
    Policy(#[from] PolicyError),
    #[error(transparent)]
    Unfit(#[from] fit::UnfitPolicy),
    #[error("the proof ended in a panic; the error log has its message")]
    Panic,
}

#[derive(Debug)]
struct Keeper {
    shared: Arc<Shared>,
    folder: PathBuf,
    watcher: Watcher,
    next: NextFolder,
    kept: Kept,
    status: Arc<ArcSwap<PolicyStatus>>,
    /// What keeps the watched folder from being read, once it has been told.
    failing: Option<String>,
}

impl Keeper {
    fn run(mut self, orders: &Receiver<Job>, stop: &watch::Receiver<bool>) {
        self.take_up_next();
        let mut look_at = Instant::now() + LOOK_EVERY;
        while !*stop.borrow() {
            let pause = look_at.saturating_duration_since(Instant::now());
            if let Ok(job) = orders.recv_timeout(pause) {
                // Whoever asked may have gone; what was ordered is done all the same.
                drop(job.answer.send(self.obey(&job.order)));
            }
            if look_at <= Instant::now() {
                self.look();
                self.look_at_next();
                look_at = Instant::now() + self.watcher.pause().min(self.next.pause());
            }
        }
    }

    fn obey(&mut self, order: &Order) -> Answer {
        match order {
            Order::Reload { dry_run: true } => self.try_reload(),
            Order::Reload { dry_run: false } => {
                let answer = self.reload(CameBy::Reload);
                self.take_up_next();
                answer
            }
            Order::Rollback { to } => self.roll_back(to.as_deref()),
            Order::Shadow { folder: Some(folder) } => self.try_folder(folder),
            Order::Shadow { folder: None } => self.try_nothing(),
            Order::Promote => self.promote(),
        }
    }

    /// Loads the folder when it has changed, or could not be read before.
    fn look(&mut self) {
        let seen = Signature::of(&self.folder);
        if self.watcher.sees(seen, Instant::now()) || self.failing.is_some() {
            self.reload(CameBy::Watch);
        }
    }

    fn reload(&mut self, by: CameBy) -> Answer {
        let before = self.shared.policy.current();
        let (signature, loaded) = self.load(&self.folder);
        let policy = match loaded {
            Ok(policy) => policy,
            Err(failure) => return self.refuse(&failure, signature, by),
        };
        self.watcher.loaded(signature);
        self.failing = None;
        let changed = policy.hash != before.hash;
        let result = if changed { ReloadResult::Replaced } else { ReloadResult::Unchanged };
        self.shared.metrics.policy.reloaded(result);
        let after = told::facts(&policy);
        if changed {
            self.put_in_force(policy, by);
        }
        self.tell(|status| {
            status.refused = None;
            status.held = false;
        });
        let message = told::replaced(&before.hash, &after.hash, changed);
        tracing::info!(bundle = %after.hash, before = %before.hash, by = by.as_str(), "{message}");
        let before = before.hash.to_string();
        Answer::PolicyChange {
            change: PolicyChange { message, changed, dry_run: false, before, after },
        }
    }

    fn try_reload(&mut self) -> Answer {
        let before = self.shared.policy.current();
        match self.load(&self.folder).1 {
            Ok(policy) => {
                let after = told::facts(&policy);
                let changed = after.hash != *before.hash;
                let message = told::would_replace(&before.hash, &after, changed);
                let before = before.hash.to_string();
                Answer::PolicyChange {
                    change: PolicyChange { message, changed, dry_run: true, before, after },
                }
            }
            Err(failure) => told::refusal_answer(&failure),
        }
    }

    fn roll_back(&mut self, to: Option<&str>) -> Answer {
        let policy = match self.kept.find(to) {
            Ok(policy) => policy,
            Err(message) => return Answer::Refused { message },
        };
        let before = self.shared.policy.current();
        let after = told::facts(&policy);
        self.put_in_force(policy, CameBy::Rollback);
        self.watcher.hold();
        self.failing = None;
        self.tell(|status| status.held = true);
        let message = told::rolled_back(&before.hash, &after.hash);
        tracing::warn!(bundle = %after.hash, before = %before.hash, "{message}");
        let before = before.hash.to_string();
        Answer::PolicyChange {
            change: PolicyChange { message, changed: true, dry_run: false, before, after },
        }
    }

    /// Reads and proves, at a pace that leaves the workers their processor; also what the folder
    /// looked like just before.
    fn load(&self, folder: &Path) -> (Signature, Result<InForce, LoadFailure>) {
        self.tell(|status| status.loading = true);
        let signature = Signature::of(folder);
        let load = || LoadedPolicy::load_at(folder, Pace::Gentle);
        let loaded = match catch_unwind(AssertUnwindSafe(load)) {
            Ok(loaded) => loaded.map_err(LoadFailure::from),
            Err(_) => Err(LoadFailure::Panic),
        };
        let fit = loaded.and_then(|loaded| {
            fit::check(&loaded.bundle, self.shared.proxies.networks())?;
            Ok(InForce::new(loaded.bundle))
        });
        self.tell(|status| status.loading = false);
        (signature, fit)
    }

    /// A bundle that is refused is not tried again as long as the folder looks the same; a folder
    /// that could not be read, or was being written, is.
    fn refuse(&mut self, failure: &LoadFailure, signature: Signature, by: CameBy) -> Answer {
        let refusal = told::refusal(failure);
        match told::result(failure) {
            ReloadResult::Failed if by == CameBy::Watch => {
                let known = self.failing.replace(refusal.message.clone());
                if known.as_ref() != Some(&refusal.message) {
                    self.log_refusal(ReloadResult::Failed, &refusal, by);
                }
            }
            result => {
                self.failing = None;
                self.watcher.refused(signature);
                self.log_refusal(result, &refusal, by);
            }
        }
        told::refusal_answer(failure)
    }

    fn log_refusal(&self, result: ReloadResult, refusal: &PolicyRefusal, by: CameBy) {
        self.shared.metrics.policy.reloaded(result);
        let in_force = self.shared.policy.current().hash.clone();
        let by = by.as_str();
        tracing::error!(bundle = %in_force, by, "the policy stays as it is: {}", refusal.message);
        for finding in &refusal.findings {
            tracing::error!("{finding}");
        }
        self.tell(|status| status.refused = Some(refusal.clone()));
    }

    /// What is tried stays, unless it is this very bundle.
    fn put_in_force(&mut self, mut policy: InForce, by: CameBy) {
        let now = clock::unix_secs();
        let before = self.shared.policy.current();
        policy.try_beside(before.candidate().cloned());
        let facts = told::facts(&policy);
        self.kept.forget(&policy.hash);
        self.shared.policy.replace(policy);
        self.shared.metrics.policy.in_force(&facts.hash, Some(&before.hash));
        let mut former = InForce::clone(&before);
        former.try_beside(None);
        if let Some(gone) = self.kept.keep(former, now) {
            self.forget_series(&gone);
        }
        let kept = told::kept(&self.kept);
        self.tell(|status| {
            status.in_force = facts.clone();
            status.since = now;
            status.by = by;
            status.kept = kept.clone();
        });
    }

    /// Metrics of routes and limits that no bundle has any more would pile up with every reload.
    fn forget_series(&self, gone: &InForce) {
        let current = self.shared.policy.current();
        let kept = || self.kept.iter().map(|former| &former.policy).chain([&*current]);
        for route in gone.bundle.routes().iter() {
            let id = route.id.as_str();
            if kept().all(|policy| policy.bundle.routes().by_id(id).is_none()) {
                self.shared.metrics.forget_route(id);
            }
        }
        for limit in gone.bundle.limits().iter() {
            let name = limit.name.as_str();
            if kept().all(|policy| policy.bundle.limits().find(name).is_none()) {
                self.shared.metrics.policy.forget_limit(name);
            }
        }
    }

    fn tell(&self, change: impl Fn(&mut PolicyStatus)) {
        let mut status = PolicyStatus::clone(&self.status.load());
        change(&mut status);
        self.status.store(Arc::new(status));
    }
}
