//! Accounts: who somebody is, how they prove it, and the tokens that say so.
//!
//! | file | what |
//! |---|---|
//! | `accounts/register.rs` | a new account |
//! | `accounts/invite.rs` | a new account whose owner chooses a password by a link |
//! | `accounts/set_password.rs` | a password by such a link |
//! | `accounts/login.rs` | a password for a session and its tokens |
//! | `accounts/second_factor.rs` | a code for the same, or for a fresh second factor |
//! | `accounts/enrol.rs` | a second factor and its recovery codes, enrolled or taken off |
//! | `accounts/fresh.rs` | an owner who proved themselves just now |
//! | `accounts/rectify.rs` | what its owner says of themselves, put right |
//! | `accounts/totp.rs`, `recovery.rs`, `code.rs` | codes of either kind |
//! | `accounts/throttle.rs` | what slows down those who guess |
//! | `accounts/book.rs` | accounts as a batch of writes sees them |
//! | `accounts/change_password.rs`, `forgot_password.rs` | another password, by the old one or by mail |
//! | `accounts/verify_email.rs` | an address that is proved |
//! | `accounts/import.rs` | accounts of an earlier backend |
//! | `accounts/administer.rs` | roles, and who may log in |
//! | `accounts/revocation.rs` | tokens that are not believed any more |
//! | `accounts/refresh.rs` | a refresh token for the next tokens |
//! | `accounts/logout.rs` | the end of a session |
//! | `accounts/sessions.rs` | sessions and their refresh tokens |
//! | `accounts/strength.rs` | what a password must be |
//! | `accounts/password.rs` | how it is kept |
//! | `accounts/token.rs` | access tokens (RFC 9068) |
//! | `accounts/opaque.rs` | refresh tokens and links: random, kept as hashes |
//! | `accounts/keys.rs` | the keys that sign them |
//! | `accounts/name.rs` | user names, e-mail addresses, roles |

mod administer;
mod book;
mod change_password;
mod code;
mod enrol;
mod forgot_password;
mod fresh;
mod import;
mod invite;
mod keys;
mod links;
mod login;
mod logout;
mod name;
mod opaque;
mod password;
mod recovery;
mod rectify;
mod refresh;
mod register;
mod revocation;
mod second_factor;
mod sessions;
mod set_password;
mod strength;
mod throttle;
mod token;
mod totp;
mod verify_email;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use administer::{Administer, AdministerError, administer};
pub(crate) use book::{AccountBook, AccountRow, AccountsWanted, EmailLink, Factor, Profile};
pub(crate) use change_password::{
    ChangePasswordError, PasswordChange, PasswordOwner, change_password,
};
pub(crate) use code::Code;
pub(crate) use enrol::{
    EnrolError, begin_enrolment, confirm_enrolment, disable_factor, give_factor,
    renew_recovery_codes,
};
pub(crate) use forgot_password::{Addressee, Crowded, forgot_password};
pub(crate) use fresh::{NotFresh, Owner, Stale, prove_fresh};
pub(crate) use import::{Import, ImportError, NotAnImport};
pub(crate) use invite::{Invite, NewUser, Taken};
pub(crate) use keys::{SigningKeyError, SigningKeys};
pub(crate) use login::{CHALLENGE_LIFE, LoginError, Tokens, login, throttle_key};
pub(crate) use logout::{Logout, logout};
pub(crate) use name::{EmailAddress, FullName, NameError, PhoneNumber, Role, Username};
pub(crate) use opaque::{NoEntropy, OpaqueToken, TokenHash};
pub(crate) use password::{HashError, Password, PasswordHash, Passwords, WeakPepper};
pub(crate) use recovery::{RecoveryCode, RecoveryDigest};
pub(crate) use rectify::{Rectification, RectifyError, rectify};
pub(crate) use refresh::{RefreshError, refresh};
pub(crate) use register::{NewAccount, NotARegistration, RegisterError, Registration, register};
pub(crate) use revocation::{Revocation, Revoked, revocations};
pub(crate) use second_factor::{Claimant, SecondFactorError, Shown, prove};
pub(crate) use sessions::{NewSession, RefreshToken, Rotation, Session, SessionBook, SessionOf};
pub(crate) use set_password::{LinkOwner, NewLink, SetPasswordError, set_password};
pub(crate) use throttle::{Throttle, ThrottleKey};
pub(crate) use token::{Lives, TokenIssuer};
pub(crate) use totp::{TotpCode, TotpSecret};
pub use totp::{totp_code, totp_secret};
pub(crate) use verify_email::{
    EmailLinkOwner, NewEmailLink, VerifyEmailError, send_email_proof, verify_email,
};

use crate::app::App;
use crate::audit::{Action, Object};
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::store::{Slice, StoreError};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::Write;

/// What an account's owner is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: AccountId,
    pub(crate) profile: Profile,
    pub(crate) role: Role,
    pub(crate) email_verified: bool,
    /// Whether it may log in.
    pub(crate) disabled: bool,
    pub(crate) created_at: Timestamp,
    /// Whether a second factor is enrolled.
    pub(crate) has_factor: bool,
}

/// What a login is checked against.
#[derive(Debug, Clone)]
pub(crate) struct Credentials {
    pub(crate) id: AccountId,
    /// `None` for somebody who has not chosen a password yet.
    pub(crate) hash: Option<PasswordHash>,
}

/// Names that are taken, folded, as far as one batch of writes asked for them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) usernames: BTreeSet<String>,
    pub(crate) emails: BTreeSet<String>,
}

/// How often the folder of the signing key is looked at.
const KEYS_PAUSE: Duration = Duration::from_secs(2);

/// Follows the signing keys until dropped.
pub(crate) async fn watch_keys_forever(app: Arc<App>) {
    let mut rounds = tokio::time::interval(KEYS_PAUSE);
    loop {
        rounds.tick().await;
        // A few small files, read from a local disk.
        match app.tokens.reread_keys() {
            Ok(false) => {}
            Ok(true) => {
                tracing::info!("the signing keys changed");
                if let Err(error) = app.writer.submit(KeysChanged).await {
                    tracing::error!(error = ?error, "that the signing keys changed was not told");
                }
            }
            Err(error) => tracing::error!(%error, "the signing keys stay as they were"),
        }
    }
}

/// Somebody put other signing keys where the core finds them.
#[derive(Debug)]
struct KeysChanged;

impl Write for KeysChanged {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.audit(Action::SigningKeysChanged, Object::NONE);
    }
}

/// The account of this id, if there is one.
pub(crate) async fn find(app: &App, id: AccountId) -> Result<Option<Account>, StoreError> {
    app.store.account(id).await
}

/// Accounts, oldest first; those above customers alone, if asked.
pub(crate) async fn list(
    app: &App,
    staff: bool,
    slice: &Slice<AccountId>,
) -> Result<Vec<Account>, StoreError> {
    app.store.accounts(staff, slice).await
}
