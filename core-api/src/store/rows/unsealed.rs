//! What earlier versions wrote in the clear: sealed by the first core of this version, before it
//! serves.
//!
//! A few accounts make one transaction, and an account that is sealed is no longer among those
//! that wait: whoever is killed in between goes on where they were.

use sqlx::FromRow;
use uuid::Uuid;

use crate::accounts::{EmailAddress, NameError, PhoneNumber, Profile, Username};
use crate::ids::AccountId;
use crate::store::StoreError;
use crate::vault::{SealError, Sealed, Vault};

/// Accounts sealed in one transaction.
pub(in crate::store) const AT_ONCE: i64 = 256;

pub(in crate::store) const FACTOR: &str = "SELECT secret, pending FROM totp WHERE account_id = $1";

pub(in crate::store) const SEAL_FACTOR: &str = "
    UPDATE totp
       SET secret = $2, pending = $3
     WHERE account_id = $1";

pub(in crate::store) const SEALED: &str = "DELETE FROM unsealed_account WHERE account_id = $1";

/// Why something stays in the clear.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnsealedError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("account `{account}`: {why}")]
    Name { account: AccountId, why: NameError },
    #[error(
        "the second factor of account `{0}` was sealed with another `core.data_key_file` than \
         this one"
    )]
    Factor(AccountId),
}

impl From<sqlx::Error> for UnsealedError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<SealError> for UnsealedError {
    fn from(error: SealError) -> Self {
        Self::Store(error.into())
    }
}

/// An account in the clear.
#[derive(FromRow)]
pub(in crate::store) struct Unsealed {
    pub(in crate::store) account_id: Uuid,
    username: String,
    email: String,
    phone: Option<String>,
}

impl Unsealed {
    pub(in crate::store) fn profile(&self, account: AccountId) -> Result<Profile, UnsealedError> {
        let misnamed = |why| UnsealedError::Name { account, why };
        let phone = self.phone.as_deref().map(PhoneNumber::parse).transpose();
        Ok(Profile::new(
            Username::parse(&self.username).map_err(misnamed)?,
            EmailAddress::parse(&self.email).map_err(misnamed)?,
            phone.map_err(misnamed)?,
        ))
    }
}

/// A second factor's secret as an earlier version sealed it, for this one.
pub(in crate::store) fn secret<T: crate::privacy::Confidential>(
    vault: &Vault,
    account: AccountId,
    sealed: Option<Vec<u8>>,
) -> Result<Option<T>, UnsealedError> {
    let lost = || UnsealedError::Factor(account);
    sealed
        .map(|sealed| {
            let plain = vault.before().totp_secret(account, &Sealed(sealed)).ok_or_else(lost)?;
            T::from_plain(&plain).ok_or_else(lost)
        })
        .transpose()
}

/// Sealing for a type of connection. `BEGIN` begins a transaction that writes, `SOME` selects
/// accounts that wait and keeps them from others.
macro_rules! unsealed {
    ($connection:ty) => {
        use sqlx::{query, query_as};

        use crate::accounts::TotpSecret;
        use crate::ids::{AccountId, Id as _};
        use crate::store::rows::sealing::{INSERT_KEY, SealedProfile, UPDATE_PROFILE, seal};
        use crate::store::rows::unsealed::*;
        use crate::vault::{SubjectKey, Vault};

        /// Seals all accounts that wait.
        pub(super) async fn seal_everything(
            connection: &mut $connection,
            vault: &Vault,
        ) -> Result<(), UnsealedError> {
            let mut sealed = 0_usize;
            loop {
                query(BEGIN).execute(&mut *connection).await?;
                let count = match seal_some(connection, vault).await {
                    Ok(count) => count,
                    Err(error) => {
                        query("ROLLBACK").execute(&mut *connection).await?;
                        return Err(error);
                    }
                };
                query("COMMIT").execute(&mut *connection).await?;
                if count == 0 {
                    return Ok(());
                }
                sealed = sealed.saturating_add(count);
                tracing::info!(sealed, "accounts of an earlier version were sealed");
            }
        }

        async fn seal_some(
            connection: &mut $connection,
            vault: &Vault,
        ) -> Result<usize, UnsealedError> {
            let found: Vec<Unsealed> =
                query_as(SOME).bind(AT_ONCE).fetch_all(&mut *connection).await?;
            for waiting in &found {
                let account = AccountId::from_uuid(waiting.account_id);
                let (key, wrapped) = vault.new_key(account)?;
                let insert = query(INSERT_KEY).bind(waiting.account_id).bind(wrapped.0);
                insert.execute(&mut *connection).await?;
                let profile = waiting.profile(account)?;
                let sealed = SealedProfile::seal(vault, &key, &profile)?;
                query(UPDATE_PROFILE)
                    .bind(waiting.account_id)
                    .bind(sealed.username)
                    .bind(sealed.username_digest.to_vec())
                    .bind(sealed.email)
                    .bind(sealed.email_digest.to_vec())
                    .bind(sealed.phone)
                    .bind(sealed.full_name)
                    .bind(profile.version.0)
                    .execute(&mut *connection)
                    .await?;
                seal_factor(connection, vault, &key, account).await?;
                query(SEALED).bind(waiting.account_id).execute(&mut *connection).await?;
            }
            Ok(found.len())
        }

        async fn seal_factor(
            connection: &mut $connection,
            vault: &Vault,
            key: &SubjectKey,
            account: AccountId,
        ) -> Result<(), UnsealedError> {
            let found = query_as(FACTOR).bind(account.uuid());
            let found: Option<(Option<Vec<u8>>, Option<Vec<u8>>)> =
                found.fetch_optional(&mut *connection).await?;
            let Some((in_force, pending)) = found else { return Ok(()) };
            let in_force: Option<TotpSecret> = secret(vault, account, in_force)?;
            let pending: Option<TotpSecret> = secret(vault, account, pending)?;
            let update = query(SEAL_FACTOR).bind(account.uuid());
            let update = update.bind(seal(key, in_force.as_ref())?);
            update.bind(seal(key, pending.as_ref())?).execute(connection).await?;
            Ok(())
        }
    };
}

pub(in crate::store) use unsealed;
