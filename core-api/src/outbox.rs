//! The outbox: what is to be done in the world outside, written in the transaction that is its
//! cause.
//!
//! A worker leases what is due, does it, and concludes: the result and the end of the job are
//! one transaction. Whenever it is killed, the job is there again once its lease is over, and
//! is done under the same key, which the provider carries out once. Where the provider itself
//! broke, it would only repeat that: the job goes on under a new name, and so under a new key.
//! What fails for good, or too often, is *dead* and waits for a person, who may raise it: then it
//! begins anew, by looking whether it was done after all.

mod book;
mod dead;
mod work;

use std::time::Duration;

pub(crate) use book::JobBook;
pub(crate) use dead::{RetryError, dead, retry};
use tokio::sync::Notify;
use uuid::Uuid;
pub(crate) use work::work_until;

use crate::clock::Timestamp;
use crate::ids::{Id, JobId, PaymentId, RefundId};

/// How long a worker may take. The longest is to look for a refund, make it, and read its
/// payment: three requests of three tries, each up to 14 s, and their pauses, 128 s in all.
pub(crate) const LEASE: Duration = Duration::from_mins(3);

/// Most attempts, over nine hours, before a job is dead.
pub(crate) const ATTEMPTS_MAX: u32 = 20;

/// The pause after the first attempt; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_hours(1);

/// Longest error kept, in characters.
const ERROR_CHARS_MAX: usize = 200;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum JobKind {
    /// Take the money of a payment.
    Capture,
    /// Give a payment up.
    Cancel,
    /// Give money back.
    Refund,
}

impl JobKind {
    pub(crate) const ALL: [Self; 3] = [Self::Capture, Self::Cancel, Self::Refund];

    /// The stable word in the database, in answers and in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Cancel => "cancel",
            Self::Refund => "refund",
        }
    }

    /// It, done to a payment.
    pub(crate) fn of(self, payment: PaymentId) -> (Self, Uuid) {
        (self, payment.uuid())
    }

    /// A refund to be made.
    pub(crate) fn refund_of(refund: RefundId) -> (Self, Uuid) {
        (Self::Refund, refund.uuid())
    }
}

/// A job of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) id: JobId,
    pub(crate) kind: JobKind,
    /// A payment, or for a refund the refund.
    pub(crate) subject: Uuid,
    /// How often it was leased.
    pub(crate) attempts: u32,
    /// When it is to be done, or when its lease is over.
    pub(crate) due_at: Timestamp,
    /// Since when it waits for a person.
    pub(crate) dead_at: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    pub(crate) created_at: Timestamp,
}

impl Job {
    /// The payment it is about, unless it is about a refund.
    pub(crate) fn payment(&self) -> Option<PaymentId> {
        (self.kind != JobKind::Refund).then(|| PaymentId::from_uuid(self.subject))
    }

    /// The refund it is about.
    pub(crate) fn refund(&self) -> Option<RefundId> {
        (self.kind == JobKind::Refund).then(|| RefundId::from_uuid(self.subject))
    }

    /// The pause after so many attempts.
    fn pause(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(16);
        PAUSE.saturating_mul(1 << doublings).min(PAUSE_MAX)
    }
}

/// Wakes the worker before its time.
#[derive(Debug, Default)]
pub(crate) struct Outbox(Notify);

impl Outbox {
    /// Something may have become due.
    pub(crate) fn wake(&self) {
        self.0.notify_one();
    }

    async fn woken(&self) {
        self.0.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour_and_end_after_nine_hours() {
        let pause = |attempts| {
            let (id, now) = (JobId::from_uuid(Uuid::nil()), Timestamp::from_micros(0));
            let job = Job {
                id,
                kind: JobKind::Capture,
                subject: Uuid::nil(),
                attempts,
                due_at: now,
                dead_at: None,
                last_error: None,
                created_at: now,
            };
            job.pause().as_secs()
        };
        assert_eq!([1, 2, 3, 12, 13, 20].map(pause), [1, 2, 4, 2_048, 3_600, 3_600]);
        let all: u64 = (1..ATTEMPTS_MAX).map(pause).sum();
        assert!((8 * 3_600..10 * 3_600).contains(&all), "{all}");
    }
}
