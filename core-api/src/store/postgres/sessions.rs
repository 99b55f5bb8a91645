//! Sessions and refresh tokens in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use crate::accounts::{SessionBook, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id as _};
use crate::store::StoreError;
use crate::store::rows::sessions::{SessionRow, session, token};
use crate::worksheet::{Wanted, Worksheet};

/// Whose these are; a session never becomes another's.
pub(super) const OWNERS: &str = "
    SELECT DISTINCT s.account_id
      FROM refresh_token AS t
      JOIN session AS s ON s.id = t.session_id
     WHERE t.hash = ANY ($1)";

/// Locked, so that of two who show one token the second finds it spent.
pub(super) const TOKENS: &str = "
    SELECT hash, session_id, spent_at IS NOT NULL
      FROM refresh_token
     WHERE hash = ANY ($1)
     ORDER BY hash
       FOR NO KEY UPDATE";

pub(super) const SESSIONS: &str = "
    SELECT s.id, s.account_id, a.role, a.tokens_not_before,
           s.created_at, s.second_factor_at, s.expires_at,
           s.ended_at IS NOT NULL AS ended
      FROM session AS s
      JOIN account AS a ON a.id = s.account_id
     WHERE s.id = ANY ($1)
     ORDER BY s.id
       FOR NO KEY UPDATE OF s";

pub(super) const INSERT_SESSIONS: &str = "
    INSERT INTO session (id, account_id, created_at, expires_at, second_factor_at)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])";

pub(super) const INSERT_TOKENS: &str = "
    INSERT INTO refresh_token (hash, session_id, created_at, expires_at)
    SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[], $4::bigint[])";

pub(super) const SPEND_TOKENS: &str =
    "UPDATE refresh_token SET spent_at = $2 WHERE hash = ANY ($1)";

pub(super) const END_SESSIONS: &str = "
    UPDATE session
       SET ended_at = $2
     WHERE id = ANY ($1)
       AND ended_at IS NULL";

pub(super) const END_SESSIONS_OF: &str = "
    UPDATE session
       SET ended_at = $2
     WHERE account_id = ANY ($1)
       AND id <> ALL ($3)
       AND ended_at IS NULL";

pub(super) const STEP_UP_SESSIONS: &str =
    "UPDATE session SET second_factor_at = $2 WHERE id = ANY ($1)";

pub(super) const STEP_DOWN_SESSIONS_OF: &str =
    "UPDATE session SET second_factor_at = NULL WHERE account_id = ANY ($1)";

pub(super) const DELETE_EXPIRED_TOKENS: &str = "
    DELETE FROM refresh_token
     WHERE hash IN (SELECT hash
                      FROM refresh_token
                     WHERE expires_at <= $1
                     LIMIT 10000
                       FOR UPDATE SKIP LOCKED)";

/// Only sessions whose tokens are gone; the others go with a later sweep.
pub(super) const DELETE_EXPIRED_SESSIONS: &str = "
    DELETE FROM session
     WHERE id IN (SELECT id
                    FROM session AS s
                   WHERE expires_at <= $1
                     AND NOT EXISTS (SELECT 1 FROM refresh_token WHERE session_id = s.id)
                   LIMIT 10000
                     FOR UPDATE SKIP LOCKED)";

/// Whose refresh tokens are wanted.
pub(super) async fn owners(
    connection: &mut PgConnection,
    tokens: &BTreeSet<TokenHash>,
) -> Result<BTreeSet<AccountId>, StoreError> {
    if tokens.is_empty() {
        return Ok(BTreeSet::new());
    }
    let hashes: Vec<_> = tokens.iter().map(|hash| hash.0.as_slice()).collect();
    let found = sqlx::query_scalar(OWNERS).bind(hashes).fetch_all(connection).await?;
    Ok(found.into_iter().map(AccountId::from_uuid).collect())
}

