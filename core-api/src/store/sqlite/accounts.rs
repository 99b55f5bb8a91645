//! Accounts, and links to set a password, in SQLite.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{hex, hex_bytes, rows};
use crate::accounts::{Names, NewLink, PhoneNumber, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id};
use crate::store::StoreError;
use crate::store::rows::accounts::link;
use crate::worksheet::{Wanted, Worksheet};

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
                         password_hash, role, demo, created_at, phone)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

const LINKS: &str = "
    SELECT o.hash, o.account_id
      FROM json_each($1) AS w
     CROSS JOIN password_link AS l
     CROSS JOIN password_link AS o
     WHERE l.hash = unhex(w.value)
       AND l.expires_at > $2
       AND o.account_id = l.account_id
       AND o.expires_at > $2";

const INSERT_LINKS: &str = "
    INSERT INTO password_link (hash, account_id, expires_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2
      FROM json_each($1)";

const DELETE_LINKS: &str = "DELETE FROM password_link WHERE account_id = $1";

const DELETE_EXPIRED_LINKS: &str = "
    DELETE FROM password_link
     WHERE hash IN (SELECT hash FROM password_link WHERE expires_at <= $1 LIMIT 10000)";

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
            .bind(new.hash.as_ref().map(|hash| hash.0.as_str()))
            .bind(new.role.as_str())
            .bind(new.demo)
            .bind(sheet.now.micros())
            .bind(new.phone.as_ref().map(PhoneNumber::as_str))
            .execute(&mut *connection)
            .await?;
    }
    if !sheet.new.links.is_empty() {
        let row = |new: &NewLink| (hex_bytes(&new.hash.0), hex(new.account), new.expires_at);
        let links = rows(sheet.new.links.iter().map(row))?;
        sqlx::query(INSERT_LINKS).bind(links).execute(&mut *connection).await?;
    }
    for account in &sheet.new.spent_links {
        sqlx::query(DELETE_LINKS).bind(account.uuid()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// These links, while they are good, and the others of whoever they were made for.
pub(super) async fn load_links(
    connection: &mut SqliteConnection,
    links: &BTreeSet<TokenHash>,
    now: Timestamp,
) -> Result<BTreeMap<TokenHash, AccountId>, StoreError> {
    if links.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted = rows(links.iter().map(|link| hex_bytes(&link.0)))?;
    let found: Vec<(Vec<u8>, Uuid)> =
        sqlx::query_as(LINKS).bind(wanted).bind(now.micros()).fetch_all(connection).await?;
    found.into_iter().map(link).collect()
}

pub(super) async fn remove_expired_links(
    connection: &mut SqliteConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_EXPIRED_LINKS).bind(now.micros()).execute(connection).await?;
    Ok(())
}
