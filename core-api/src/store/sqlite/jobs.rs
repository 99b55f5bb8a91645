//! The outbox in SQLite.

use sqlx::SqliteConnection;

use crate::store::rows::jobs::jobs;

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
    INSERT INTO job (id, kind, subject_id, attempts, due_at, created_at, last_error)
    SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2), value ->> 3, value ->> 4,
           value ->> 5, value ->> 6
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

jobs!(SqliteConnection);
