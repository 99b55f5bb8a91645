//! Accounts, and links to set a password.

use uuid::Uuid;

use crate::accounts::{
    Account, Credentials, EmailAddress, LinkOwner, PasswordHash, Role, TokenHash, Username,
};
use crate::ids::{AccountId, Id};
use crate::store::StoreError;

pub(in crate::store) const CREDENTIALS: &str = "
    SELECT id, role, password_hash
      FROM account
     WHERE username_folded = $1";

pub(in crate::store) const ACCOUNT: &str = "
    SELECT username, email, role
      FROM account
     WHERE id = $1";

pub(in crate::store) const LINK_OWNER: &str = "
    SELECT a.username, a.email
      FROM password_link AS l
      JOIN account AS a ON a.id = l.account_id
     WHERE l.hash = $1
       AND l.expires_at > $2";

pub(in crate::store) fn credentials(
    (id, role, hash): (Uuid, String, Option<String>),
) -> Result<Credentials, StoreError> {
    let role = parse_role(&role)?;
    Ok(Credentials { id: AccountId::from_uuid(id), role, hash: hash.map(PasswordHash) })
}

pub(in crate::store) fn account(
    id: AccountId,
    (username, email, role): (String, String, String),
) -> Result<Account, StoreError> {
    Ok(Account { id, username, email, role: parse_role(&role)? })
}

pub(in crate::store) fn link_owner(
    (username, email): (String, String),
) -> Result<LinkOwner, StoreError> {
    let username = Username::parse(&username);
    let email = EmailAddress::parse(&email);
    Ok(LinkOwner {
        username: username.map_err(|_| StoreError::Unreadable("user name"))?,
        email: email.map_err(|_| StoreError::Unreadable("e-mail address"))?,
    })
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
