//! Messages that wait, in SQLite.

use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::ids::{Id, LetterId};
use crate::mail::{Letter, Outbox};
use crate::store::StoreError;
use crate::vault::Sealed;
use crate::worksheet::Worksheet;

/// Messages taken at once.
const TAKEN_MAX: i64 = 16;

const IS_DUE: &str = "SELECT EXISTS (SELECT 1 FROM mail WHERE due_at <= $1)";

const DUE: &str = "
    SELECT id, message, attempts
      FROM mail
     WHERE due_at <= $1
     ORDER BY due_at
     LIMIT $2";

const INSERT: &str = "
    INSERT INTO mail (id, message, attempts, due_at)
    VALUES ($1, $2, 0, $3)";

const TAKE: &str = "
    UPDATE mail
       SET attempts = $2, due_at = $3
     WHERE id = $1";

const DELETE: &str = "DELETE FROM mail WHERE id = $1";

pub(super) async fn is_due(readers: &SqlitePool, now: Timestamp) -> Result<bool, StoreError> {
    Ok(sqlx::query_scalar(IS_DUE).bind(now.micros()).fetch_one(readers).await?)
}

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: bool,
    now: Timestamp,
) -> Result<Outbox, StoreError> {
    if !wanted {
        return Ok(Outbox::default());
    }
    let found = sqlx::query_as(DUE).bind(now.micros()).bind(TAKEN_MAX);
    let found: Vec<(Uuid, Vec<u8>, i64)> = found.fetch_all(connection).await?;
    let letter = |(id, message, attempts): (Uuid, Vec<u8>, i64)| Letter {
        id: LetterId::from_uuid(id),
        message: Sealed(message),
        attempts: attempts.try_into().unwrap_or(u32::MAX),
    };
    Ok(Outbox { due: found.into_iter().map(letter).collect(), ..Outbox::default() })
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    for new in &sheet.mail.new {
        let insert = sqlx::query(INSERT).bind(new.id.uuid()).bind(new.message.0.as_slice());
        insert.bind(sheet.now.micros()).execute(&mut *connection).await?;
    }
    for (id, attempts, due_at) in &sheet.mail.taken {
        let take = sqlx::query(TAKE).bind(id.uuid()).bind(i64::from(*attempts));
        take.bind(due_at.micros()).execute(&mut *connection).await?;
    }
    for id in &sheet.mail.gone {
        sqlx::query(DELETE).bind(id.uuid()).execute(&mut *connection).await?;
    }
    Ok(())
}
