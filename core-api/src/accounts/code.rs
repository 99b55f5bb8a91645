//! A code that proves a second factor, of either kind, and the one place that takes it.

use super::book::AccountRow;
use super::recovery::RecoveryCode;
use super::totp::TotpCode;
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::vault::Vault;

/// A code as somebody typed it.
#[derive(Debug)]
pub(crate) enum Code {
    Totp(TotpCode),
    Recovery(RecoveryCode),
}

impl Code {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let totp = TotpCode::parse(text).map(Self::Totp);
        totp.or_else(|| RecoveryCode::parse(text).map(Self::Recovery))
    }

    /// Whether this code proves the account's second factor. One that did is spent.
    pub(super) fn take(
        &self,
        vault: &Vault,
        account: AccountId,
        row: &mut AccountRow,
        now: Timestamp,
    ) -> bool {
        match self {
            Self::Totp(code) => {
                let secret = row.factor.secret.as_ref();
                let step = secret.and_then(|s| s.step_of(*code, now, row.factor.last_step));
                // SECURITY: a step is taken once, so a code that was overheard is worth nothing.
                step.inspect(|step| row.factor.last_step = *step).is_some()
            }
            Self::Recovery(code) => row.factor.recovery.remove(&code.digest(vault, account)),
        }
    }
}
