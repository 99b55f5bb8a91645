//! Rewrap: data keys under the key-encryption key of today, so that the one before it can be
//! destroyed. What is sealed under the data keys stays as it is.

use std::sync::Arc;

use crate::audit::{Action, Object};
use crate::ids::AccountId;
use crate::vault::{SealError, Vault, WrappedKey};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::Write;

/// Why a key was not rewrapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RewrapError {
    #[error(
        "the data key of account `{0}` was wrapped by another key than `core.data_key_file` and \
         `core.previous_data_key_file`"
    )]
    UnknownKey(AccountId),
    #[error("could not wrap")]
    Seal(#[from] SealError),
}

/// Some data keys of another key-encryption key than today's.
#[derive(Debug)]
pub(crate) struct Rewrap(pub(crate) Arc<Vault>);

impl Write for Rewrap {
    /// How many there were.
    type Answer = Result<usize, RewrapError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.keys_not_of = Some(self.0.key_name());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let rewrapped: Result<Vec<(AccountId, WrappedKey)>, RewrapError> = sheet
            .old_keys
            .iter()
            .map(|(account, wrapped)| {
                let rewrapped = self.0.rewrap(*account, wrapped);
                let rewrapped = rewrapped.ok_or(RewrapError::UnknownKey(*account))?;
                Ok((*account, rewrapped?))
            })
            .collect();
        sheet.new.rewrapped = rewrapped?;
        if !sheet.new.rewrapped.is_empty() {
            sheet.audit(Action::DataKeysRewrapped, Object::NONE);
        }
        Ok(sheet.new.rewrapped.len())
    }
}
