//! The outbox in SQLite.

use sqlx::SqliteConnection;

use crate::clock::Timestamp;
use crate::outbox::JobBook;
use crate::store::StoreError;
use crate::store::rows::{hex, jobs as rows, listed};
use crate::worksheet::{Wanted, Worksheet};

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

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<JobBook, StoreError> {
    if wanted.jobs.is_empty() && wanted.due_jobs == 0 {
        return Ok(JobBook::default());
    }
    let most = i64::try_from(wanted.due_jobs).unwrap_or(i64::MAX);
    let ids = listed(wanted.jobs.iter().copied().map(hex))?;
    let found = sqlx::query_as(WANTED).bind(ids).bind(now.micros()).bind(most);
    rows::book(found.fetch_all(connection).await?)
}
pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let statements = [
        (DELETE, rows::gone(sheet)?),
        (UPDATE, rows::changed(sheet)?),
        (INSERT, rows::added(sheet)?),
    ];
    for (statement, jobs) in statements {
        if let Some(jobs) = jobs {
            sqlx::query(statement).bind(jobs).execute(&mut *connection).await?;
        }
    }
    Ok(())
}
