//! The outbox in SQLite.

use std::collections::BTreeMap;

use sqlx::{FromRow, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::{hex, rows};
use crate::clock::Timestamp;
use crate::ids::{Id, JobId};
use crate::outbox::{Job, JobBook, JobKind};
use crate::store::{Slice, StoreError};
use crate::worksheet::{Wanted, Worksheet};

const ANY_DUE: &str = "
    SELECT EXISTS (SELECT 1 FROM job WHERE dead_at IS NULL AND due_at <= $1)";

const DEAD: &str = "
    SELECT id, kind, subject_id, attempts, due_at, dead_at, last_error, created_at
      FROM job
     WHERE dead_at IS NOT NULL
       AND id < $1
     ORDER BY id DESC
     LIMIT $2";

/// The wanted jobs, and of those that are due the `$3` that are longest so.
const WANTED: &str = "
    SELECT id, kind, subject_id, attempts, due_at, dead_at, last_error, created_at
      FROM job
     WHERE id IN (SELECT unhex(value) FROM json_each($1))
        OR id IN (SELECT id FROM job
                   WHERE dead_at IS NULL AND due_at <= $2
                   ORDER BY due_at, id
                   LIMIT $3)";

/// The same job twice is one job.
const INSERT: &str = "
    INSERT INTO job (id, kind, subject_id, attempts, due_at, created_at)
    SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4,
           value ->> 5
      FROM json_each($1)
     WHERE true
        ON CONFLICT (kind, subject_id) DO NOTHING";

const UPDATE: &str = "
    UPDATE job
       SET attempts = w.value ->> 1,
           due_at = w.value ->> 2,
           dead_at = w.value ->> 3,
           last_error = w.value ->> 4
      FROM json_each($1) AS w
     WHERE job.id = unhex(w.value ->> 0)";

const DELETE: &str = "
    DELETE FROM job WHERE id IN (SELECT unhex(value) FROM json_each($1))";

#[derive(Debug, FromRow)]
struct JobRow {
    id: Uuid,
    kind: String,
    subject_id: Uuid,
    attempts: u32,
    due_at: i64,
    dead_at: Option<i64>,
    last_error: Option<String>,
    created_at: i64,
}

pub(super) async fn any_due(readers: &SqlitePool, now: Timestamp) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(ANY_DUE).bind(now.micros()).fetch_one(readers).await?)
}

/// Dead jobs, newest first.
pub(super) async fn dead(
    readers: &SqlitePool,
    slice: &Slice<JobId>,
) -> Result<Vec<Job>, StoreError> {
    let before = slice.after.map_or(Uuid::max(), Id::uuid);
    let found = sqlx::query_as(DEAD).bind(before).bind(slice.limit).fetch_all(readers).await?;
    found.into_iter().map(job).collect()
}

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<JobBook, StoreError> {
    if wanted.jobs.is_empty() && wanted.due_jobs == 0 {
        return Ok(JobBook::default());
    }
    let most = i64::try_from(wanted.due_jobs).unwrap_or(i64::MAX);
    let found: Vec<JobRow> = sqlx::query_as(WANTED)
        .bind(rows(wanted.jobs.iter().copied().map(hex))?)
        .bind(now.micros())
        .bind(most)
        .fetch_all(connection)
        .await?;
    let jobs = found.into_iter().map(|row| Ok((JobId::from_uuid(row.id), job(row)?)));
    Ok(JobBook::loaded(jobs.collect::<Result<BTreeMap<_, _>, StoreError>>()?))
}

fn job(row: JobRow) -> Result<Job, StoreError> {
    let kind = JobKind::ALL.into_iter().find(|kind| kind.as_str() == row.kind);
    Ok(Job {
        id: JobId::from_uuid(row.id),
        kind: kind.ok_or(StoreError::Unreadable("kind of job"))?,
        subject: row.subject_id,
        attempts: row.attempts,
        due_at: Timestamp::from_micros(row.due_at),
        dead_at: row.dead_at.map(Timestamp::from_micros),
        last_error: row.last_error,
        created_at: Timestamp::from_micros(row.created_at),
    })
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let mut gone = sheet.outbox.gone().peekable();
    if gone.peek().is_some() {
        let gone = rows(gone.map(hex))?;
        sqlx::query(DELETE).bind(gone).execute(&mut *connection).await?;
    }
    let mut changed = sheet.outbox.changed().peekable();
    if changed.peek().is_some() {
        let row = |job: &Job| {
            (hex(job.id), job.attempts, job.due_at, job.dead_at, job.last_error.clone())
        };
        let changed = rows(changed.map(row))?;
        sqlx::query(UPDATE).bind(changed).execute(&mut *connection).await?;
    }
    let mut new = sheet.outbox.added().peekable();
    if new.peek().is_some() {
        let row = |job: &Job| {
            let subject = job.subject.simple().to_string();
            (hex(job.id), job.kind.as_str(), subject, job.attempts, job.due_at, job.created_at)
        };
        let new = rows(new.map(row))?;
        sqlx::query(INSERT).bind(new).execute(&mut *connection).await?;
    }
    Ok(())
}
