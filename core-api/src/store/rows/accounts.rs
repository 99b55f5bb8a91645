//! Accounts as they are read, and links to set a password.

use sqlx::FromRow;
use uuid::Uuid;

use super::whole;
use crate::accounts::{
    Account, Addressee, Claimant, Credentials, EmailAddress, LinkOwner, PasswordHash,
    PasswordOwner, Revocation, Revoked, Role, Throttle, TokenHash, Username,
};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, SessionId};
use crate::store::StoreError;

pub(in crate::store) const CREDENTIALS: &str = "
    SELECT id, password_hash
      FROM account
     WHERE username_folded = $1";

pub(in crate::store) const LINK_OWNER: &str = "
    SELECT a.id, a.username, a.email, t.secret IS NOT NULL
      FROM password_link AS l
      JOIN account AS a ON a.id = l.account_id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE l.hash = $1
       AND l.expires_at > $2";

pub(in crate::store) const ACCOUNT: &str = "
    SELECT a.id, a.username, a.email, a.role, a.phone,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

pub(in crate::store) const ACCOUNTS: &str = "
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

pub(in crate::store) const STAFF: &str = "
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

pub(in crate::store) const PASSWORD_OWNER: &str = "
    SELECT a.username, a.email, a.password_hash, t.secret IS NOT NULL
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

pub(in crate::store) const ADDRESSEE: &str = "
    SELECT id, username, email
      FROM account
     WHERE email_folded = $1";

pub(in crate::store) const EMAIL_LINK_OWNER: &str = "
    SELECT account_id
      FROM email_link
     WHERE hash = $1
       AND expires_at > $2";

pub(in crate::store) const THROTTLE: &str = "
    SELECT failures, locked_until, expires_at
      FROM login_throttle
     WHERE key = $1";

pub(in crate::store) const CHALLENGED: &str = "
    SELECT a.id, a.username_folded
      FROM login_challenge AS c
      JOIN account AS a ON a.id = c.account_id
     WHERE c.hash = $1
       AND c.expires_at > $2";

pub(in crate::store) const REFRESHER: &str = "
    SELECT a.id, a.username_folded
      FROM refresh_token AS t
      JOIN session AS s ON s.id = t.session_id
      JOIN account AS a ON a.id = s.account_id
     WHERE t.hash = $1";

pub(in crate::store) const REVOCATIONS: &str = "
    SELECT seq, kind, id, not_before
      FROM revocation
     WHERE seq > $1
       AND created_at > $2
     ORDER BY seq
     LIMIT $3";

pub(in crate::store) const MAIL_DUE: &str = "SELECT EXISTS (SELECT 1 FROM mail WHERE due_at <= $1)";

pub(in crate::store) const SUBJECT: &str = "subject";
pub(in crate::store) const SESSION: &str = "session";

#[derive(Debug, FromRow)]
pub(in crate::store) struct AccountRow {
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

pub(in crate::store) fn credentials((id, hash): (Uuid, Option<String>)) -> Credentials {
    Credentials { id: AccountId::from_uuid(id), hash: hash.map(PasswordHash) }
}

pub(in crate::store) fn account(row: AccountRow) -> Result<Account, StoreError> {
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

pub(in crate::store) fn link_owner(
    (account, name, address, has_factor): (Uuid, String, String, bool),
) -> Result<LinkOwner, StoreError> {
    let account = AccountId::from_uuid(account);
    Ok(LinkOwner { account, username: username(&name)?, email: email(&address)?, has_factor })
}

pub(in crate::store) fn password_owner(
    (name, address, hash, has_factor): (String, String, Option<String>, bool),
) -> Result<PasswordOwner, StoreError> {
    let hash = hash.map(PasswordHash);
    Ok(PasswordOwner { username: username(&name)?, email: email(&address)?, hash, has_factor })
}

pub(in crate::store) fn addressee(
    (id, name, address): (Uuid, String, String),
) -> Result<Addressee, StoreError> {
    let account = AccountId::from_uuid(id);
    Ok(Addressee { account, username: username(&name)?, email: email(&address)? })
}

pub(in crate::store) fn claimant((account, username): (Uuid, String)) -> Claimant {
    Claimant { account: AccountId::from_uuid(account), username }
}

pub(in crate::store) fn throttle(
    (failures, locked_until, expires_at): (i64, i64, i64),
) -> Result<Throttle, StoreError> {
    Ok(Throttle {
        failures: failures.try_into().map_err(|_| StoreError::Unreadable("throttle"))?,
        locked_until: Timestamp::from_micros(locked_until),
        expires_at: Timestamp::from_micros(expires_at),
    })
}

pub(in crate::store) fn revoked(
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

fn username(text: &str) -> Result<Username, StoreError> {
    Username::parse(text).map_err(|_| StoreError::Unreadable("user name"))
}

fn email(text: &str) -> Result<EmailAddress, StoreError> {
    EmailAddress::parse(text).map_err(|_| StoreError::Unreadable("e-mail address"))
}

/// A link that is good, and whose it is.
pub(in crate::store) fn link(
    (hash, account): (Vec<u8>, Uuid),
) -> Result<(TokenHash, AccountId), StoreError> {
    Ok((token_hash(hash)?, AccountId::from_uuid(account)))
}

pub(in crate::store) fn parse_role(text: &str) -> Result<Role, StoreError> {
    Role::parse(text).map_err(|_| StoreError::Unreadable("role"))
}

pub(in crate::store) fn token_hash(bytes: Vec<u8>) -> Result<TokenHash, StoreError> {
    bytes.try_into().map(TokenHash).map_err(|_| StoreError::Unreadable("token hash"))
}
