//! The job book: the jobs of one batch, and what the batch changes about them.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{ATTEMPTS_MAX, ERROR_CHARS_MAX, Job, JobKind, LEASE};
use crate::clock::Timestamp;
use crate::ids::{IdSource, JobId};

/// Jobs in memory.
#[derive(Debug, Default)]
pub(crate) struct JobBook {
    jobs: BTreeMap<JobId, Job>,
    new: BTreeMap<(JobKind, Uuid), Job>,
    changed: BTreeSet<JobId>,
    done: BTreeSet<JobId>,
}

impl JobBook {
    pub(crate) fn loaded(jobs: BTreeMap<JobId, Job>) -> Self {
        Self { jobs, ..Self::default() }
    }

    /// Jobs that are here.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values()
    }

    /// A job to be done at once; nothing if the same is to be done already.
    pub(crate) fn add(&mut self, ids: &IdSource, now: Timestamp, (kind, subject): (JobKind, Uuid)) {
        self.new.entry((kind, subject)).or_insert_with(|| Job {
            id: ids.next(now),
            kind,
            subject,
            attempts: 0,
            due_at: now,
            dead_at: None,
            last_error: None,
            created_at: now,
        });
    }

    /// Jobs that are due, at most so many, oldest first.
    pub(crate) fn due(&self, now: Timestamp, most: usize) -> Vec<Job> {
        let is_due = |job: &&Job| job.dead_at.is_none() && job.due_at <= now;
        self.jobs.values().filter(is_due).take(most).cloned().collect()
    }

    /// Leases a job to a worker.
    pub(crate) fn lease(&mut self, id: JobId, now: Timestamp) -> Option<Job> {
        let job = self.jobs.get_mut(&id)?;
        job.attempts = job.attempts.saturating_add(1);
        job.due_at = now.plus(LEASE);
        self.changed.insert(id);
        Some(job.clone())
    }

    /// A job is done, or not wanted any more.
    pub(crate) fn done(&mut self, id: JobId) {
        if self.jobs.remove(&id).is_some() {
            self.changed.remove(&id);
            self.done.insert(id);
        }
    }

    /// An attempt failed: again later, or never. True when the job is dead by that.
    pub(crate) fn failed(
        &mut self,
        leased: &Job,
        now: Timestamp,
        why: &str,
        is_final: bool,
    ) -> bool {
        // Whoever leased it since knows better.
        let is_ours = |job: &&mut Job| job.attempts == leased.attempts;
        let Some(job) = self.jobs.get_mut(&leased.id).filter(is_ours) else { return false };
        job.last_error = Some(why.chars().take(ERROR_CHARS_MAX).collect());
        job.due_at = now.plus(job.pause());
        if is_final || job.attempts >= ATTEMPTS_MAX {
            job.dead_at = Some(now);
        }
        self.changed.insert(leased.id);
        job.dead_at.is_some()
    }

    /// Gives a job whose attempt failed a new name, under which the next attempt is another to
    /// the provider.
    pub(crate) fn rename(&mut self, leased: &Job, ids: &IdSource, now: Timestamp) {
        let is_ours = |job: &&Job| job.attempts == leased.attempts;
        let Some(job) = self.jobs.get(&leased.id).filter(is_ours).cloned() else { return };
        self.done(job.id);
        self.new.insert((job.kind, job.subject), Job { id: ids.next(now), ..job });
    }

    /// Puts a new job in the place of a dead one; false when there is none. Under the old name
    /// a provider would only repeat what it answered.
    pub(crate) fn raise(&mut self, id: JobId, ids: &IdSource, now: Timestamp) -> bool {
        let Some(job) = self.jobs.get(&id).filter(|job| job.dead_at.is_some()) else {
            return false;
        };
        let same = (job.kind, job.subject);
        self.done(id);
        self.add(ids, now, same);
        true
    }

    /// Jobs the batch adds, unless the same is there already.
    pub(crate) fn added(&self) -> impl Iterator<Item = &Job> {
        self.new.values()
    }

    /// Jobs that are as they are from now on.
    pub(crate) fn changed(&self) -> impl Iterator<Item = &Job> {
        self.changed.iter().filter_map(|id| self.jobs.get(id))
    }

    /// Jobs that are gone.
    pub(crate) fn gone(&self) -> impl Iterator<Item = JobId> {
        self.done.iter().copied()
    }
}
