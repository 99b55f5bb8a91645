//! Enrol a second factor, renew its recovery codes, take it off.
//!
//! Each of these needs a session in which its owner proved themselves just now.

use std::collections::BTreeSet;
use std::time::Duration;

use zeroize::Zeroizing;

use super::book::{AccountRow, Factor};
use super::fresh::{NotFresh, Owner};
use super::login::throttle_key;
use super::opaque::NoEntropy;
use super::recovery::{RecoveryCode, RecoveryDigest, digests};
use super::revocation::Revocation;
use super::throttle::ThrottleKey;
use super::totp::{TotpCode, TotpSecret};
use crate::app::App;
use crate::audit::{Action, Detail};
use crate::ids::{AccountId, SessionId};
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Who the secret is from, as apps show it.
const ISSUER: &str = "Stockade";

/// Why nothing was changed about a second factor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolError {
    #[error(transparent)]
    Fresh(#[from] NotFresh),
    #[error("no second factor waits to be confirmed")]
    NothingPending,
    #[error("the account has no second factor")]
    NotEnrolled,
    #[error("the code is wrong")]
    WrongCode,
    #[error("too many failures; nothing is tried for {0:?}")]
    Locked(Duration),
    #[error("could not make a secret")]
    Entropy(#[from] NoEntropy),
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not write")]
    Write(#[from] WriteError),
}

/// A secret as its owner is shown it, once.
#[derive(Debug)]
pub(crate) struct Enrolment {
    pub(crate) secret: Zeroizing<String>,
    pub(crate) uri: Zeroizing<String>,
}

/// Makes a secret that is a second factor once its first code was shown.
pub(crate) async fn begin_enrolment(
    app: &App,
    account: AccountId,
    session: SessionId,
) -> Result<Enrolment, EnrolError> {
    let known = app.store.account(account).await?.ok_or(NotFresh::Session)?;
    let secret = TotpSecret::generate()?;
    let begin = Begin { owner: Owner { account, session }, pending: secret.clone() };
    app.writer.submit(begin).await??;
    let uri = secret.to_uri(ISSUER, known.profile.username.as_str());
    Ok(Enrolment { secret: secret.to_base32(), uri })
}

/// Makes the secret that waits the account's second factor.
pub(crate) async fn confirm_enrolment(
    app: &App,
    account: AccountId,
    session: SessionId,
    code: TotpCode,
) -> Result<Vec<RecoveryCode>, EnrolError> {
    let known = app.store.account(account).await?.ok_or(NotFresh::Session)?;
    let codes = RecoveryCode::generate()?;
    let confirm = Confirm {
        owner: Owner { account, session },
        throttle: throttle_key(&app.vault, &known.profile.username.folded()),
        code,
        recovery: digests(&codes, &app.vault, account),
    };
    app.writer.submit(confirm).await??;
    Ok(codes)
}

/// Takes the second factor off.
pub(crate) async fn disable_factor(
    app: &App,
    account: AccountId,
    session: SessionId,
) -> Result<(), EnrolError> {
    app.writer.submit(Disable { owner: Owner { account, session } }).await?
}

/// Gives out recovery codes in place of those from before.
pub(crate) async fn renew_recovery_codes(
    app: &App,
    account: AccountId,
    session: SessionId,
) -> Result<Vec<RecoveryCode>, EnrolError> {
    let codes = RecoveryCode::generate()?;
    let recovery = digests(&codes, &app.vault, account);
    app.writer.submit(Renew { owner: Owner { account, session }, recovery }).await??;
    Ok(codes)
}

/// The account, about to be changed.
fn change(owner: Owner, sheet: &mut Worksheet) -> Result<&mut AccountRow, EnrolError> {
    sheet.accounts.change(owner.account).ok_or(EnrolError::Fresh(NotFresh::Session))
}

#[derive(Debug)]
struct Begin {
    owner: Owner,
    pending: TotpSecret,
}

impl Write for Begin {
    type Answer = Result<(), EnrolError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.owner.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        self.owner.fresh(sheet)?;
        // What is in force stays so until the next is confirmed.
        change(self.owner, sheet)?.factor.pending = Some(self.pending.clone());
        sheet.audit(Action::FactorBegun, self.owner.account);
        Ok(())
    }
}

#[derive(Debug)]
struct Confirm {
    owner: Owner,
    throttle: ThrottleKey,
    code: TotpCode,
    recovery: BTreeSet<RecoveryDigest>,
}

impl Write for Confirm {
    type Answer = Result<(), EnrolError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.owner.wants(wanted);
        wanted.accounts.throttles.insert(self.throttle);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let now = sheet.now;
        if let Some(wait) = sheet.accounts.locked_for(self.throttle, now) {
            return Err(EnrolError::Locked(wait));
        }
        let pending = self.owner.fresh(sheet)?.factor.pending.clone();
        let pending = pending.ok_or(EnrolError::NothingPending)?;
        let Some(step) = pending.step_of(self.code, now, 0) else {
            sheet.accounts.fail(self.throttle, now);
            sheet.audit(Action::FactorEnrolled, self.owner.account).refused(Detail::WrongCode);
            return Err(EnrolError::WrongCode);
        };
        let row = change(self.owner, sheet)?;
        row.factor.secret = row.factor.pending.take();
        row.factor.last_step = step;
        row.factor.recovery.clone_from(&self.recovery);
        sheet.sessions.step_up(self.owner.session, now);
        sheet.audit(Action::FactorEnrolled, self.owner.account);
        Ok(())
    }
}

#[derive(Debug)]
struct Disable {
    owner: Owner,
}

impl Write for Disable {
    type Answer = Result<(), EnrolError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.owner.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let now = sheet.now;
        if self.owner.fresh(sheet)?.factor.secret.is_none() {
            return Err(EnrolError::NotEnrolled);
        }
        let row = change(self.owner, sheet)?;
        row.factor = Factor::default();
        row.challenges.clear();
        // No token goes on telling of it.
        row.refuse_tokens_before(now);
        let revoked = Revocation::of_subject(self.owner.account, row);
        sheet.new.revocations.push(revoked);
        sheet.sessions.step_down(self.owner.account);
        sheet.audit(Action::FactorRemoved, self.owner.account);
        Ok(())
    }
}

#[derive(Debug)]
struct Renew {
    owner: Owner,
    recovery: BTreeSet<RecoveryDigest>,
}

impl Write for Renew {
    type Answer = Result<(), EnrolError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.owner.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        if self.owner.fresh(sheet)?.factor.secret.is_none() {
            return Err(EnrolError::NotEnrolled);
        }
        change(self.owner, sheet)?.factor.recovery.clone_from(&self.recovery);
        sheet.audit(Action::RecoveryCodesRenewed, self.owner.account);
        Ok(())
    }
}

/// Gives a demo account a second factor that is known beforehand; leaves alone one that is there.
pub(crate) async fn give_factor(
    app: &App,
    account: AccountId,
    secret: TotpSecret,
) -> Result<(), WriteError> {
    app.writer.submit(Give { account, secret }).await
}

#[derive(Debug)]
struct Give {
    account: AccountId,
    secret: TotpSecret,
}

impl Write for Give {
    type Answer = ();

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
    }

    fn decide(&self, sheet: &mut Worksheet) {
        let has_none = |row: &AccountRow| row.factor.secret.is_none();
        if sheet.accounts.row(self.account).is_some_and(has_none)
            && let Some(row) = sheet.accounts.change(self.account)
        {
            row.factor.secret = Some(self.secret.clone());
            sheet.audit(Action::FactorEnrolled, self.account);
        }
    }
}
