//! The outbox in PostgreSQL.

use sqlx::postgres::PgConnection;

use crate::store::rows::jobs::jobs;

/// The wanted jobs, and of those that are due the `$3` that are longest so.
const WANTED: &str = "
    SELECT id, kind, subject_id, attempts, due_at, dead_at, last_error, created_at
      FROM job
     WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS value)
        OR id IN (SELECT id FROM job
                   WHERE dead_at IS NULL AND due_at <= $2
                   ORDER BY due_at, id
                   LIMIT $3)";

/// The same job twice is one job.
const INSERT: &str = "
    INSERT INTO job (id, kind, subject_id, attempts, due_at, created_at, last_error)
    SELECT (value ->> 0)::uuid, value ->> 1, (value ->> 2)::uuid, (value ->> 3)::bigint,
           (value ->> 4)::bigint, (value ->> 5)::bigint, value ->> 6
      FROM jsonb_array_elements($1::jsonb) AS value
        ON CONFLICT (kind, subject_id) DO NOTHING";

const UPDATE: &str = "
    UPDATE job
       SET attempts = (w.value ->> 1)::bigint,
           due_at = (w.value ->> 2)::bigint,
           dead_at = (w.value ->> 3)::bigint,
           last_error = w.value ->> 4
      FROM jsonb_array_elements($1::jsonb) AS w (value)
     WHERE job.id = (w.value ->> 0)::uuid";

const DELETE: &str = "
    DELETE FROM job WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS value)";

jobs!(PgConnection);

/// The same jobs as they are by now, and no others.
pub(super) async fn load_again(
    connection: &mut PgConnection,
    seen: &JobBook,
    now: Timestamp,
) -> Result<JobBook, StoreError> {
    let jobs = seen.all().map(|job| job.id).collect();
    load(connection, &Wanted { jobs, ..Wanted::default() }, now).await
}
