//! Accounts, and links to set a password, in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use crate::accounts::{Names, PhoneNumber, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id as _};
use crate::store::StoreError;
use crate::store::rows::accounts::link;
use crate::worksheet::{Wanted, Worksheet};

pub(super) const TAKEN_USERNAMES: &str =
    "SELECT username_folded FROM account WHERE username_folded = ANY ($1)";

pub(super) const TAKEN_EMAILS: &str =
    "SELECT email_folded FROM account WHERE email_folded = ANY ($1)";

pub(super) const INSERT_ACCOUNT: &str = "
    INSERT INTO account (id, username, username_folded, email, email_folded,
                         password_hash, role, demo, created_at, phone)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// Locked, so that of two who use one link the second finds it gone.
pub(super) const LINKS: &str = "
    SELECT o.hash, o.account_id
      FROM password_link AS l
      JOIN password_link AS o ON o.account_id = l.account_id
     WHERE l.hash = ANY ($1)
       AND l.expires_at > $2
       AND o.expires_at > $2
     ORDER BY o.hash
       FOR UPDATE OF o";

pub(super) const INSERT_LINKS: &str = "
    INSERT INTO password_link (hash, account_id, expires_at)
    SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[])";

pub(super) const DELETE_LINKS: &str = "DELETE FROM password_link WHERE account_id = $1";

pub(super) const DELETE_EXPIRED_LINKS: &str = "
    DELETE FROM password_link
     WHERE hash IN (SELECT hash
                      FROM password_link
                     WHERE expires_at <= $1
                     LIMIT 10000
                       FOR UPDATE SKIP LOCKED)";

pub(super) async fn load_names(
    connection: &mut PgConnection,
    wanted: &Wanted,
) -> Result<Names, StoreError> {
    Ok(Names {
        usernames: taken(connection, TAKEN_USERNAMES, &wanted.usernames).await?,
        emails: taken(connection, TAKEN_EMAILS, &wanted.emails).await?,
    })
}

async fn taken(
    connection: &mut PgConnection,
    statement: &'static str,
    names: &BTreeSet<String>,
) -> Result<BTreeSet<String>, StoreError> {
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let found = sqlx::query_scalar(statement).bind(names).fetch_all(connection).await?;
    Ok(found.into_iter().collect())
}

pub(super) async fn save(
    connection: &mut PgConnection,
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
    let links = &sheet.new.links;
    if !links.is_empty() {
        let hashes: Vec<_> = links.iter().map(|new| new.hash.0.as_slice()).collect();
        let accounts: Vec<_> = links.iter().map(|new| new.account.uuid()).collect();
        let expiries: Vec<_> = links.iter().map(|new| new.expires_at.micros()).collect();
        let insert = sqlx::query(INSERT_LINKS).bind(hashes).bind(accounts).bind(expiries);
        insert.execute(&mut *connection).await?;
    }
    for account in &sheet.new.spent_links {
        sqlx::query(DELETE_LINKS).bind(account.uuid()).execute(&mut *connection).await?;
    }
    Ok(())
}

/// These links, while they are good, and the others of whoever they were made for.
pub(super) async fn load_links(
    connection: &mut PgConnection,
    links: &BTreeSet<TokenHash>,
    now: Timestamp,
) -> Result<BTreeMap<TokenHash, AccountId>, StoreError> {
    if links.is_empty() {
        return Ok(BTreeMap::new());
    }
    let hashes: Vec<_> = links.iter().map(|link| link.0.as_slice()).collect();
    let found = sqlx::query_as(LINKS).bind(hashes).bind(now.micros());
    found.fetch_all(connection).await?.into_iter().map(link).collect()
}

pub(super) async fn remove_expired_links(
    connection: &mut PgConnection,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(DELETE_EXPIRED_LINKS).bind(now.micros()).execute(connection).await?;
    Ok(())
}
