//! Accounts as they are read, in SQLite.

use sqlx::{FromRow, SqlitePool};
use uuid::Uuid;

use super::accounts::parse_role;
use crate::accounts::{
    Account, Addressee, EmailAddress, PasswordHash, PasswordOwner, TokenHash, Username,
};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id};
use crate::store::{Slice, StoreError};

const ACCOUNT: &str = "
    SELECT a.id, a.username, a.email, a.role, a.phone,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

const ACCOUNTS: &str = "
    SELECT a.id, a.username, a.email, a.role, a.phone,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id > $1
     ORDER BY a.id
     LIMIT $2";

const STAFF: &str = "
    SELECT a.id, a.username, a.email, a.role, a.phone,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id > $1
       AND a.role <> 'customer'
     ORDER BY a.id
     LIMIT $2";

const PASSWORD_OWNER: &str = "
    SELECT a.username, a.email, a.password_hash, t.secret IS NOT NULL
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

const ADDRESSEE: &str = "
    SELECT id, username, email
      FROM account
     WHERE email_folded = $1";

const EMAIL_LINK_OWNER: &str = "
    SELECT account_id
      FROM email_link
     WHERE hash = $1
       AND expires_at > $2";

#[derive(Debug, FromRow)]
struct AccountRow {
    id: Uuid,
    username: String,
    email: String,
    role: String,
    phone: Option<String>,
    email_verified: bool,
    disabled: bool,
    has_factor: bool,
    created_at: i64,
}

pub(super) async fn find(
    readers: &SqlitePool,
    id: AccountId,
) -> Result<Option<Account>, StoreError> {
    let found = sqlx::query_as(ACCOUNT).bind(id.uuid()).fetch_optional(readers).await?;
    found.map(account).transpose()
}

pub(super) async fn list(
    readers: &SqlitePool,
    staff: bool,
    slice: &Slice<AccountId>,
) -> Result<Vec<Account>, StoreError> {
    let after = slice.after.map_or(Uuid::nil(), Id::uuid);
    let found = sqlx::query_as(if staff { STAFF } else { ACCOUNTS });
    let found = found.bind(after).bind(i64::from(slice.limit)).fetch_all(readers).await?;
    found.into_iter().map(account).collect()
}

fn account(row: AccountRow) -> Result<Account, StoreError> {
    Ok(Account {
        id: AccountId::from_uuid(row.id),
        username: row.username,
        email: row.email,
        role: parse_role(&row.role)?,
        phone: row.phone,
        email_verified: row.email_verified,
        disabled: row.disabled,
        created_at: Timestamp::from_micros(row.created_at),
        has_factor: row.has_factor,
    })
}

pub(super) async fn password_owner(
    readers: &SqlitePool,
    id: AccountId,
) -> Result<Option<PasswordOwner>, StoreError> {
    let row: Option<(String, String, Option<String>, bool)> =
        sqlx::query_as(PASSWORD_OWNER).bind(id.uuid()).fetch_optional(readers).await?;
    let Some((name, address, hash, has_factor)) = row else { return Ok(None) };
    let hash = hash.map(PasswordHash);
    Ok(Some(PasswordOwner {
        username: username(&name)?,
        email: email(&address)?,
        hash,
        has_factor,
    }))
}

pub(super) async fn addressee(
    readers: &SqlitePool,
    address: &str,
) -> Result<Option<Addressee>, StoreError> {
    let row: Option<(Uuid, String, String)> =
        sqlx::query_as(ADDRESSEE).bind(address).fetch_optional(readers).await?;
    let Some((id, name, address)) = row else { return Ok(None) };
    let account = AccountId::from_uuid(id);
    Ok(Some(Addressee { account, username: username(&name)?, email: email(&address)? }))
}

pub(super) async fn email_link_owner(
    readers: &SqlitePool,
    link: TokenHash,
    now: Timestamp,
) -> Result<Option<AccountId>, StoreError> {
    let found = sqlx::query_scalar(EMAIL_LINK_OWNER).bind(link.0.as_slice()).bind(now.micros());
    Ok(found.fetch_optional(readers).await?.map(AccountId::from_uuid))
}

pub(super) fn username(text: &str) -> Result<Username, StoreError> {
    Username::parse(text).map_err(|_| StoreError::Unreadable("user name"))
}

pub(super) fn email(text: &str) -> Result<EmailAddress, StoreError> {
    EmailAddress::parse(text).map_err(|_| StoreError::Unreadable("e-mail address"))
}
