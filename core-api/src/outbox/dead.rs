//! Dead jobs: what a person has to look at, and may have tried again.

use super::Job;
use crate::app::App;
use crate::ids::JobId;
use crate::store::{Slice, StoreError};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why a job was not raised.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RetryError {
    #[error("there is no such dead job")]
    NotFound,
    #[error("could not raise the job")]
    Write(#[from] WriteError),
}

/// Dead jobs, newest first.
pub(crate) async fn dead(app: &App, slice: &Slice<JobId>) -> Result<Vec<Job>, StoreError> {
    app.store.dead_jobs(slice).await
}

/// Has a dead job tried again, under the same key as ever.
pub(crate) async fn retry(app: &App, id: JobId) -> Result<(), RetryError> {
    app.writer.submit(Retry(id)).await??;
    app.outbox.wake();
    Ok(())
}

#[derive(Debug, Clone, Copy)]
struct Retry(JobId);

impl Write for Retry {
    type Answer = Result<(), RetryError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.jobs.insert(self.0);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let is_raised = sheet.outbox.raise(self.0, sheet.now);
        is_raised.then_some(()).ok_or(RetryError::NotFound)
    }
}
