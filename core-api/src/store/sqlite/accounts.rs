//! Accounts and sessions in SQLite.

use std::collections::BTreeSet;

use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

use super::rows;
use crate::accounts::{Account, Credentials, Names, PasswordHash, Role};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};

const CREDENTIALS: &str = "
    SELECT id, role, password_hash
      FROM account
     WHERE username_folded = $1";

const ACCOUNT: &str = "
    SELECT username, email, role
      FROM account
     WHERE id = $1";

const TAKEN_USERNAMES: &str = "
    SELECT username_folded
      FROM account
     WHERE username_folded IN (SELECT value FROM json_each($1))";

const TAKEN_EMAILS: &str = "
    SELECT email_folded
      FROM account
     WHERE email_folded IN (SELECT value FROM json_each($1))";

const INSERT_ACCOUNT: &str = "
    INSERT INTO account (id, username, username_folded, email, email_folded,
                         password_hash, role, demo, created_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

const INSERT_SESSION: &str = "
    INSERT INTO session (id, account_id, created_at, expires_at)
    VALUES ($1, $2, $3, $4)";

const DELETE_EXPIRED_SESSIONS: &str = "
    DELETE FROM session
     WHERE id IN (SELECT id FROM session WHERE expires_at <= $1 LIMIT 10000)";

pub(super) async fn credentials(
    readers: &SqlitePool,
    username: &str,
) -> Result<Option<Credentials>, StoreError> {
    let row: Option<(Uuid, String, String)> =
        sqlx::query_as(CREDENTIALS).bind(username).fetch_optional(readers).await?;
    let Some((id, role, hash)) = row else { return Ok(None) };
    let role = parse_role(&role)?;
    Ok(Some(Credentials { id: AccountId::from_uuid(id), role, hash: PasswordHash(hash) }))
}

pub(super) async fn account(
    readers: &SqlitePool,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let row: Option<(String, String, String)> =
        sqlx::query_as(ACCOUNT).bind(id.uuid()).fetch_optional(readers).await?;
    let Some((username, email, role)) = row else { return Ok(None) };
    Ok(Some(Account { id, username, email, role: parse_role(&role)? }))
}

fn parse_role(text: &str) -> Result<Role, StoreError> {
    Role::parse(text).map_err(|_| StoreError::Unreadable("role"))
}

pub(super) async fn load_names(
    connection: &mut SqliteConnection,
    wanted: &Wanted,
) -> Result<Names, StoreError> {
    Ok(Names {
        usernames: taken(connection, TAKEN_USERNAMES, &wanted.usernames).await?,
        emails: taken(connection, TAKEN_EMAILS, &wanted.emails).await?,
    })
}

async fn taken(
    connection: &mut SqliteConnection,
    statement: &'static str,
    names: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = sqlx::query_scalar(statement).bind(rows(names.iter())?);
    Ok(found.fetch_all(connection).await?.into_iter().collect())
}

pub(super) async fn save(
    connection: &mut SqliteConnection,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    for new in &sheet.new.accounts {
        sqlx::query(INSERT_ACCOUNT)
            .bind(new.id.uuid())
            .bind(new.username.as_str())
            .bind(new.username.folded())
            .bind(new.email.as_str())
            .bind(new.email.folded())
            .bind(&new.hash.0)
            .bind(new.role.as_str())
            .bind(new.demo)
            .bind(sheet.now.micros())
            .execute(&mut *connection)
            .await?;
    }
    for new in &sheet.new.sessions {
        sqlx::query(INSERT_SESSION)
            .bind(new.id.uuid())
            .bind(new.account.uuid())
            .bind(sheet.now.micros())
            .bind(sheet.now.plus(new.life).micros())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

pub(super) async fn remove_expired_sessions(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_EXPIRED_SESSIONS).bind(now.micros()).execute(connection).await?;
    Ok(())
}
