//! Accounts as they are read, and links to set a password.

use sqlx::FromRow;
use uuid::Uuid;

use super::sealing::{self, StoredProfile};
use super::whole;
use crate::accounts::{
    Account, Addressee, Claimant, Credentials, EmailLinkOwner, LinkOwner, PasswordHash,
    PasswordOwner, Profile, Revocation, Revoked, Role, Throttle, TokenHash,
};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, SessionId};
use crate::store::StoreError;
use crate::vault::Vault;

pub(in crate::store) const CREDENTIALS: &str = "
    SELECT id, password_hash
      FROM account
     WHERE username_digest = $1";

pub(in crate::store) const LINK_OWNER: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version,
           t.secret IS NOT NULL AS has_factor
      FROM password_link AS l
      JOIN account AS a ON a.id = l.account_id
      JOIN data_key AS k ON k.account_id = a.id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE l.hash = $1
       AND l.expires_at > $2";

pub(in crate::store) const ACCOUNT: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version, a.role,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

pub(in crate::store) const ACCOUNTS: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version, a.role,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id > $1
     ORDER BY a.id
     LIMIT $2";

pub(in crate::store) const STAFF: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version, a.role,
           a.email_verified_at IS NOT NULL AS email_verified,
           a.disabled_at IS NOT NULL AS disabled,
           t.secret IS NOT NULL AS has_factor,
           a.created_at
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id > $1
       AND a.role <> 'customer'
     ORDER BY a.id
     LIMIT $2";

pub(in crate::store) const PASSWORD_OWNER: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version,
           a.password_hash, t.secret IS NOT NULL AS has_factor
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

pub(in crate::store) const ADDRESSEE: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
     WHERE a.email_digest = $1";

pub(in crate::store) const EMAIL_LINK_OWNER: &str = "
    SELECT l.account_id, k.wrapped, l.email
      FROM email_link AS l
      JOIN data_key AS k ON k.account_id = l.account_id
     WHERE l.hash = $1
       AND l.expires_at > $2";

pub(in crate::store) const EMAILS_TO_PROVE: &str = "
    SELECT l.account_id, k.wrapped, l.email
      FROM email_link AS l
      JOIN data_key AS k ON k.account_id = l.account_id
     WHERE l.account_id = $1
       AND l.email IS NOT NULL
     ORDER BY l.expires_at";

pub(in crate::store) const THROTTLE: &str = "
    SELECT failures, locked_until, expires_at
      FROM login_throttle
     WHERE key = $1";

pub(in crate::store) const CHALLENGED: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version
      FROM login_challenge AS c
      JOIN account AS a ON a.id = c.account_id
      JOIN data_key AS k ON k.account_id = a.id
     WHERE c.hash = $1
       AND c.expires_at > $2";

pub(in crate::store) const REFRESHER: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version
      FROM refresh_token AS t
      JOIN session AS s ON s.id = t.session_id
      JOIN account AS a ON a.id = s.account_id
      JOIN data_key AS k ON k.account_id = a.id
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
    #[sqlx(flatten)]
    profile: StoredProfile,
    role: String,
    email_verified: bool,
    disabled: bool,
    has_factor: bool,
    created_at: i64,
}

/// Whom a link was made for.
#[derive(Debug, FromRow)]
pub(in crate::store) struct LinkOwnerRow {
    #[sqlx(flatten)]
    profile: StoredProfile,
    has_factor: bool,
}

/// Who has a password.
#[derive(Debug, FromRow)]
pub(in crate::store) struct PasswordOwnerRow {
    #[sqlx(flatten)]
    profile: StoredProfile,
    password_hash: Option<String>,
    has_factor: bool,
}

pub(in crate::store) fn credentials((id, hash): (Uuid, Option<String>)) -> Credentials {
    Credentials { id: AccountId::from_uuid(id), hash: hash.map(PasswordHash) }
}

pub(in crate::store) fn account(vault: &Vault, row: AccountRow) -> Result<Account, StoreError> {
    let (id, _, profile) = sealing::profile(vault, row.profile)?;
    Ok(Account {
        id,
        profile,
        role: parse_role(&row.role)?,
        email_verified: row.email_verified,
        disabled: row.disabled,
        created_at: Timestamp::from_micros(row.created_at),
        has_factor: row.has_factor,
    })
}

pub(in crate::store) fn link_owner(
    vault: &Vault,
    row: LinkOwnerRow,
) -> Result<LinkOwner, StoreError> {
    let (account, _, Profile { username, email, .. }) = sealing::profile(vault, row.profile)?;
    Ok(LinkOwner { account, username, email, has_factor: row.has_factor })
}

pub(in crate::store) fn password_owner(
    vault: &Vault,
    row: PasswordOwnerRow,
) -> Result<PasswordOwner, StoreError> {
    let (_, _, Profile { username, email, .. }) = sealing::profile(vault, row.profile)?;
    let hash = row.password_hash.map(PasswordHash);
    Ok(PasswordOwner { username, email, hash, has_factor: row.has_factor })
}

pub(in crate::store) fn addressee(
    vault: &Vault,
    row: StoredProfile,
) -> Result<Addressee, StoreError> {
    let (account, _, Profile { username, email, .. }) = sealing::profile(vault, row)?;
    Ok(Addressee { account, username, email })
}

pub(in crate::store) fn email_link_owner(
    vault: &Vault,
    (account, wrapped, email): (Uuid, Vec<u8>, Option<Vec<u8>>),
) -> Result<EmailLinkOwner, StoreError> {
    let account = AccountId::from_uuid(account);
    let key = sealing::key(vault, account, wrapped)?;
    let email = email.map(|sealed| sealing::open(&key, sealed)).transpose()?;
    Ok(EmailLinkOwner { account, email })
}

pub(in crate::store) fn claimant(
    vault: &Vault,
    row: StoredProfile,
) -> Result<Claimant, StoreError> {
    let (account, _, Profile { username, .. }) = sealing::profile(vault, row)?;
    Ok(Claimant { account, username: username.folded() })
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
