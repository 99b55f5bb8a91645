//! Accounts, and links to set a password, in PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgConnection;

use crate::accounts::{Names, NewAccount, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id as _};
use crate::store::StoreError;
use crate::store::rows::accounts::link;
use crate::store::rows::sealing::{SealedProfile, digests, email_digest, named, username_digest};
use crate::vault::Vault;
use crate::worksheet::{Wanted, Worksheet};

pub(super) const TAKEN_USERNAMES: &str =
    "SELECT username_digest FROM account WHERE username_digest = ANY ($1)";

pub(super) const TAKEN_EMAILS: &str =
    "SELECT email_digest FROM account WHERE email_digest = ANY ($1)";

pub(super) const INSERT_ACCOUNTS: &str = "
    INSERT INTO account (id, username, username_digest, email, email_digest, phone, full_name,
                         version, password_hash, role, demo, proof_asked_at, created_at)
    SELECT w.*, $13::bigint
      FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[],
                  $7::bytea[], $8::bigint[], $9::text[], $10::text[], $11::boolean[],
                  $12::bigint[]) AS w";

pub(super) const INSERT_KEYS: &str = "
    INSERT INTO data_key (account_id, wrapped)
    SELECT * FROM unnest($1::uuid[], $2::bytea[])";

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
    vault: &Vault,
    wanted: &Wanted,
) -> Result<Names, StoreError> {
    let usernames = digests(&wanted.usernames, |name| username_digest(vault, name));
    let emails = digests(&wanted.emails, |address| email_digest(vault, address));
    Ok(Names {
        usernames: taken(connection, TAKEN_USERNAMES, &usernames).await?,
        emails: taken(connection, TAKEN_EMAILS, &emails).await?,
    })
}

async fn taken(
    connection: &mut PgConnection,
    statement: &'static str,
    names: &BTreeMap<Vec<u8>, &String>,
) -> Result<BTreeSet<String>, StoreError> {
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let wanted: Vec<_> = names.keys().map(Vec::as_slice).collect();
    let found = sqlx::query_scalar(statement).bind(wanted).fetch_all(connection).await?;
    Ok(named(names, &found))
}

pub(super) async fn save(
    connection: &mut PgConnection,
    vault: &Vault,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    insert_accounts(connection, vault, sheet).await?;
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

/// All of them at once: an import brings a hundred thousand, and the server may be far away.
async fn insert_accounts(
    connection: &mut PgConnection,
    vault: &Vault,
    sheet: &Worksheet,
) -> Result<(), StoreError> {
    let accounts = &sheet.new.accounts;
    if accounts.is_empty() {
        return Ok(());
    }
    let (mut sealed, mut keys) = (Vec::new(), Vec::new());
    for new in accounts {
        let (key, wrapped) = vault.new_key(new.id)?;
        sealed.push(SealedProfile::seal(vault, &key, &new.profile)?);
        keys.push(wrapped.0);
    }
    let ids: Vec<_> = accounts.iter().map(|new| new.id.uuid()).collect();
    let column = |value: fn(&SealedProfile) -> Option<&[u8]>| -> Vec<Option<&[u8]>> {
        sealed.iter().map(value).collect()
    };
    let asked_at = |new: &NewAccount| new.asked_for_proof.then_some(sheet.now.micros());
    sqlx::query(INSERT_ACCOUNTS)
        .bind(&ids)
        .bind(column(|sealed| Some(&sealed.username)))
        .bind(column(|sealed| Some(&sealed.username_digest)))
        .bind(column(|sealed| Some(&sealed.email)))
        .bind(column(|sealed| Some(&sealed.email_digest)))
        .bind(column(|sealed| sealed.phone.as_deref()))
        .bind(column(|sealed| sealed.full_name.as_deref()))
        .bind(accounts.iter().map(|new| new.profile.version.0).collect::<Vec<_>>())
        .bind(accounts.iter().map(|new| new.hash.as_ref().map(|hash| &*hash.0)).collect::<Vec<_>>())
        .bind(accounts.iter().map(|new| new.role.as_str()).collect::<Vec<_>>())
        .bind(accounts.iter().map(|new| new.demo).collect::<Vec<_>>())
        .bind(accounts.iter().map(asked_at).collect::<Vec<_>>())
        .bind(sheet.now.micros())
        .execute(&mut *connection)
        .await?;
    sqlx::query(INSERT_KEYS).bind(&ids).bind(keys).execute(connection).await?;
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
