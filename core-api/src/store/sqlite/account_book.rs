//! Accounts and throttles of one batch, in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::accounts::{INSERT_EMAIL_LINK, parse_role, token_hash};
use crate::accounts::{
    AccountBook, AccountRow, AccountsWanted, Claimant, Factor, PasswordHash, RecoveryDigest,
    Throttle, ThrottleKey, TokenHash,
};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id};
use crate::store::StoreError;
use crate::vault::Sealed;

const ROW: &str = "
    SELECT a.role, a.password_hash, a.disabled_at, a.tokens_not_before, a.email_verified_at,
           t.secret, t.pending, t.last_step,
           (SELECT count(*) FROM password_link WHERE account_id = a.id AND expires_at > $2)
               AS live_links
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

const RECOVERY_CODES: &str = "SELECT digest FROM recovery_code WHERE account_id = $1";

const CHALLENGES: &str = "SELECT hash, expires_at FROM login_challenge WHERE account_id = $1";

const EMAIL_LINKS: &str = "SELECT hash, expires_at FROM email_link WHERE account_id = $1";

const SUPER_ADMINS: &str = "
    SELECT id
      FROM account
     WHERE role = 'super-admin'
       AND disabled_at IS NULL
       AND password_hash IS NOT NULL";

const THROTTLE: &str = "
    SELECT failures, locked_until, expires_at
      FROM login_throttle
     WHERE key = $1";

const CHALLENGED: &str = "
    SELECT a.id, a.username_folded
      FROM login_challenge AS c
      JOIN account AS a ON a.id = c.account_id
     WHERE c.hash = $1
       AND c.expires_at > $2";

const REFRESHER: &str = "
    SELECT a.id, a.username_folded
      FROM refresh_token AS t
      JOIN session AS s ON s.id = t.session_id
      JOIN account AS a ON a.id = s.account_id
     WHERE t.hash = $1";

const UPDATE_ACCOUNT: &str = "
    UPDATE account
       SET role = $2, password_hash = $3, disabled_at = $4, tokens_not_before = $5,
           email_verified_at = $6
     WHERE id = $1";

const DELETE_TOTP: &str = "DELETE FROM totp WHERE account_id = $1";

const INSERT_TOTP: &str = "
    INSERT INTO totp (account_id, secret, pending, last_step)
    VALUES ($1, $2, $3, $4)";

const DELETE_RECOVERY_CODES: &str = "DELETE FROM recovery_code WHERE account_id = $1";

const INSERT_RECOVERY_CODE: &str = "
    INSERT INTO recovery_code (account_id, digest)
    VALUES ($1, $2)";

const DELETE_CHALLENGES: &str = "DELETE FROM login_challenge WHERE account_id = $1";

const DELETE_EMAIL_LINKS: &str = "DELETE FROM email_link WHERE account_id = $1";

const INSERT_CHALLENGE: &str = "
    INSERT INTO login_challenge (hash, account_id, expires_at)
    VALUES ($1, $2, $3)";

const DELETE_THROTTLE: &str = "DELETE FROM login_throttle WHERE key = $1";

const INSERT_THROTTLE: &str = "
    INSERT INTO login_throttle (key, failures, locked_until, expires_at)
    VALUES ($1, $2, $3, $4)";

const DELETE_EXPIRED_CHALLENGES: &str = "
    DELETE FROM login_challenge
     WHERE hash IN (SELECT hash FROM login_challenge WHERE expires_at <= $1 LIMIT 10000)";

const DELETE_EXPIRED_EMAIL_LINKS: &str = "
    DELETE FROM email_link
     WHERE hash IN (SELECT hash FROM email_link WHERE expires_at <= $1 LIMIT 10000)";

const DELETE_EXPIRED_THROTTLES: &str = "
    DELETE FROM login_throttle
     WHERE key IN (SELECT key FROM login_throttle WHERE expires_at <= $1 LIMIT 10000)";

#[derive(Debug, FromRow)]
struct StoredRow {
    role: String,
    password_hash: Option<String>,
    disabled_at: Option<i64>,
    tokens_not_before: i64,
    email_verified_at: Option<i64>,
    secret: Option<Vec<u8>>,
    pending: Option<Vec<u8>>,
    last_step: Option<i64>,
    live_links: i64,
}

