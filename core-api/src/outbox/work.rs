//! The worker: leases what is due, does it, concludes.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::Job;
use crate::app::App;
use crate::metrics::JobOutcome;
use crate::payments::{self, Ask, TaskResult};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::Write;

/// How often to look for what is due, without being woken.
const PERIOD: Duration = Duration::from_secs(1);

/// Jobs done at once.
const AT_ONCE: usize = 8;

/// How long what is due may take when the core stops, after the requests had their time. The rest
/// waits for the next start.
const DRAIN_MAX: Duration = Duration::from_secs(10);

/// Works until `stop` is true, and then does what is due by then, if it is quickly done.
pub(crate) async fn work_until(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if app.provider.gateway.is_off() {
        tracing::warn!(
            "no payment provider is set (core.payments.secret_key_file): nobody can pay"
        );
    }
    loop {
        tokio::select! {
            biased;
            // An error means that whoever could ask is gone, which is asking.
            _ = stop.wait_for(|stop| *stop) => break,
            () = app.outbox.woken() => {}
            _ = ticks.tick() => {}
        }
        if stopped_while(do_what_is_due(&app), &mut stop, DRAIN_MAX).await {
            return;
        }
    }
    drain(do_what_is_due(&app), DRAIN_MAX).await;
}

/// Works to the end, or until `stop` is true and so long after it; whether it came to that.
async fn stopped_while(
    work: impl Future<Output = ()>,
    stop: &mut watch::Receiver<bool>,
    after: Duration,
) -> bool {
    let mut work = pin!(work);
    tokio::select! {
        biased;
        () = &mut work => return false,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    drain(work, after).await;
    true
}

/// Works for so long at most. What is dropped then is leased, and done under the same key once
/// its lease is over.
async fn drain(work: impl Future<Output = ()>, longest: Duration) {
    if timeout(longest, work).await.is_err() {
        tracing::warn!("jobs were still in flight after {longest:?}; the next start does them");
    }
}

async fn do_what_is_due(app: &Arc<App>) {
    loop {
        match app.store.any_job_due(app.clock.now()).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return tracing::warn!(error = ?error, "could not ask what is due"),
        }
        let leased = match app.writer.submit(Lease).await {
            Ok(leased) => leased,
            Err(error) => return tracing::warn!(error = ?error, "could not lease jobs"),
        };
        let mut working = JoinSet::new();
        for (job, ask) in leased {
            let app = Arc::clone(app);
            working.spawn(async move { work(&app, job, ask).await });
        }
        while let Some(ended) = working.join_next().await {
            if let Err(error) = ended {
                tracing::error!(%error, "a job broke");
            }
        }
    }
}

async fn work(app: &App, job: Job, ask: Ask) {
    let result = payments::carry_out(&*app.provider.gateway, job.id, &ask).await;
    let kind = job.kind;
    match app.writer.submit(Conclude { job, result }).await {
        Ok(outcome) => app.metrics.job_ended(kind, outcome),
        // Its lease will be over, and it will be done again under the same key.
        Err(error) => tracing::warn!(error = ?error, "could not conclude a job"),
    }
}

/// Leases what is due.
#[derive(Debug, Clone, Copy)]
struct Lease;

impl Write for Lease {
    type Answer = Vec<(Job, Ask)>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.due_jobs = AT_ONCE;
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let due = sheet.outbox.due(sheet.now, AT_ONCE);
        let lease = |job: Job| match payments::plan(sheet, &job) {
            Some(ask) => Some((sheet.outbox.lease(job.id, sheet.now)?, ask)),
            None => {
                sheet.outbox.done(job.id);
                None
            }
        };
        due.into_iter().filter_map(lease).collect()
    }
}

/// Books what came of a job.
#[derive(Debug, Clone)]
struct Conclude {
    job: Job,
    result: Result<TaskResult, payments::GatewayError>,
}

impl Write for Conclude {
    type Answer = JobOutcome;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.jobs.insert(self.job.id);
        wanted.payments.extend(self.job.payment());
        wanted.refunds.extend(self.job.refund());
    }

    fn decide(&self, sheet: &mut Worksheet) -> JobOutcome {
        match &self.result {
            Ok(result) => {
                payments::conclude(sheet, &self.job, result);
                sheet.outbox.done(self.job.id);
                JobOutcome::Done
            }
            Err(error) => {
                let (why, is_final) = (error.to_string(), !error.may_pass());
                if sheet.outbox.failed(&self.job, sheet.now, &why, is_final) {
                    tracing::error!(job.id = %self.job.id, kind = self.job.kind.as_str(), why, "a job is dead");
                    return JobOutcome::Dead;
                }
                if error.is_kept() {
                    sheet.outbox.rename(&self.job, &sheet.ids, sheet.now);
                }
                JobOutcome::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use stockade_test_support::deadline::soon;

    use super::*;

    #[tokio::test]
    async fn what_does_not_end_is_left_when_the_core_stops() {
        let (ask, mut stop) = watch::channel(false);
        assert!(!stopped_while(ready(()), &mut stop, Duration::ZERO).await);
        let endless = async {
            ask.send_replace(true);
            pending().await
        };
        let left = stopped_while(endless, &mut stop, Duration::ZERO);
        assert!(soon("the work is left", left).await);
        // Asked before it begins, it still is begun.
        let mut begun = false;
        let quick = async { begun = true };
        stopped_while(quick, &mut stop, Duration::ZERO).await;
        assert!(begun);
    }
}
