//! Revocations in SQLite.

use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::account_book::{signed, whole};
use crate::accounts::{Revocation, Revoked};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, SessionId};
use crate::store::StoreError;
use crate::worksheet::Worksheet;

const LIST: &str = "
    SELECT seq, kind, id, not_before
      FROM revocation
     WHERE seq > $1
       AND created_at > $2
     ORDER BY seq
     LIMIT $3";

const INSERT: &str = "
    INSERT INTO revocation (kind, id, not_before, created_at)
    VALUES ($1, $2, $3, $4)";

const SUBJECT: &str = "subject";
const SESSION: &str = "session";

pub(super) async fn list(
    readers: &SqlitePool,
    after: u64,
    since: Timestamp,
    limit: u32,
) -> Result<Vec<Revoked>, StoreError> {
    let found = sqlx::query_as(LIST).bind(signed(after)).bind(since.micros());
    let found: Vec<(i64, String, Uuid, Option<i64>)> =
        found.bind(i64::from(limit)).fetch_all(readers).await?;
    found.into_iter().map(revoked).collect()
}

fn revoked(
    (seq, kind, id, not_before): (i64, String, Uuid, Option<i64>),
) -> Result<Revoked, StoreError> {
    let revocation = match (kind.as_str(), not_before) {
        (SUBJECT, Some(not_before)) => Revocation::Subject {
            account: AccountId::from_uuid(id),
            not_before: whole(not_before, "second")?,
        },
        (SESSION, None) => Revocation::Session(SessionId::from_uuid(id)),
        _ => return Err(StoreError::Unreadable("revocation")),
    };
    Ok(Revoked { seq: whole(seq, "sequence number")?, revocation })
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    for revocation in &sheet.new.revocations {
        let (kind, id, not_before) = match revocation {
            Revocation::Subject { account, not_before } => {
                (SUBJECT, account.uuid(), Some(signed(*not_before)))
            }
            Revocation::Session(session) => (SESSION, session.uuid(), None),
        };
        let insert = sqlx::query(INSERT).bind(kind).bind(id).bind(not_before);
        insert.bind(sheet.now.micros()).execute(&mut *connection).await?;
    }
    Ok(())
}
