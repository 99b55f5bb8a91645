//! Whether a database was written with the keys at hand: asked before anything is sealed.

use sqlx::FromRow;
use uuid::Uuid;

use super::sealing::{key, open, username_digest};
use crate::accounts::Username;
use crate::ids::{AccountId, Id as _};
use crate::vault::Vault;

/// Somebody whose data key none of these two wrapped.
pub(in crate::store) const KEY_OF_ANOTHER: &str = "
    SELECT account_id
      FROM data_key
     WHERE substr(wrapped, 1, 8) <> $1
       AND substr(wrapped, 1, 8) <> $2
     LIMIT 1";

/// A few of whom both keys are known to open everything, or none is.
pub(in crate::store) const SAMPLES: &str = "
    SELECT a.id, k.wrapped, a.username, a.username_digest
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
     WHERE a.username IS NOT NULL
       AND a.username_digest IS NOT NULL
     LIMIT 8";

/// The keys at hand are not those the database was written with.
#[derive(Debug, Clone, Copy, thiserror::Error)]
pub(crate) enum OtherKeys {
    #[error(
        "the data key of account `{0}` was wrapped by another key than `core.data_key_file` and \
         `core.previous_data_key_file`"
    )]
    Data(AccountId),
    #[error("its names were digested by another key than `core.index_key_file`")]
    Index,
}

/// A user name, sealed, and by what it is found.
#[derive(FromRow)]
pub(in crate::store) struct Sample {
    id: Uuid,
    wrapped: Vec<u8>,
    username: Vec<u8>,
    username_digest: Vec<u8>,
}

impl Sample {
    /// Whether this index key made its digest; nothing where the row itself was tampered with.
    fn fits(self, vault: &Vault) -> Option<bool> {
        let key = key(vault, AccountId::from_uuid(self.id), self.wrapped).ok()?;
        let name: Username = open(&key, self.username).ok()?;
        Some(username_digest(vault, &name.folded()).as_slice() == self.username_digest)
    }
}

/// One damaged row must not keep a shop closed: the index key is another one when it fits none.
pub(in crate::store) fn check_index(vault: &Vault, samples: Vec<Sample>) -> Result<(), OtherKeys> {
    let fits: Vec<bool> = samples.into_iter().filter_map(|sample| sample.fits(vault)).collect();
    if fits.is_empty() || fits.contains(&true) { Ok(()) } else { Err(OtherKeys::Index) }
}

/// The check for a type of connection.
macro_rules! keys {
    ($connection:ty) => {
        use sqlx::{query_as, query_scalar};
        use uuid::Uuid;

        use crate::ids::{AccountId, Id as _};
        use crate::store::OpenError;
        use crate::store::rows::keys::*;
        use crate::vault::Vault;

        /// Refuses a database that was written with other keys.
        pub(super) async fn check(
            connection: &mut $connection,
            vault: &Vault,
        ) -> Result<(), OpenError> {
            let [current, previous] = vault.key_names();
            let stranger = query_scalar(KEY_OF_ANOTHER).bind(current.to_vec());
            let stranger = stranger.bind(previous.to_vec());
            let stranger: Option<Uuid> = stranger.fetch_optional(&mut *connection).await?;
            if let Some(account) = stranger {
                return Err(OtherKeys::Data(AccountId::from_uuid(account)).into());
            }
            let samples = query_as(SAMPLES).fetch_all(connection).await?;
            Ok(check_index(vault, samples)?)
        }
    };
}

pub(in crate::store) use keys;
