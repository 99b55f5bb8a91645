//! The outbox.

use std::collections::BTreeMap;

use sqlx::FromRow;
use uuid::Uuid;

use super::{hex, listed_if_any};
use crate::clock::Timestamp;
use crate::ids::{Id, JobId};
use crate::outbox::{Job, JobBook, JobKind};
use crate::store::StoreError;
use crate::worksheet::Worksheet;

pub(in crate::store) const ANY_DUE: &str = "
    SELECT EXISTS (SELECT 1 FROM job WHERE dead_at IS NULL AND due_at <= $1)";

pub(in crate::store) const DEAD: &str = "
    SELECT id, kind, subject_id, attempts, due_at, dead_at, last_error, created_at
      FROM job
     WHERE dead_at IS NOT NULL
       AND id < $1
     ORDER BY id DESC
     LIMIT $2";

#[derive(Debug, FromRow)]
pub(in crate::store) struct JobRow {
    id: Uuid,
    kind: String,
    subject_id: Uuid,
    attempts: i64,
    due_at: i64,
    dead_at: Option<i64>,
    last_error: Option<String>,
    created_at: i64,
}

pub(in crate::store) fn job(row: JobRow) -> Result<Job, StoreError> {
    let kind = JobKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
    Ok(Job {
        id: JobId::from_uuid(row.id),
        kind: kind.ok_or(StoreError::Unreadable("kind of job"))?,
        subject: row.subject_id,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        due_at: Timestamp::from_micros(row.due_at),
        dead_at: row.dead_at.map(Timestamp::from_micros),
        last_error: row.last_error,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

/// Jobs by id.
pub(in crate::store) fn book(rows: Vec<JobRow>) -> Result<JobBook, StoreError> {
    let jobs = rows.into_iter().map(|row| Ok((JobId::from_uuid(row.id), job(row)?)));
    Ok(JobBook::loaded(jobs.collect::<Result<BTreeMap<_, _>, StoreError>>()?))
}

/// Jobs that are gone.
pub(in crate::store) fn gone(sheet: &Worksheet) -> Result<Option<String>, StoreError> {
    listed_if_any(sheet.outbox.gone().map(hex))
}

/// Jobs that are as they are from now on.
pub(in crate::store) fn changed(sheet: &Worksheet) -> Result<Option<String>, StoreError> {
    let row =
        |job: &Job| (hex(job.id), job.attempts, job.due_at, job.dead_at, job.last_error.clone());
    listed_if_any(sheet.outbox.changed().map(row))
}

/// Jobs that the batch adds.
pub(in crate::store) fn added(sheet: &Worksheet) -> Result<Option<String>, StoreError> {
    let row = |job: &Job| {
        let subject = job.subject.simple().to_string();
        let (kind, error) = (job.kind.as_str(), job.last_error.clone());
        (hex(job.id), kind, subject, job.attempts, job.due_at, job.created_at, error)
    };
    listed_if_any(sheet.outbox.added().map(row))
}

/// Loading and writing: one implementation for both databases, as each has its own type of
/// connection, and its own way to take a list.
macro_rules! jobs {
    ($connection:ty) => {
        use sqlx::{query, query_as};

        use crate::clock::Timestamp;
        use crate::outbox::JobBook;
        use crate::store::StoreError;
        use crate::store::rows::{hex, jobs, listed};
        use crate::worksheet::{Wanted, Worksheet};

        pub(super) async fn load(
            connection: &mut $connection,
            wanted: &Wanted,
            now: Timestamp,
        ) -> Result<JobBook, StoreError> {
            if wanted.jobs.is_empty() && wanted.due_jobs == 0 {
                return Ok(JobBook::default());
            }
            let most = i64::try_from(wanted.due_jobs).unwrap_or(i64::MAX);
            let ids = listed(wanted.jobs.iter().copied().map(hex))?;
            let found = query_as(WANTED).bind(ids).bind(now.micros()).bind(most);
            jobs::book(found.fetch_all(connection).await?)
        }
        pub(super) async fn save(
            connection: &mut $connection,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            let statements = [
                (DELETE, jobs::gone(sheet)?),
                (UPDATE, jobs::changed(sheet)?),
                (INSERT, jobs::added(sheet)?),
            ];
            for (statement, list) in statements {
                if let Some(list) = list {
                    query(statement).bind(list).execute(&mut *connection).await?;
                }
            }
            Ok(())
        }
    };
}

pub(in crate::store) use jobs;