/// The wanted refresh tokens, and the sessions of these and of others that are wanted.
pub(super) async fn load(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> Result<SessionBook, StoreError> {
    let mut tokens = BTreeMap::new();
    if !wanted.refresh_tokens.is_empty() {
        let hashes: Vec<_> = wanted.refresh_tokens.iter().map(|hash| hash.0.as_slice()).collect();
        let found = sqlx::query_as(TOKENS).bind(hashes).fetch_all(&mut *connection).await?;
        tokens = found.into_iter().map(token).collect::<Result<_, _>>()?;
    }
    let mut ids = wanted.sessions.clone();
    ids.extend(tokens.values().map(|token| token.session));
    if ids.is_empty() {
        return Ok(SessionBook::default());
    }
    let ids: Vec<_> = ids.iter().map(|id| id.uuid()).collect();
    let found: Vec<SessionRow> = sqlx::query_as(SESSIONS).bind(ids).fetch_all(connection).await?;
    let sessions = found.iter().map(session).collect::<Result<_, _>>()?;
    Ok(SessionBook::loaded(sessions, tokens))
}

pub(super) async fn save(
    connection: &mut PgConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let (new, rotations) = (sheet.sessions.new_sessions(), sheet.sessions.rotations());
    if !new.is_empty() {
        let ids: Vec<_> = new.iter().map(|one| one.id.uuid()).collect();
        let accounts: Vec<_> = new.iter().map(|one| one.account.uuid()).collect();
        let began: Vec<_> = new.iter().map(|one| one.began_at.micros()).collect();
        let ends: Vec<_> = new.iter().map(|one| one.ends_at.micros()).collect();
        let factors: Vec<_> =
            new.iter().map(|one| one.second_factor_at.map(Timestamp::micros)).collect();
        let insert = sqlx::query(INSERT_SESSIONS).bind(ids).bind(accounts).bind(began);
        insert.bind(ends).bind(factors).execute(&mut *connection).await?;
    }
    // A session has one token that is not spent, so the old ones go first.
    if !rotations.is_empty() {
        let spent: Vec<_> = rotations.iter().map(|one| one.spent.0.as_slice()).collect();
        let spend = sqlx::query(SPEND_TOKENS).bind(spent).bind(sheet.now.micros());
        spend.execute(&mut *connection).await?;
    }
    save_tokens(connection, sheet).await?;
    step(connection, sheet).await?;
    end(connection, sheet).await
}

async fn save_tokens(connection: &mut PgConnection, sheet: &Worksheet) -> Result<(), StoreError> {
    let (new, rotations) = (sheet.sessions.new_sessions(), sheet.sessions.rotations());
    let first = new.iter().map(|one| (one.token, one.id, one.began_at, one.ends_at));
    let next = rotations.iter().map(|one| (one.fresh, one.session, sheet.now, one.ends_at));
    let fresh: Vec<_> = first.chain(next).collect();
    if fresh.is_empty() {
        return Ok(());
    }
    let hashes: Vec<_> = fresh.iter().map(|(hash, ..)| hash.0.as_slice()).collect();
    let sessions: Vec<_> = fresh.iter().map(|(_, session, ..)| session.uuid()).collect();
    let began: Vec<_> = fresh.iter().map(|(_, _, began, _)| began.micros()).collect();
    let ends: Vec<_> = fresh.iter().map(|(.., ends)| ends.micros()).collect();
    let insert = sqlx::query(INSERT_TOKENS).bind(hashes).bind(sessions).bind(began).bind(ends);
    insert.execute(connection).await?;
    Ok(())
}

async fn end(connection: &mut PgConnection, sheet: &Worksheet) -> Result<(), StoreError> {
    let sessions: Vec<_> = sheet.sessions.ended().map(|id| id.uuid()).collect();
    if !sessions.is_empty() {
        let end = sqlx::query(END_SESSIONS).bind(sessions).bind(sheet.now.micros());
        end.execute(&mut *connection).await?;
    }
    let accounts: Vec<_> = sheet.sessions.logged_out().map(|(id, _)| id.uuid()).collect();
    if !accounts.is_empty() {
        let kept = sheet.sessions.logged_out().filter_map(|(_, kept)| kept);
        let kept: Vec<_> = kept.map(|id| id.uuid()).collect();
        let end = sqlx::query(END_SESSIONS_OF).bind(accounts).bind(sheet.now.micros());
        end.bind(kept).execute(connection).await?;
    }
    Ok(())
}

/// Second factors that were shown in a session, or taken off.
async fn step(connection: &mut PgConnection, sheet: &Worksheet) -> Result<(), StoreError> {
    let sessions: Vec<_> = sheet.sessions.stepped_up().map(|id| id.uuid()).collect();
    if !sessions.is_empty() {
        let step = sqlx::query(STEP_UP_SESSIONS).bind(sessions).bind(sheet.now.micros());
        step.execute(&mut *connection).await?;
    }
    let accounts: Vec<_> = sheet.sessions.stepped_down().map(|id| id.uuid()).collect();
    if !accounts.is_empty() {
        sqlx::query(STEP_DOWN_SESSIONS_OF).bind(accounts).execute(connection).await?;
    }
    Ok(())
}

pub(super) async fn remove_expired(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in [DELETE_EXPIRED_TOKENS, DELETE_EXPIRED_SESSIONS] {
        sqlx::query(statement).bind(now.micros()).execute(&mut *connection).await?;
    }
    Ok(())
}