pub(super) async fn read_throttle(
    readers: &SqlitePool,
    key: ThrottleKey,
) -> Result<Option<Throttle>, StoreError> {
    let found = sqlx::query_as(THROTTLE).bind(key.0.as_slice());
    found.fetch_optional(readers).await?.map(throttle).transpose()
}

pub(super) async fn challenged(
    readers: &SqlitePool,
    token: TokenHash,
    now: Timestamp,
) -> Result<Option<Claimant>, StoreError> {
    let found = sqlx::query_as(CHALLENGED).bind(token.0.as_slice()).bind(now.micros());
    Ok(found.fetch_optional(readers).await?.map(claimant))
}

pub(super) async fn refresher(
    readers: &SqlitePool,
    token: TokenHash,
) -> Result<Option<Claimant>, StoreError> {
    let found = sqlx::query_as(REFRESHER).bind(token.0.as_slice());
    Ok(found.fetch_optional(readers).await?.map(claimant))
}

fn claimant((account, username): (Uuid, String)) -> Claimant {
    Claimant { account: AccountId::from_uuid(account), username }
}

pub(super) async fn load(
    connection: &mut SqliteConnection,
    wanted: &AccountsWanted,
    now: Timestamp,
) -> Result<AccountBook, StoreError> {
    let mut rows = BTreeMap::new();
    for id in &wanted.ids {
        if let Some(row) = load_row(connection, *id, now).await? {
            rows.insert(*id, row);
        }
    }
    let mut throttles = BTreeMap::new();
    for key in &wanted.throttles {
        let found = sqlx::query_as(THROTTLE).bind(key.0.as_slice());
        let found: Option<(i64, i64, i64)> = found.fetch_optional(&mut *connection).await?;
        if let Some(found) = found {
            throttles.insert(*key, throttle(found)?);
        }
    }
    let super_admins = match wanted.super_admins {
        true => {
            let found = sqlx::query_scalar(SUPER_ADMINS).fetch_all(connection).await?;
            found.into_iter().map(AccountId::from_uuid).collect()
        }
        false => BTreeSet::new(),
    };
    Ok(AccountBook::loaded(rows, throttles, super_admins))
}

async fn load_row(
    connection: &mut SqliteConnection,
    id: AccountId,
    now: Timestamp,
) -> Result<Option<AccountRow>, StoreError> {
    let found = sqlx::query_as(ROW).bind(id.uuid()).bind(now.micros());
    let found = found.fetch_optional(&mut *connection).await?;
    let Some(found): Option<StoredRow> = found else { return Ok(None) };
    let codes = sqlx::query_scalar(RECOVERY_CODES).bind(id.uuid());
    let codes: Vec<Vec<u8>> = codes.fetch_all(&mut *connection).await?;
    let mut row = account_row(found, codes)?;
    row.challenges = until(connection, CHALLENGES, id).await?;
    row.email_links = until(connection, EMAIL_LINKS, id).await?;
    Ok(Some(row))
}

/// Tokens of an account, and until when they are good.
async fn until(
    connection: &mut SqliteConnection,
    statement: &'static str,
    id: AccountId,
) -> Result<BTreeMap<TokenHash, Timestamp>, StoreError> {
    let found = sqlx::query_as(statement).bind(id.uuid());
    let found: Vec<(Vec<u8>, i64)> = found.fetch_all(connection).await?;
    let token = |(hash, until): (Vec<u8>, i64)| {
        token_hash(hash).map(|hash| (hash, Timestamp::from_micros(until)))
    };
    found.into_iter().map(token).collect()
}

fn account_row(found: StoredRow, codes: Vec<Vec<u8>>) -> Result<AccountRow, StoreError> {
    let digest = |bytes: Vec<u8>| bytes.try_into().map(RecoveryDigest);
    let recovery: Result<BTreeSet<_>, _> = codes.into_iter().map(digest).collect();
    Ok(AccountRow {
        role: parse_role(&found.role)?,
        hash: found.password_hash.map(PasswordHash),
        disabled_at: found.disabled_at.map(Timestamp::from_micros),
        tokens_not_before: whole(found.tokens_not_before, "second")?,
        factor: Factor {
            secret: found.secret.map(Sealed),
            pending: found.pending.map(Sealed),
            last_step: whole(found.last_step.unwrap_or_default(), "time step")?,
            recovery: recovery.map_err(|_| StoreError::Unreadable("recovery code"))?,
        },
        challenges: BTreeMap::new(),
        email_verified_at: found.email_verified_at.map(Timestamp::from_micros),
        email_links: BTreeMap::new(),
        live_links: found.live_links.try_into().unwrap_or(u32::MAX),
    })
}

