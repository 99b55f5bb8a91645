//! Sessions and refresh tokens in SQLite.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{hex, hex_bytes, rows};
use crate::accounts::{NewSession, Rotation, SessionBook};
use crate::clock::Timestamp;
use crate::ids::{Id as _, SessionId};
use crate::store::StoreError;
use crate::store::rows::sessions::{SessionRow, session, token};
use crate::worksheet::{Wanted, Worksheet};

const TOKENS: &str = "
    SELECT t.hash, t.session_id, t.spent_at IS NOT NULL
      FROM json_each($1) AS w
     CROSS JOIN refresh_token AS t
     WHERE t.hash = unhex(w.value)";

const SESSIONS: &str = "
    SELECT s.id, s.account_id, a.role, a.tokens_not_before,
           s.created_at, s.second_factor_at, s.expires_at,
           s.ended_at IS NOT NULL AS ended
      FROM json_each($1) AS w
     CROSS JOIN session AS s
     CROSS JOIN account AS a
     WHERE s.id = unhex(w.value)
       AND a.id = s.account_id";

const INSERT_SESSIONS: &str = "
    INSERT INTO session (id, account_id, created_at, expires_at, second_factor_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4
      FROM json_each($1)";

const INSERT_TOKENS: &str = "
    INSERT INTO refresh_token (hash, session_id, created_at, expires_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3
      FROM json_each($1)";

const SPEND_TOKENS: &str = "
    UPDATE refresh_token
       SET spent_at = $2
     WHERE hash IN (SELECT unhex(value) FROM json_each($1))";

const END_SESSIONS: &str = "
    UPDATE session
       SET ended_at = $2
     WHERE id IN (SELECT unhex(value) FROM json_each($1))
       AND ended_at IS NULL";

const END_SESSIONS_OF: &str = "
    UPDATE session
       SET ended_at = $2
     WHERE account_id IN (SELECT unhex(value ->> 0) FROM json_each($1))
       AND id NOT IN (SELECT unhex(value ->> 1) FROM json_each($1))
       AND ended_at IS NULL";

const STEP_UP_SESSIONS: &str = "
    UPDATE session
       SET second_factor_at = $2
     WHERE id IN (SELECT unhex(value) FROM json_each($1))";

const STEP_DOWN_SESSIONS_OF: &str = "
    UPDATE session
       SET second_factor_at = NULL
     WHERE account_id IN (SELECT unhex(value) FROM json_each($1))";

const DELETE_EXPIRED_TOKENS: &str = "
    DELETE FROM refresh_token
     WHERE hash IN (SELECT hash FROM refresh_token WHERE expires_at <= $1 LIMIT 10000)";

/// Only sessions whose tokens are gone; the others go with a later sweep.
const DELETE_EXPIRED_SESSIONS: &str = "
    DELETE FROM session
     WHERE id IN (SELECT id
                    FROM session AS s
                   WHERE expires_at <= $1
                     AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE session_id = s.id)
                   LIMIT 10000)";

/// The wanted refresh tokens, and the sessions of these and of others that are wanted.
pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
) -> Result<SessionBook, StoreError> {
    let mut tokens = BTreeMap::new();
    if !wanted.refresh_tokens.is_empty() {
        let hashes = rows(wanted.refresh_tokens.iter().map(|hash| hex_bytes(&hash.0)))?;
        let found: Vec<(Vec<u8>, Uuid, bool)> =
            sqlx::query_as(TOKENS).bind(hashes).fetch_all(&mut *connection).await?;
        tokens = found.into_iter().map(token).collect::<Result<_, _>>()?;
    }
    let mut ids = wanted.sessions.clone();
    ids.extend(tokens.values().map(|token| token.session));
    if ids.is_empty() {
        return Ok(SessionBook::default());
    }
    let ids = rows(ids.iter().map(|id| hex(*id)))?;
    let found: Vec<SessionRow> = sqlx::query_as(SESSIONS).bind(ids).fetch_all(connection).await?;
    let sessions = found.iter().map(session).collect::<Result<_, _>>()?;
    Ok(SessionBook::loaded(sessions, tokens))
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let book = &sheet.sessions;
    if !book.new_sessions().is_empty() {
        let row = |new: &NewSession| {
            (hex(new.id), hex(new.account), new.began_at, new.ends_at, new.second_factor_at)
        };
        let sessions = rows(book.new_sessions().iter().map(row))?;
        sqlx::query(INSERT_SESSIONS).bind(sessions).execute(&mut *connection).await?;
    }
    // A session has one token that is not spent, so the old ones go first.
    if !book.rotations().is_empty() {
        let spent = rows(book.rotations().iter().map(|one| hex_bytes(&one.spent.0)))?;
        run_at(connection, SPEND_TOKENS, spent, sheet.now).await?;
    }
    let fresh = token_rows(sheet);
    if !fresh.is_empty() {
        let fresh = rows(fresh.into_iter())?;
        sqlx::query(INSERT_TOKENS).bind(fresh).execute(&mut *connection).await?;
    }
    step(connection, sheet).await?;
    end(connection, sheet).await
}

/// Second factors that were shown in a session, or taken off.
async fn step(connection: &mut SqliteConnection, sheet: &Worksheet) -> Result<(), StoreError> {
    let sessions: Vec<_> = sheet.sessions.stepped_up().map(hex).collect();
    if !sessions.is_empty() {
        run_at(connection, STEP_UP_SESSIONS, rows(sessions.into_iter())?, sheet.now).await?;
    }
    let accounts: Vec<_> = sheet.sessions.stepped_down().map(hex).collect();
    if !accounts.is_empty() {
        let accounts = rows(accounts.into_iter())?;
        sqlx::query(STEP_DOWN_SESSIONS_OF).bind(accounts).execute(connection).await?;
    }
    Ok(())
}

fn token_rows(sheet: &Worksheet) -> Vec<impl Serialize> {
    let first =
        |new: &NewSession| (hex_bytes(&new.token.0), hex(new.id), new.began_at, new.ends_at);
    let next = |one: &Rotation| (hex_bytes(&one.fresh.0), hex(one.session), sheet.now, one.ends_at);
    let fresh = sheet.sessions.new_sessions().iter().map(first);
    fresh.chain(sheet.sessions.rotations().iter().map(next)).collect()
}

async fn end(connection: &mut SqliteConnection, sheet: &Worksheet) -> Result<(), StoreError> {
    let sessions: Vec<_> = sheet.sessions.ended().map(hex).collect();
    if !sessions.is_empty() {
        run_at(connection, END_SESSIONS, rows(sessions.into_iter())?, sheet.now).await?;
    }
    // No session has the nil id.
    let kept = |kept: Option<SessionId>| hex(kept.unwrap_or(SessionId::from_uuid(Uuid::nil())));
    let logged_out = sheet.sessions.logged_out();
    let accounts: Vec<_> = logged_out.map(|(id, session)| (hex(id), kept(session))).collect();
    if !accounts.is_empty() {
        run_at(connection, END_SESSIONS_OF, rows(accounts.into_iter())?, sheet.now).await?;
    }
    Ok(())
}

async fn run_at(
    connection: &mut SqliteConnection,
    statement: &'static str,
    rows: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(statement).bind(rows).bind(now.micros()).execute(connection).await?;
    Ok(())
}

pub(super) async fn remove_expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in [DELETE_EXPIRED_TOKENS, DELETE_EXPIRED_SESSIONS] {
        sqlx::query(statement).bind(now.micros()).execute(&mut *connection).await?;
    }
    Ok(())
}
