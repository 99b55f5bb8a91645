//! Sealed columns: what both databases keep of people, and how it is opened and sealed.
//!
//! What is confidential leaves the store open and enters it open; nothing above it seals.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::FromRow;
use uuid::Uuid;

use crate::accounts::Profile;
use crate::ids::{AccountId, Id as _};
use crate::privacy::Confidential;
use crate::store::StoreError;
use crate::vault::{Purpose, SealError, Sealed, SubjectKey, Vault, WrappedKey};
use crate::version::Version;

pub(in crate::store) const KEY: &str = "SELECT wrapped FROM data_key WHERE account_id = $1";

pub(in crate::store) const INSERT_KEY: &str = "
    INSERT INTO data_key (account_id, wrapped)
    VALUES ($1, $2)";

pub(in crate::store) const UPDATE_PROFILE: &str = "
    UPDATE account
       SET username = $2, username_digest = $3, email = $4, email_digest = $5,
           phone = $6, full_name = $7, version = $8
     WHERE id = $1";

impl From<SealError> for StoreError {
    fn from(error: SealError) -> Self {
        Self::Seal(error)
    }
}

/// A profile as it is kept, and the key it is sealed under.
#[derive(Debug, FromRow)]
pub(in crate::store) struct StoredProfile {
    id: Uuid,
    wrapped: Vec<u8>,
    username: Vec<u8>,
    email: Vec<u8>,
    phone: Option<Vec<u8>>,
    full_name: Option<Vec<u8>>,
    version: i64,
}

/// The account's key and what it opens.
pub(in crate::store) fn profile(
    vault: &Vault,
    row: StoredProfile,
) -> Result<(AccountId, Arc<SubjectKey>, Profile), StoreError> {
    let id = AccountId::from_uuid(row.id);
    let key = key(vault, id, row.wrapped)?;
    let profile = Profile {
        username: open(&key, row.username)?,
        email: open(&key, row.email)?,
        phone: row.phone.map(|sealed| open(&key, sealed)).transpose()?,
        full_name: row.full_name.map(|sealed| open(&key, sealed)).transpose()?,
        version: Version(row.version),
    };
    Ok((id, Arc::new(key), profile))
}

/// Unwraps an account's key.
pub(in crate::store) fn key(
    vault: &Vault,
    account: AccountId,
    wrapped: Vec<u8>,
) -> Result<SubjectKey, StoreError> {
    vault.unwrap(account, &WrappedKey(wrapped)).ok_or(StoreError::Unreadable("data key"))
}

/// Opens one column.
pub(in crate::store) fn open<T: Confidential>(
    key: &SubjectKey,
    sealed: Vec<u8>,
) -> Result<T, StoreError> {
    key.open(&Sealed(sealed)).ok_or(StoreError::Unreadable(T::FIELD.as_str()))
}

/// A profile as it is written, column by column.
#[derive(Debug)]
pub(in crate::store) struct SealedProfile {
    pub(in crate::store) username: Vec<u8>,
    pub(in crate::store) username_digest: [u8; 32],
    pub(in crate::store) email: Vec<u8>,
    pub(in crate::store) email_digest: [u8; 32],
    pub(in crate::store) phone: Option<Vec<u8>>,
    pub(in crate::store) full_name: Option<Vec<u8>>,
}

impl SealedProfile {
    pub(in crate::store) fn seal(
        vault: &Vault,
        key: &SubjectKey,
        profile: &Profile,
    ) -> Result<Self, SealError> {
        Ok(Self {
            username: key.seal(&profile.username)?.0,
            username_digest: username_digest(vault, &profile.username.folded()),
            email: key.seal(&profile.email)?.0,
            email_digest: email_digest(vault, &profile.email.folded()),
            phone: seal(key, profile.phone.as_ref())?,
            full_name: seal(key, profile.full_name.as_ref())?,
        })
    }
}

/// Seals one column that may be empty.
pub(in crate::store) fn seal<T: Confidential>(
    key: &SubjectKey,
    value: Option<&T>,
) -> Result<Option<Vec<u8>>, SealError> {
    value.map(|value| key.seal(value).map(|sealed| sealed.0)).transpose()
}

/// By what a user name is found; it is folded.
pub(in crate::store) fn username_digest(vault: &Vault, folded: &str) -> [u8; 32] {
    vault.digest(Purpose::Username, b"", folded.as_bytes())
}

/// By what an e-mail address is found; it is folded.
pub(in crate::store) fn email_digest(vault: &Vault, folded: &str) -> [u8; 32] {
    vault.digest(Purpose::Email, b"", folded.as_bytes())
}

/// Names by their digests.
pub(in crate::store) fn digests(
    names: &BTreeSet<String>,
    digest: impl Fn(&str) -> [u8; 32],
) -> BTreeMap<Vec<u8>, &String> {
    names.iter().map(|name| (digest(name).to_vec(), name)).collect()
}

/// The names whose digests were found.
pub(in crate::store) fn named(
    digests: &BTreeMap<Vec<u8>, &String>,
    found: &[Vec<u8>],
) -> BTreeSet<String> {
    found.iter().filter_map(|digest| digests.get(digest)).map(|name| (*name).clone()).collect()
}