pub(super) fn throttle(found: (i64, i64, i64)) -> Result<Throttle, StoreError> {
    let (failures, locked_until, expires_at) = found;
    Ok(Throttle {
        failures: failures.try_into().map_err(|_| StoreError::Unreadable("throttle"))?,
        locked_until: Timestamp::from_micros(locked_until),
        expires_at: Timestamp::from_micros(expires_at),
    })
}

pub(super) fn whole(number: i64, what: &'static str) -> Result<u64, StoreError> {
    number.try_into().map_err(|_| StoreError::Unreadable(what))
}

/// As the database keeps whole numbers.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    book: &AccountBook,
) -> Result<(), StoreError> {
    for (id, row) in book.changed() {
        save_row(connection, id, row).await?;
    }
    for (key, throttle) in book.changed_throttles() {
        save_throttle(connection, key, throttle).await?;
    }
    Ok(())
}

async fn save_row(
    connection: &mut SqliteConnection,
    id: AccountId,
    row: &AccountRow,
) -> Result<(), StoreError> {
    sqlx::query(UPDATE_ACCOUNT)
        .bind(id.uuid())
        .bind(row.role.as_str())
        .bind(row.hash.as_ref().map(|hash| hash.0.as_str()))
        .bind(row.disabled_at.map(Timestamp::micros))
        .bind(signed(row.tokens_not_before))
        .bind(row.email_verified_at.map(Timestamp::micros))
        .execute(&mut *connection)
        .await?;
    for statement in [DELETE_TOTP, DELETE_RECOVERY_CODES, DELETE_CHALLENGES, DELETE_EMAIL_LINKS] {
        sqlx::query(statement).bind(id.uuid()).execute(&mut *connection).await?;
    }
    let factor = &row.factor;
    if factor.secret.is_some() || factor.pending.is_some() {
        sqlx::query(INSERT_TOTP)
            .bind(id.uuid())
            .bind(factor.secret.as_ref().map(|sealed| sealed.0.as_slice()))
            .bind(factor.pending.as_ref().map(|sealed| sealed.0.as_slice()))
            .bind(signed(factor.last_step))
            .execute(&mut *connection)
            .await?;
    }
    for code in &factor.recovery {
        let insert = sqlx::query(INSERT_RECOVERY_CODE).bind(id.uuid()).bind(code.0.as_slice());
        insert.execute(&mut *connection).await?;
    }
    let challenges = row.challenges.iter().map(|token| (INSERT_CHALLENGE, token));
    let links = row.email_links.iter().map(|token| (INSERT_EMAIL_LINK, token));
    for (statement, (hash, until)) in challenges.chain(links) {
        let insert = sqlx::query(statement).bind(hash.0.as_slice()).bind(id.uuid());
        insert.bind(until.micros()).execute(&mut *connection).await?;
    }
    Ok(())
}

async fn save_throttle(
    connection: &mut SqliteConnection,
    key: ThrottleKey,
    throttle: Option<&Throttle>,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_THROTTLE).bind(key.0.as_slice()).execute(&mut *connection).await?;
    if let Some(throttle) = throttle {
        sqlx::query(INSERT_THROTTLE)
            .bind(key.0.as_slice())
            .bind(i64::from(throttle.failures))
            .bind(throttle.locked_until.micros())
            .bind(throttle.expires_at.micros())
            .execute(connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn remove_expired(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    for statement in
        [DELETE_EXPIRED_CHALLENGES, DELETE_EXPIRED_EMAIL_LINKS, DELETE_EXPIRED_THROTTLES]
    {
        sqlx::query(statement).bind(now.micros()).execute(&mut *connection).await?;
    }
    Ok(())
}
