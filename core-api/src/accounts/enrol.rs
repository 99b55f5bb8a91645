//! Enrol a second factor, renew its recovery codes, take it off.
//!
//! Each of these needs a session in which its owner proved themselves just now: by the second
//! factor where there is one, by the password where there is none yet. So a token alone,
//! however it was come by, changes nothing here.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::book::{AccountRow, Factor};
use super::code::open_secret;
use super::login::throttle_key;
use super::opaque::NoEntropy;
use super::recovery::{RecoveryCode, RecoveryDigest, digests};
use super::revocation::Revocation;
use super::throttle::ThrottleKey;
use super::totp::{TotpCode, TotpSecret};
use crate::app::App;
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id as _, SessionId};
use crate::store::StoreError;
use crate::vault::{Purpose, SealError, Sealed, Vault};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// How long ago somebody may have proved themselves.
pub(crate) const FRESH: Duration = Duration::from_mins(10);

/// Who the secret is from, as apps show it.
const ISSUER: &str = "Stockade";

/// What was not proved lately enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stale {
    Password,
    SecondFactor,
}

/// Why nothing was changed about a second factor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnrolError {
    #[error("the session is over, or not this account's")]
    Session,
    #[error("the session has to be fresher")]
    Stale(Stale),
    #[error("no second factor waits to be confirmed")]
    NothingPending,
    #[error("the account has no second factor")]
    NotEnrolled,
    #[error("the code is wrong")]
    WrongCode,
    #[error("too many failures; nothing is tried for {0:?}")]
    Locked(Duration),
    #[error("could not seal the secret")]
    Seal(#[from] SealError),
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

/// Whose second factor it is, in which session.
#[derive(Debug, Clone, Copy)]
struct Owner {
    account: AccountId,
    session: SessionId,
}

/// Makes a secret that is a second factor once its first code was shown.
pub(crate) async fn begin_enrolment(
    app: &App,
    account: AccountId,
    session: SessionId,
) -> Result<Enrolment, EnrolError> {
    let known = app.store.account(account).await?.ok_or(EnrolError::Session)?;
    let secret = TotpSecret::generate()?;
    let pending =
        app.vault.seal(Purpose::TotpSecret, account.uuid().as_bytes(), secret.as_bytes())?;
    app.writer.submit(Begin { owner: Owner { account, session }, pending }).await??;
    let uri = secret.to_uri(ISSUER, &known.username);
    Ok(Enrolment { secret: secret.to_base32(), uri })
}

/// Makes the secret that waits the account's second factor.
pub(crate) async fn confirm_enrolment(
    app: &App,
    account: AccountId,
    session: SessionId,
    code: TotpCode,
) -> Result<Vec<RecoveryCode>, EnrolError> {
    let known = app.store.account(account).await?.ok_or(EnrolError::Session)?;
    let codes = RecoveryCode::generate()?;
    let confirm = Confirm {
        owner: Owner { account, session },
        throttle: throttle_key(&app.vault, &known.username.to_ascii_lowercase()),
        vault: Arc::clone(&app.vault),
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

impl Owner {
    fn wants(self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.sessions.insert(self.session);
    }

    /// The account, if whoever asks proved themselves in this session just now.
    fn fresh(self, sheet: &Worksheet) -> Result<&AccountRow, EnrolError> {
        let session = sheet.sessions.session(self.session).ok_or(EnrolError::Session)?;
        if session.account != self.account || session.ended || session.ends_at <= sheet.now {
            return Err(EnrolError::Session);
        }
        let row = sheet.accounts.active(self.account).ok_or(EnrolError::Session)?;
        let since = |moment: Timestamp| moment.plus(FRESH) > sheet.now;
        let by_factor = session.second_factor_at.is_some_and(since);
        if by_factor || row.factor.secret.is_none() && since(session.began_at) {
            return Ok(row);
        }
        let has_factor = row.factor.secret.is_some();
        Err(EnrolError::Stale(if has_factor { Stale::SecondFactor } else { Stale::Password }))
    }

    fn change(self, sheet: &mut Worksheet) -> Result<&mut AccountRow, EnrolError> {
        sheet.accounts.change(self.account).ok_or(EnrolError::Session)
    }
}

#[derive(Debug)]
struct Begin {
    owner: Owner,
    pending: Sealed,
}

impl Write for Begin {
    type Answer = Result<(), EnrolError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.owner.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        self.owner.fresh(sheet)?;
        // What is in force stays so until the next is confirmed.
        self.owner.change(sheet)?.factor.pending = Some(self.pending.clone());
        Ok(())
    }
}

#[derive(Debug)]
struct Confirm {
    owner: Owner,
    throttle: ThrottleKey,
    vault: Arc<Vault>,
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
        let secret = open_secret(&self.vault, self.owner.account, &pending);
        let Some(step) = secret.and_then(|secret| secret.step_of(self.code, now, 0)) else {
            sheet.accounts.fail(self.throttle, now);
            return Err(EnrolError::WrongCode);
        };
        let row = self.owner.change(sheet)?;
        row.factor.secret = row.factor.pending.take();
        row.factor.last_step = step;
        row.factor.recovery.clone_from(&self.recovery);
        sheet.sessions.step_up(self.owner.session, now);
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
        let row = self.owner.change(sheet)?;
        row.factor = Factor::default();
        row.challenges.clear();
        // No token goes on telling of it.
        row.refuse_tokens_before(now);
        let revoked = Revocation::of_subject(self.owner.account, row);
        sheet.new.revocations.push(revoked);
        sheet.sessions.step_down(self.owner.account);
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
        self.owner.change(sheet)?.factor.recovery.clone_from(&self.recovery);
        Ok(())
    }
}

/// Why an account was not given a second factor.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GiveFactorError {
    #[error("could not seal the secret")]
    Seal(#[from] SealError),
    #[error("could not write")]
    Write(#[from] WriteError),
}

/// Gives a demo account a second factor that is known beforehand; leaves alone one that is there.
pub(crate) async fn give_factor(
    app: &App,
    account: AccountId,
    secret: &TotpSecret,
) -> Result<(), GiveFactorError> {
    let sealed =
        app.vault.seal(Purpose::TotpSecret, account.uuid().as_bytes(), secret.as_bytes())?;
    Ok(app.writer.submit(Give { account, sealed }).await?)
}

#[derive(Debug)]
struct Give {
    account: AccountId,
    sealed: Sealed,
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
            row.factor.secret = Some(self.sealed.clone());
        }
    }
}
