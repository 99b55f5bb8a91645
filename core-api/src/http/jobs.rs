//! `/api/admin/jobs/dead`: jobs of the outbox that wait for a person.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::PathId;
use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::ids::JobId;
use crate::outbox::{self, Job, RetryError};

/// `GET /api/admin/jobs/dead`. Newest first.
pub(super) async fn dead(
    State(app): State<Arc<App>>,
    page: Page<JobId>,
) -> Result<Json<PageBody<JobBody>>, Problem> {
    let jobs = outbox::dead(&app, &page.slice()).await?;
    Ok(Json(page.body(&app, jobs, |job| job.id)))
}

/// `POST /api/admin/jobs/dead/{id}/retry`. Under the same key as ever, so that what was done
/// after all is not done again.
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    PathId(id): PathId<JobId>,
) -> Result<StatusCode, Problem> {
    outbox::retry(&app, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A dead job.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct JobBody {
    id: JobId,
    /// `capture`, `cancel` or `refund`.
    kind: &'static str,
    /// The payment, or for `refund` the refund.
    #[schema(value_type = String)]
    subject_id: Uuid,
    attempts: u32,
    /// What went wrong last.
    last_error: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Since when nobody tries any more.
    #[schema(format = DateTime)]
    dead_at: String,
}

impl From<Job> for JobBody {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            kind: job.kind.as_str(),
            subject_id: job.subject,
            attempts: job.attempts,
            last_error: job.last_error,
            created_at: job.created_at.to_rfc3339(),
            dead_at: job.dead_at.unwrap_or(job.due_at).to_rfc3339(),
        }
    }
}

impl From<RetryError> for Problem {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::NotFound => Self::not_found(),
            RetryError::Write(error) => error.into(),
        }
    }
}
